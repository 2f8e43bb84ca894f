import { PlusOutlined } from '@ant-design/icons'
import type { Pool, PoolNode } from '@slipway/contract'
import { Form, Select } from 'antd'
import { useState } from 'react'

import { useAllRows, useChange } from '../../data/queries.ts'
import { Act, Guarded, useLack, type Lack } from '../../objects/may.tsx'
import { linesOf } from '../../objects/pool/labels.ts'
import { useText, type Text } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Go } from '../../ui/go.tsx'
import { Grid, type Column } from '../../ui/grid/grid.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Empty, Panel } from '../../ui/page.tsx'
import { Status } from '../../ui/status.tsx'

type PoolProps = { readonly pool: Pool; readonly words: string }

/** The nodes of a Pool: why each is in it, and whether it carries what it should. */
export function PoolNodes({ pool, words }: PoolProps) {
  const { text } = useText()
  const lack = useLack('removePoolNode')
  const [isAdding, setAdding] = useState(false)
  const [leaving, setLeaving] = useState<string>()
  const title = text('cluster.nodes')
  const { nodes } = pool
  return (
    <Panel
      title={title}
      isFlush
      beside={
        pool.selector !== null && (
          <span className="soft">
            {text('pool.selector')} <code>{linesOf(pool.selector).join(' ')}</code>
          </span>
        )
      }
      actions={
        <Act
          does="addPoolNode"
          icon={<Icon of={PlusOutlined} />}
          disabled={pool.deleting}
          onClick={() => setAdding(true)}
        >
          {text('pool.nodeAdd')}
        </Act>
      }
    >
      <Grid<PoolNode>
        label={title}
        of={{
          rows: nodes,
          total: nodes.length,
          hasNextPage: false,
          isFetchingNextPage: false,
          fetchNextPage: () => Promise.resolve(),
          question: pool.id,
        }}
        keyOf={({ name }) => name}
        columns={columnsOf(text, { cluster: pool.clusterId, lack, remove: setLeaving })}
        empty={<Empty command={`pool add-node ${words} <node>`}>{text('pool.nodeEmpty')}</Empty>}
      />
      {isAdding && <AddNode pool={pool} words={words} close={() => setAdding(false)} />}
      {leaving !== undefined && (
        <RemoveNode pool={pool} words={words} node={leaving} close={() => setLeaving(undefined)} />
      )}
    </Panel>
  )
}

type Deeds = {
  readonly cluster: string
  readonly lack: Lack | undefined
  readonly remove: (node: string) => void
}

function columnsOf(text: Text, { cluster, lack, remove }: Deeds): readonly Column<PoolNode>[] {
  return [
    {
      id: 'name',
      title: text('cluster.node'),
      width: 'minmax(140px, 2fr)',
      cell: ({ name }) => <Go to={pathTo('node', { cluster, node: name })}>{name}</Go>,
    },
    {
      id: 'by',
      title: text('pool.by'),
      width: 'minmax(110px, 1fr)',
      cell: ({ by }) => text(`pool.by.${by}`),
    },
    {
      id: 'state',
      title: text('common.state'),
      width: 'minmax(110px, 1fr)',
      cell: ({ settled }) => (
        <Status tone={settled ? 'good' : 'busy'}>{text(settled ? 'pool.settled' : 'pool.settling')}</Status>
      ),
    },
    {
      id: 'do',
      title: text('pool.nodeRemove'),
      isTitleHidden: true,
      width: '110px',
      // By its labels it would come back at once.
      cell: ({ name, by }) =>
        by === 'name' && (
          <Guarded
            lack={lack}
            size="small"
            aria-label={`${text('pool.nodeRemove')} ${name}`}
            onClick={() => remove(name)}
          >
            {text('pool.nodeRemove')}
          </Guarded>
        ),
    },
  ]
}

type DialogProps = PoolProps & { readonly close: () => void }

function AddNode({ pool, words, close }: DialogProps) {
  const { text } = useText()
  const [node, setNode] = useState<string>()
  const nodes = useAllRows('listNodes', { cluster: pool.clusterId, limit: 200 })
  const add = useChange('addPoolNode', close)
  const here = new Set(pool.nodes.map(({ name }) => name))
  const others = nodes.rows?.filter(({ name }) => !here.has(name))
  return (
    <Dialog
      title={text('pool.nodeAddTitle', { name: pool.name })}
      confirm={text('pool.nodeAdd')}
      isReady={node !== undefined}
      command={`pool add-node ${words} ${node ?? '<node>'}`}
      isPending={add.isPending}
      error={add.error ?? nodes.error}
      close={close}
      act={() => node !== undefined && add.mutate({ pool: pool.id, node })}
    >
      <p>{text('pool.nodeAddText')}</p>
      <Form layout="vertical" component="div">
        <Form.Item label={text('cluster.node')} htmlFor="pool-node">
          <Select<string>
            id="pool-node"
            showSearch={{ optionFilterProp: 'label' }}
            value={node ?? null}
            onChange={setNode}
            loading={nodes.isFetching}
            options={(others ?? []).map(({ name }) => ({ value: name, label: name }))}
            notFoundContent={text(others === undefined ? 'common.loading' : 'pool.nodeNone')}
          />
        </Form.Item>
      </Form>
    </Dialog>
  )
}

function RemoveNode({ pool, words, node, close }: DialogProps & { readonly node: string }) {
  const { text } = useText()
  const remove = useChange('removePoolNode', close)
  return (
    <Dialog
      title={text('pool.nodeRemoveTitle', { node, name: pool.name })}
      confirm={text('pool.nodeRemove')}
      isDanger
      command={`pool remove-node ${words} ${node}`}
      isPending={remove.isPending}
      error={remove.error}
      close={close}
      act={() => remove.mutate({ pool: pool.id, node })}
    >
      <p>{text('pool.nodeRemoveText')}</p>
    </Dialog>
  )
}
