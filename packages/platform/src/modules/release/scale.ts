/* How many Instances a Workload runs, and how many a Release ends with, as people say it. */
import type { WorkloadTemplate } from '@slipway/contract'

import type { Ctx } from '../../context.ts'
import { httpErrors } from '../../http/errors.ts'
import type { Db } from '../../tables.ts'
import { setInstances, type Workload } from '../app/index.ts'
import { releaseErrors } from './errors.ts'
import { countedProcessOf, isEnded } from './model.ts'
import { settleCounts, type SettledCounts } from './counts.ts'
import * as queries from './queries.ts'
import { demandNow } from './shape.ts'
import { record } from './journal.ts'

/** @throws {AppError} `release_stopped`, `release_stops` */
export async function countsFor(
  ctx: Ctx,
  workload: Workload,
  { template, asked }: { readonly template: WorkloadTemplate; readonly asked: Workload['instances'] },
): Promise<SettledCounts> {
  const counts = settleCounts({
    template,
    current: workload.instances,
    asked,
    serving: await servingDemand(ctx.db, workload),
  })
  if (!('kind' in counts)) return counts
  const { process } = counts
  if (counts.kind === 'stopped') throw releaseErrors.release_stopped({ process, workload: workload.name })
  throw releaseErrors.release_stops({ process, serving: counts.serving, workload: workload.name })
}

/** Instances of the version that serves, as people ask for them; 0 when none does. */
export async function servingDemand(db: Db, workload: Workload): Promise<number> {
  const head = await queries.findHead(db, workload.id)
  const serving = head?.servingId ? await queries.findRelease(db, head.servingId) : undefined
  return serving ? demandNow(serving, workload.instances) : 0
}

/**
 * Sets how many Instances of processes run. A Release under way ends with as many, and so does the version that is kept for
 * the way back.
 */
export async function scaleWorkload(
  ctx: Ctx,
  id: string,
  instances: Readonly<Record<string, number>>,
): Promise<Workload> {
  const workload = await setInstances(ctx, id, instances)
  const head = await queries.findHead(ctx.db, id)
  const open = await queries.findActive(ctx.db, id)
  const active = open && (await queries.lockRelease(ctx.db, open.id))
  await refuseUnknown(ctx.db, id, Object.keys(instances))
  if (active && !isEnded(active.state)) {
    const changed = { ...active, instances: { ...active.instances, ...instances } }
    if (!(await queries.advanceRelease(ctx.db, changed))) throw httpErrors.generation_conflict()
    await record(ctx, changed, 'scaled', { instances: written(instances) })
  }
  const retained = head?.retainedId ? await queries.findRelease(ctx.db, head.retainedId) : undefined
  const count = retained && instances[countedProcessOf(retained.template)]
  if (head && count !== undefined) await queries.putHead(ctx.db, { ...head, retainedInstances: count })
  return workload
}

function written(instances: Readonly<Record<string, number>>): string {
  return Object.entries(instances)
    .map(([process, count]) => `${process}=${count}`)
    .join(' ')
}

/** Refuses names that no process has of what serves or is being released; before the first Release there is none. */
export async function refuseUnknown(db: Db, workloadId: string, names: readonly string[]): Promise<void> {
  const head = await queries.findHead(db, workloadId)
  const active = await queries.findActive(db, workloadId)
  const serving = head?.servingId ? await queries.findRelease(db, head.servingId) : undefined
  const templates = [active, serving].flatMap((one) => (one ? [one.template.processes] : []))
  if (templates.length > 0)
    refuseUnknownProcesses(
      { processes: Object.assign({}, ...templates) as WorkloadTemplate['processes'] },
      names,
    )
}

export function refuseUnknownProcesses(template: WorkloadTemplate, names: readonly string[]): void {
  const unknown = names.find((name) => template.processes[name] === undefined)
  if (unknown !== undefined)
    throw releaseErrors.process_unknown({
      process: unknown,
      known: Object.keys(template.processes).join(', '),
    })
}
