import type { Cluster } from '@slipway/contract'

import { useText } from '../../preferences/text.ts'
import { Code } from '../../ui/copy.tsx'
import { Facts, Panel } from '../../ui/page.tsx'
import { Time } from '../../ui/time.tsx'
import { ClusterLocation } from './location.tsx'

/** How a Cluster is reached, and what it is. */
export function About({ cluster }: { readonly cluster: Cluster }) {
  const { text } = useText()
  const { health, credentials } = cluster
  const isByAgent = credentials.kind === 'agent'
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
          [
            text('cluster.server'),
            isByAgent ? text('cluster.byAgent') : <Code key="server" value={cluster.server} />,
          ],
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
          [text('location.overview'), <ClusterLocation key="location" cluster={cluster} />],
          [text('common.created'), <Time key="created" at={cluster.createdAt} />],
        ]}
      />
    </Panel>
  )
}
