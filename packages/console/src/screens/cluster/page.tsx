import { useState } from 'react'

import type { Cluster } from '@slipway/contract'

import { useChange } from '../../data/queries.ts'
import { ClusterPage } from '../../objects/cluster.tsx'
import { Act, Allowed } from '../../objects/may.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo, useRouteParams } from '../../routes/use.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Go } from '../../ui/go.tsx'
import { Panel } from '../../ui/page.tsx'
import { About } from './about.tsx'
import { Capacity } from './capacity.tsx'
import { ChangeCluster } from './change-dialog.tsx'
import { Credentials } from './credentials.tsx'
import { History } from './history.tsx'
import { Nodes } from './nodes.tsx'
import { Pools } from './pools.tsx'
import { Warnings } from './warnings.tsx'

/** A Cluster: whether it answers, what it has, what is asked of it, and its nodes. */
export default function ClusterOverviewPage() {
  const { text } = useText()
  const { cluster: id } = useRouteParams<'cluster'>()
  const [open, setOpen] = useState<'change' | 'default' | 'remove'>()
  const close = (): void => setOpen(undefined)
  return (
    <ClusterPage
      id={id}
      command={(slug) => `cluster show ${slug}`}
      actions={({ isDefault }) => (
        <>
          {!isDefault && (
            <Act does="updateCluster" onClick={() => setOpen('default')}>
              {text('cluster.makeDefault')}
            </Act>
          )}
          <Act does="updateCluster" onClick={() => setOpen('change')}>
            {text('cluster.rename')}
          </Act>
          <Act does="deleteCluster" danger onClick={() => setOpen('remove')}>
            {text('cluster.remove')}
          </Act>
        </>
      )}
    >
      {(cluster) => (
        <>
          <Warnings cluster={cluster} />
          <div className="columns">
            <About cluster={cluster} />
            <div className="stack">
              <Capacity cluster={cluster} />
              <Credentials cluster={cluster} />
            </div>
          </div>
          <Panel title={text('cluster.nodes')} isFlush>
            <Allowed does="listNodes">
              <Nodes cluster={cluster} />
            </Allowed>
          </Panel>
          <Pools cluster={cluster} />
          <Panel
            title={text('cluster.history')}
            isFlush
            actions={
              <Go to={pathTo('audit', undefined, { target: `cluster:${id}` })}>{text('common.all')}</Go>
            }
          >
            <Allowed does="listAuditEvents">
              <History id={id} />
            </Allowed>
          </Panel>
          {open === 'change' && <ChangeCluster cluster={cluster} close={close} />}
          {open === 'default' && <MakeDefault cluster={cluster} close={close} />}
          {open === 'remove' && <Remove cluster={cluster} close={close} />}
        </>
      )}
    </ClusterPage>
  )
}

type DialogProps = { readonly cluster: Cluster; readonly close: () => void }

function MakeDefault({ cluster, close }: DialogProps) {
  const { text } = useText()
  const change = useChange('updateCluster', close)
  return (
    <Dialog
      title={text('cluster.makeDefault')}
      confirm={text('cluster.makeDefault')}
      command={`cluster default ${cluster.slug}`}
      isPending={change.isPending}
      error={change.error}
      close={close}
      act={() => change.mutate({ cluster: cluster.id, isDefault: true })}
    >
      <p>{text('cluster.defaultText')}</p>
    </Dialog>
  )
}

function Remove({ cluster, close }: DialogProps) {
  const { text } = useText()
  const go = useGo()
  const remove = useChange('deleteCluster', () => go(pathTo('clusters')))
  return (
    <Dialog
      title={text('cluster.removeTitle', { name: cluster.name })}
      confirm={text('cluster.remove')}
      isDanger
      command={`cluster remove ${cluster.slug}`}
      isPending={remove.isPending}
      error={remove.error}
      close={close}
      act={() => remove.mutate({ cluster: cluster.id })}
    >
      <p>{text('cluster.removeText')}</p>
    </Dialog>
  )
}
