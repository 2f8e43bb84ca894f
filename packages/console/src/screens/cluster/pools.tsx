import { PlusOutlined } from '@ant-design/icons'
import type { Cluster, Pool } from '@slipway/contract'
import { SECOND_MS } from '@slipway/kit'
import { Checkbox, Form } from 'antd'
import { useState } from 'react'

import { useChange, useRows } from '../../data/queries.ts'
import { Act } from '../../objects/may.tsx'
import { LabelsField } from '../../objects/pool/labels-field.tsx'
import { linesOf, selectorOf } from '../../objects/pool/labels.ts'
import { PoolBadges, PoolProblem, RentEnd, RentProject, RentStatus } from '../../objects/pool/standing.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo } from '../../routes/use.ts'
import { CreateDialog, type NamedFields } from '../../ui/create-dialog.tsx'
import { Go } from '../../ui/go.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Loaded } from '../../ui/loaded.tsx'
import { More } from '../../ui/more.tsx'
import { Empty, Panel } from '../../ui/page.tsx'
import { SteadyList } from '../../ui/steady/steady-list.tsx'
import '../../objects/pool/pool.css'

const EVERY_MS = 5 * SECOND_MS
const PAGE_ROWS = 50

type ClusterProps = { readonly cluster: Cluster }

/** The Pools of a Cluster: which nodes, how they stand, and who rents them until when. */
export function Pools({ cluster }: ClusterProps) {
  const { text } = useText()
  const [isOpen, setOpen] = useState(false)
  const title = text('pool.list')
  const pools = useRows('listPools', { cluster: cluster.id, limit: PAGE_ROWS }, { everyMs: EVERY_MS })
  return (
    <Panel
      title={title}
      isFlush
      actions={
        <Act does="createPool" icon={<Icon of={PlusOutlined} />} onClick={() => setOpen(true)}>
          {text('pool.new')}
        </Act>
      }
    >
      <Loaded of={{ ...pools, data: pools.rows }}>
        {(rows) =>
          rows.length === 0 ? (
            <Empty command={`pool create ${cluster.slug} <slug>`}>{text('pool.text')}</Empty>
          ) : (
            <SteadyList
              label={title}
              rows={rows}
              question={pools.question}
              keyOf={({ id }) => id}
              row={(pool) => ({
                main: (
                  <span className="row-actions">
                    <Go to={pathTo('pool', { pool: pool.id })}>{pool.name}</Go>
                    {pool.slug !== pool.name && <code>{pool.slug}</code>}
                    <PoolBadges pool={pool} />
                  </span>
                ),
                note: <Nodes pool={pool} />,
                side: <Rented pool={pool} />,
              })}
            />
          )
        }
      </Loaded>
      <More of={pools} />
      {isOpen && <NewPool cluster={cluster} close={() => setOpen(false)} />}
    </Panel>
  )
}

function Nodes({ pool }: { readonly pool: Pool }) {
  const { text } = useText()
  const unsettled = pool.nodes.filter(({ settled }) => !settled).length
  return (
    <>
      <small>
        {text('pool.nodes', { count: pool.nodes.length })}
        {unsettled > 0 && ` · ${text('pool.unsettled', { count: unsettled })}`}
        {pool.selector !== null && (
          <>
            {` · ${text('pool.selector')} `}
            <code>{linesOf(pool.selector).join(' ')}</code>
          </>
        )}
      </small>
      <small className="pool-problem">
        <PoolProblem pool={pool} />
      </small>
    </>
  )
}

function Rented({ pool: { rent } }: { readonly pool: Pool }) {
  const { text } = useText()
  if (rent === null) return text('pool.rent.free')
  return (
    <span className="pool-side">
      <RentProject project={rent.project} />
      <RentStatus state={rent.state} />
      <RentEnd at={rent.until} />
    </span>
  )
}

type NewFields = NamedFields & { readonly exclusive?: boolean }

function NewPool({ cluster, close }: ClusterProps & { readonly close: () => void }) {
  const { text } = useText()
  const go = useGo()
  const [lines, setLines] = useState<readonly string[]>([])
  const create = useChange('createPool', ({ id }) => go(pathTo('pool', { pool: id })))
  const selector = selectorOf(lines)
  const labels = lines.length === 0 ? '' : ` --labels ${lines.join()}`
  return (
    <CreateDialog<NewFields>
      title={text('pool.new')}
      command={`pool create ${cluster.slug} <slug>${labels}`}
      isPending={create.isPending}
      error={create.error}
      close={close}
      create={({ exclusive = false, ...names }) => {
        if (selector === undefined) return
        create.mutate({
          ...names,
          cluster: cluster.id,
          exclusive,
          ...(selector === null ? {} : { selector }),
        })
      }}
    >
      <p className="pool-text">{text('pool.text')}</p>
      <LabelsField id="pool-labels" cluster={cluster.id} lines={lines} set={setLines} />
      <Form.Item name="exclusive" valuePropName="checked">
        <Checkbox>{text('pool.exclusiveField')}</Checkbox>
      </Form.Item>
    </CreateDialog>
  )
}
