import type { ControlContext } from '../../../control/index.ts'
import { labels } from '../manifests.ts'
import { entranceTroubleOf, isReady, statusOf, type Seen } from '../observe.ts'
import type { Release } from '../model.ts'
import { appendReleaseEvent } from '../queries.ts'
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
  // What the gateway cannot serve is wrong even where all Instances are well.
  const trouble = (isWell ? '' : statusOf(seen, workload, serving).trouble) || entranceTroubleOf(seen)
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
  await context.transact(async (db) => {
    await putHealth(db, after)
    // Of what is wrong with a Workload whose Instances are well there is only this, and a Release that ended shows nothing of it.
    if (isWell && trouble !== '' && before?.trouble !== trouble)
      await appendReleaseEvent(db, entranceEvent(context, serving, trouble))
  })
}

function entranceEvent(context: ControlContext, serving: Release, problem: string) {
  return {
    releaseId: serving.id,
    organizationId: serving.organizationId,
    at: context.clock.now(),
    kind: 'note' as const,
    batch: serving.batch,
    actor: 'system',
    code: 'entrance_lost',
    params: { problem },
  }
}
