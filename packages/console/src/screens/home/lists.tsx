import type { Cluster, LocationGrant, ReleaseSummary, WaitingGate, WorkloadState } from '@slipway/contract'
import { releaseText } from '@slipway/messages'

import { GrantStatus } from '../../objects/location/grant-status.tsx'
import { ReleaseLink, ReleaseStatus } from '../../objects/release.tsx'
import { HealthStatus } from '../../objects/workload.tsx'
import { useFormat } from '../../preferences/format.ts'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { Go } from '../../ui/go.tsx'
import { Status } from '../../ui/status.tsx'
import { SteadyList } from '../../ui/steady/steady-list.tsx'
import { Time } from '../../ui/time.tsx'

/** How a Release stands, and since when. */
function Standing({ of: { state, paused, since } }: { readonly of: ReleaseSummary }) {
  return (
    <>
      <ReleaseStatus state={state} paused={paused} />
      <Time at={since} />
    </>
  )
}

export function GateList({ rows }: { readonly rows: readonly WaitingGate[] }) {
  const { text } = useText()
  return (
    <SteadyList
      rows={rows}
      question="home"
      keyOf={({ release }) => `${release.id} ${release.batch}`}
      row={({ release }) => ({
        main: <Go to={pathTo('release', { release: release.id })}>{release.workload.name}</Go>,
        note: (
          <small>
            {text('release.one', { number: release.number })} ·{' '}
            {text('release.batch', { number: release.batch + 1 })}
          </small>
        ),
        side: <Standing of={release} />,
      })}
    />
  )
}

export function ReleaseList({ rows }: { readonly rows: readonly ReleaseSummary[] }) {
  const { language } = useText()
  return (
    <SteadyList
      rows={rows}
      question="home"
      keyOf={({ id }) => id}
      row={(release) => {
        const said = release.reason && releaseText(language, release.reason.code, release.reason.params)
        return {
          main: (
            <span>
              <Go to={pathTo('workload', { workload: release.workload.id })}>{release.workload.name}</Go>{' '}
              <ReleaseLink id={release.id} number={release.number} />
            </span>
          ),
          note: said && <small title={said}>{said}</small>,
          side: <Standing of={release} />,
        }
      }}
    />
  )
}

export function WorkloadList({ rows }: { readonly rows: readonly WorkloadState[] }) {
  const { text } = useText()
  return (
    <SteadyList
      rows={rows}
      question="home"
      keyOf={({ workload }) => workload.id}
      row={({ workload, health, instances, trouble, serving }) => ({
        main: <Go to={pathTo('workload', { workload: workload.id })}>{workload.name}</Go>,
        note: trouble !== '' && <small title={trouble}>{trouble}</small>,
        side: (
          <>
            {serving && <ReleaseLink id={serving.id} number={serving.number} />}
            <span className="number">{text('workload.instancesShort', instances)}</span>
            <HealthStatus health={health} />
          </>
        ),
      })}
    />
  )
}

/** Clusters that do not answer. */
export function ClusterList({ rows }: { readonly rows: readonly Cluster[] }) {
  const { text } = useText()
  const format = useFormat()
  if (rows.length === 0) return null
  return (
    <SteadyList
      rows={rows}
      question="home"
      keyOf={({ id }) => id}
      row={({ id, name, health }) => ({
        main: (
          <Go to={pathTo('cluster', { cluster: id })}>
            {text('home.clusterUnknown', { name, time: format.clockTime(health.since) })}
          </Go>
        ),
        side: <Status tone="warn">{text('workload.health.Unknown')}</Status>,
      })}
    />
  )
}

/** Requests for Locations that wait for somebody's decision. */
export function GrantList({ rows }: { readonly rows: readonly LocationGrant[] }) {
  const { text } = useText()
  if (rows.length === 0) return null
  return (
    <SteadyList
      rows={rows}
      question="home"
      keyOf={({ id }) => id}
      row={(grant) => ({
        main: (
          <Go to={pathTo('location', { location: grant.location.id })}>
            {text('location.asks', { project: grant.project.slug, location: grant.location.slug })}
          </Go>
        ),
        note: grant.reason !== '' && <small title={grant.reason}>{grant.reason}</small>,
        side: (
          <>
            <GrantStatus grant={grant} />
            <Time at={grant.requestedAt} />
          </>
        ),
      })}
    />
  )
}
