import type { ControlContext } from '../../../control/index.ts'
import { labels } from '../manifests.ts'
import { isReady, statusOf, type Seen } from '../observe.ts'
import type { State } from '../state.ts'
import type { Health } from './model.ts'
import { gradeOf } from './plan.ts'
import { putHealth } from './queries.ts'

/** Writes how a Workload is when that changed, for lists over many of them. */
export async function recordHealth(
  context: ControlContext,
  { workload, serving, active, health: before }: State,
  seen: Seen,
): Promise<void> {
  if (!serving) return
  const ready = seen.pods
    .filter((pod) => pod.metadata.deletionTimestamp === undefined && isReady(pod))
    .map(({ metadata }) => ({
      process: metadata.labels?.[labels.process] ?? '',
      hash: metadata.labels?.[labels.version] ?? '',
    }))
  const grade = gradeOf({ serving, active, instances: workload.instances, ready })
  const isWell = grade.health === 'Healthy' || grade.health === 'Stopped'
  const trouble = isWell ? '' : statusOf(seen, workload, serving).trouble
  const isSame =
    before?.health === grade.health &&
    before.ready === grade.ready &&
    before.wanted === grade.wanted &&
    before.trouble === trouble
  if (isSame) return
  const after: Health = {
    workloadId: workload.id,
    organizationId: workload.organizationId,
    ...grade,
    trouble,
    since: before?.health === grade.health ? before.since : context.clock.now(),
  }
  await context.transact((db) => putHealth(db, after))
}
