import type { Cluster, ReleaseSummary, WaitingGate, WorkloadState } from '@slipway/contract'
import { releaseText } from '@slipway/messages'

import { ReleaseLink, ReleaseStatus } from '../../objects/release.tsx'
import { HealthStatus } from '../../objects/workload.tsx'
import { useFormat } from '../../preferences/format.ts'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { Go } from '../../ui/go.tsx'
import { Status } from '../../ui/status.tsx'
import { Time } from '../../ui/time.tsx'

export function GateList({ rows }: { readonly rows: readonly WaitingGate[] }) {
  const { text } = useText()
  return (
    <ul className="list">
      {rows.map(({ release }) => (
        <li key={release.id}>
          <span className="list-main">
            <Go to={pathTo('release', { release: release.id })}>{release.workload.name}</Go>
            <small>
              {text('release.one', { number: release.number })} ·{' '}
              {text('release.batch', { number: release.batch + 1 })}
            </small>
          </span>
          <span className="list-side">
            <ReleaseStatus state={release.state} paused={release.paused} />
            <Time at={release.since} />
          </span>
        </li>
      ))}
    </ul>
  )
}

export function ReleaseList({ rows }: { readonly rows: readonly ReleaseSummary[] }) {
  const { language } = useText()
  return (
    <ul className="list">
      {rows.map((release) => (
        <li key={release.id}>
          <span className="list-main">
            <span>
              <Go to={pathTo('workload', { workload: release.workload.id })}>{release.workload.name}</Go>{' '}
              <ReleaseLink id={release.id} number={release.number} />
            </span>
            {release.reason && (
              <small title={releaseText(language, release.reason.code, release.reason.params)}>
                {releaseText(language, release.reason.code, release.reason.params)}
              </small>
            )}
          </span>
          <span className="list-side">
            <ReleaseStatus state={release.state} paused={release.paused} />
            <Time at={release.since} />
          </span>
        </li>
      ))}
    </ul>
  )
}

export function WorkloadList({ rows }: { readonly rows: readonly WorkloadState[] }) {
  const { text } = useText()
  return (
    <ul className="list">
      {rows.map(({ workload, health, instances, trouble, serving }) => (
        <li key={workload.id}>
          <span className="list-main">
            <Go to={pathTo('workload', { workload: workload.id })}>{workload.name}</Go>
            {trouble !== '' && <small title={trouble}>{trouble}</small>}
          </span>
          <span className="list-side">
            {serving && <ReleaseLink id={serving.id} number={serving.number} />}
            <span className="number">{text('workload.instancesShort', instances)}</span>
            <HealthStatus health={health} />
          </span>
        </li>
      ))}
    </ul>
  )
}

/** Clusters that do not answer. */
export function ClusterList({ rows }: { readonly rows: readonly Cluster[] }) {
  const { text } = useText()
  const format = useFormat()
  if (rows.length === 0) return null
  return (
    <ul className="list">
      {rows.map(({ id, name, health }) => (
        <li key={id}>
          <span className="list-main">
            <Go to={pathTo('cluster', { cluster: id })}>
              {text('home.clusterUnknown', { name, time: format.clockTime(health.since) })}
            </Go>
          </span>
          <Status tone="warn">{text('workload.health.Unknown')}</Status>
        </li>
      ))}
    </ul>
  )
}
