/* Where Instances may run, as people wish it, settled when a Release begins. */
import { neighbourKey, type Placement, type Process, type WorkloadTemplate } from '@slipway/contract'

import { AppError } from '@slipway/kit'

import type { Ctx } from '../../context.ts'
import type { Db } from '../../tables.ts'
import { partsOf, setPlacement, workloadsNamed, type Workload } from '../app/index.ts'
import { releaseErrors } from './errors.ts'
import { refuseUnknown } from './scale.ts'

/** Sets it for a process of what runs or is being released. */
export async function place(
  ctx: Ctx,
  id: string,
  input: { readonly process: string; readonly placement: Placement | null },
): Promise<Workload> {
  const workload = await setPlacement(ctx, id, input)
  if (input.placement === null) return workload
  await refuseUnknown(ctx.db, id, [input.process])
  await neighboursOf(ctx.db, workload, { [input.process]: input.placement })
  return workload
}

/**
 * An Image's template as this Workload releases it: with the placement that people set, and the Workloads that it names.
 * @throws {AppError} `placement_neighbour_unknown`
 */
export async function settleTemplate(
  db: Db,
  workload: Workload,
  template: WorkloadTemplate,
): Promise<WorkloadTemplate> {
  const processes = Object.fromEntries(
    Object.entries(template.processes).map(([name, process]): [string, Process] => {
      const placement = workload.placement[name] ?? process.placement
      return [name, placement === undefined ? process : { ...process, placement }]
    }),
  )
  const placements = Object.entries(processes).flatMap(([name, { placement }]) =>
    placement === undefined ? [] : [[name, placement] as const],
  )
  const neighbours = await neighboursOf(db, workload, Object.fromEntries(placements))
  const { neighbours: _, ...settled } = template
  return { ...settled, processes, ...(Object.keys(neighbours).length > 0 && { neighbours }) }
}

/**
 * Short name of the Pool in which a Workload runs that wants this one, or says nothing; undefined for anywhere.
 * @throws {AppError} when there is no such Pool, or another Project rents it
 */
export type SettlePool = (
  ctx: Pick<Ctx, 'db' | 'now'>,
  workload: Workload,
  wanted: string | undefined,
) => Promise<string | undefined>

/** The template in the Pool that people or the Image name, else in the Project's default. */
export async function pooled(
  ctx: Ctx,
  settlePool: SettlePool,
  { workload, template }: { readonly workload: Workload; readonly template: WorkloadTemplate },
): Promise<WorkloadTemplate> {
  return inPool(template, await settlePool(ctx, workload, workload.pool ?? template.pool))
}

/** A template that one returns to, in its Pool as long as that may be: the way back must not end at a Pool that is gone. */
export async function pooledAgain(
  ctx: Ctx,
  settlePool: SettlePool,
  { workload, template }: { readonly workload: Workload; readonly template: WorkloadTemplate },
): Promise<WorkloadTemplate> {
  if (template.pool === undefined) return template
  try {
    return inPool(template, await settlePool(ctx, workload, template.pool))
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown
    return inPool(template, await settlePool(ctx, workload, undefined))
  }
}

function inPool(template: WorkloadTemplate, pool: string | undefined): WorkloadTemplate {
  const { pool: _, ...rest } = template
  return pool === undefined ? rest : { ...rest, pool }
}

async function neighboursOf(
  db: Db,
  workload: Workload,
  placements: Readonly<Record<string, Placement>>,
): Promise<NonNullable<WorkloadTemplate['neighbours']>> {
  const own = partsOf(workload)
  const named = Object.entries(placements).flatMap(([process, { apart, together }]) =>
    [...apart, ...together].map((neighbour) => ({
      process,
      key: neighbourKey(neighbour),
      name: `${own.project}/${neighbour.application}/${neighbour.environment ?? own.environment}`,
    })),
  )
  if (named.length === 0) return {}
  const names = [...new Set(named.map(({ name }) => name))]
  const found = new Map((await workloadsNamed(db, workload.projectId, names)).map((one) => [one.name, one]))
  return Object.fromEntries(
    named.map(({ process, key, name }) => {
      const one = found.get(name)
      if (!one) throw releaseErrors.placement_neighbour_unknown({ process, neighbour: key, name })
      return [key, { workload: one.id, namespace: one.namespace }]
    }),
  )
}
