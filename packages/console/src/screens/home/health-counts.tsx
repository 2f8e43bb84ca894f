import type { WorkloadHealth } from '@slipway/contract'

import { HealthStatus } from '../../objects/workload.tsx'
import { pathTo } from '../../routes/path.ts'
import { Go } from '../../ui/go.tsx'

const ORDER: readonly WorkloadHealth[] = ['Down', 'Degraded', 'Unknown', 'Healthy', 'Stopped', 'Unreleased']

/** How many Workloads are how; each number leads to those. */
export function HealthCounts({
  counts,
}: {
  readonly counts: Readonly<Partial<Record<WorkloadHealth, number>>>
}) {
  return (
    <ul className="health-counts">
      {ORDER.filter((health) => (counts[health] ?? 0) > 0 || health === 'Healthy').map((health) => (
        <li key={health}>
          <Go to={pathTo('workloads', undefined, { health })}>
            <strong className="number">{counts[health] ?? 0}</strong>
            <HealthStatus health={health} />
          </Go>
        </li>
      ))}
    </ul>
  )
}
