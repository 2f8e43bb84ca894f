import type { Cluster, ReleaseSummary, WaitingGate, WorkloadState } from '@slipway/contract'
import { releaseText } from '@slipway/messages'
import type { ReactNode } from 'react'

import { ReleaseLink, ReleaseStatus } from '../../objects/release.tsx'
import { HealthStatus } from '../../objects/workload.tsx'
import { useFormat } from '../../preferences/format.ts'
import { useText } from '../../preferences/text.ts'
import { pathTo } from '../../routes/path.ts'
import { Go } from '../../ui/go.tsx'
import { Status } from '../../ui/status.tsx'
import { NewRows } from '../../ui/steady/new-rows.tsx'
import { useSteady } from '../../ui/steady/use-steady.ts'
import { Time } from '../../ui/time.tsx'

type ListProps<Row> = {
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
  readonly row: (row: Row) => RowParts
}
type RowParts = {
  readonly main: ReactNode
  /** Below it, smaller. */
  readonly note?: ReactNode
  readonly side: ReactNode
}

/** A short list; no row of it moves under the pointer. */
function List<Row>({ rows, keyOf, row }: ListProps<Row>) {
  const steady = useSteady(rows, keyOf, 'home')
  return (
    <>
      <ul className="list" {...steady.pointer}>
        {steady.rows.map((one) => {
          const { main, note, side } = row(one)
          return (
            <li key={keyOf(one)} className={steady.gone.has(keyOf(one)) ? 'is-gone' : ''}>
              <span className="list-main">
                {main}
                {note}
              </span>
              <span className="list-side">{side}</span>
            </li>
          )
        })}
      </ul>
      <NewRows of={steady} />
    </>
  )
}

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
    <List
      rows={rows}
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
    <List
      rows={rows}
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
    <List
      rows={rows}
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
    <List
      rows={rows}
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
