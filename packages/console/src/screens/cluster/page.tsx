import { useState } from 'react'

import type { Cluster } from '@slipway/contract'

import { useChange } from '../../data/queries.ts'
import { ClusterPage } from '../../objects/cluster.tsx'
import { Act } from '../../objects/may.tsx'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { useGo, useRouteParams } from '../../routes/use.ts'
import { Code } from '../../ui/copy.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Facts, Panel } from '../../ui/page.tsx'
import { Time } from '../../ui/time.tsx'
import { Capacity } from './capacity.tsx'
import { ChangeCluster } from './change-dialog.tsx'
import { Nodes } from './nodes.tsx'

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
          <div className="columns">
            <About cluster={cluster} />
            <Capacity cluster={cluster} />
          </div>
          <Nodes cluster={cluster} />
          {open === 'change' && <ChangeCluster cluster={cluster} close={close} />}
          {open === 'default' && <MakeDefault cluster={cluster} close={close} />}
          {open === 'remove' && <Remove cluster={cluster} close={close} />}
        </>
      )}
    </ClusterPage>
  )
}

function About({ cluster }: { readonly cluster: Cluster }) {
  const { text } = useText()
  const { health } = cluster
  return (
    <Panel title={text('cluster.overview')}>
      <Facts
        rows={[
          [text('common.since'), <Time key="since" at={health.since} />],
          ...(health.message === ''
            ? []
            : [
                [
                  text('cluster.message'),
                  <span key="message" lang="en">
                    {health.message}
                  </span>,
                ] as const,
              ]),
          [text('cluster.server'), <Code key="server" value={cluster.server} />],
          [text('cluster.version'), <code key="version">{cluster.version ?? '–'}</code>],
          [
            text('cluster.runtime'),
            text(`cluster.runtime.${cluster.processRuntime ? 'process' : 'container'}`),
          ],
          [
            text('cluster.gateway'),
            cluster.gatewayUrl === null ? (
              text('cluster.gatewayNone')
            ) : (
              <code key="gateway">{cluster.gatewayUrl}</code>
            ),
          ],
          [text('common.created'), <Time key="created" at={cluster.createdAt} />],
        ]}
      />
    </Panel>
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
