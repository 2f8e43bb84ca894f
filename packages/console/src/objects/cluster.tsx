import type { ReactNode } from 'react'

import type { Cluster } from '@slipway/contract'
import { SECOND_MS } from '@slipway/kit'

import { useAnswer } from '../data/queries.ts'
import { useText } from '../preferences/text.ts'
import { pathTo } from '../routes/path.ts'
import { Loaded } from '../ui/loaded.tsx'
import { Page } from '../ui/page.tsx'
import { Status, type Tone } from '../ui/status.tsx'
import { Tabs } from '../ui/tabs.tsx'

const EVERY_MS = 4 * SECOND_MS
const tones: Readonly<Record<Cluster['health']['state'], Tone>> = {
  ready: 'good',
  unknown: 'bad',
  connecting: 'busy',
  credentials: 'bad',
}

export function ClusterStatus({ health }: { readonly health: Cluster['health'] }) {
  const { text } = useText()
  return <Status tone={tones[health.state]}>{text(`cluster.state.${health.state}`)}</Status>
}

type ClusterPageProps = {
  readonly id: string
  readonly command: (slug: string) => string
  readonly actions?: (cluster: Cluster) => ReactNode
  readonly children: (cluster: Cluster) => ReactNode
}

/** The head that all pages of a Cluster share. */
export function ClusterPage({ id, command, actions, children }: ClusterPageProps) {
  const { text } = useText()
  const cluster = useAnswer('getCluster', { cluster: id }, { everyMs: EVERY_MS })
  return (
    <Loaded of={cluster}>
      {(one) => (
        <Page
          title={one.name}
          trail={[{ label: text('cluster.list'), to: pathTo('clusters') }]}
          beside={
            <>
              <ClusterStatus health={one.health} />
              {one.isDefault && <span className="badge">{text('cluster.default')}</span>}
            </>
          }
          actions={actions?.(one)}
          command={command(one.slug)}
          tabs={
            <Tabs
              label={one.name}
              tabs={[
                { label: text('cluster.overview'), to: pathTo('cluster', { cluster: id }) },
                { label: text('cluster.instances'), to: pathTo('clusterInstances', { cluster: id }) },
              ]}
            />
          }
        >
          {children(one)}
        </Page>
      )}
    </Loaded>
  )
}
