import { VARIABLES_MAX, type Placement } from '@slipway/contract'
import { isForeignKeyViolation, isUniqueViolation } from '@slipway/db'
import { must, type Envelope } from '@slipway/kit'

import type { Ctx } from '../../context.ts'
import { wake } from '../../control/index.ts'
import { findEnvironment, findProject } from '../tenancy/index.ts'
import { found } from '../../http/errors.ts'
import { appErrors } from './errors.ts'
import {
  KEEP_SECONDS_DEFAULT,
  namespaceOf,
  type Application,
  type ConfigRevision,
  type StoredVariable,
  type Variable,
  type Workload,
} from './model.ts'
import { changeVariables, type VariableChange } from './plan.ts'
import * as queries from './queries.ts'

/** The reconciler that brings a Workload's wishes to its Cluster. */
export const WORKLOAD_RECONCILER = 'release'

export async function createApplication(
  ctx: Ctx,
  input: { readonly projectId: string; readonly slug: string; readonly name?: string | undefined },
): Promise<Application> {
  const project = found(await findProject(ctx.db, input.projectId))
  const application: Application = {
    id: ctx.newId('app'),
    organizationId: project.organizationId,
    projectId: project.id,
    slug: input.slug,
    name: input.name ?? input.slug,
    createdAt: ctx.now,
  }
  try {
    await queries.insertApplication(ctx.db, application)
  } catch (thrown) {
    if (isUniqueViolation(thrown)) throw appErrors.slug_taken({ slug: input.slug }, { cause: thrown })
    throw thrown
  }
  ctx.note({ target: `application:${application.id}`, detail: { slug: application.slug } })
  return application
}

export async function renameApplication(ctx: Ctx, id: string, name: string): Promise<Application> {
  ctx.note({ detail: { name } })
  return found(await queries.renameApplication(ctx.db, id, name))
}

export async function deleteApplication(ctx: Ctx, id: string): Promise<void> {
  try {
    await queries.deleteApplication(ctx.db, id)
  } catch (thrown) {
    if (isForeignKeyViolation(thrown)) throw appErrors.application_not_empty(undefined, { cause: thrown })
    throw thrown
  }
}

export async function createWorkload(
  ctx: Ctx,
  applicationId: string,
  environmentId: string,
): Promise<Workload> {
  const application = found(await queries.findApplication(ctx.db, applicationId))
  const environment = found(await findEnvironment(ctx.db, environmentId))
  if (environment.projectId !== application.projectId) throw appErrors.environment_elsewhere()
  const project = must(await findProject(ctx.db, application.projectId), 'an Application has a Project')
  const wanted = {
    id: ctx.newId('wrk'),
    organizationId: application.organizationId,
    projectId: project.id,
    applicationId: application.id,
    environmentId: environment.id,
    clusterId: environment.clusterId,
    name: `${project.slug}/${application.slug}/${environment.slug}`,
    namespace: namespaceOf(project.slug, environment),
    instances: {},
    restarts: {},
    placement: {},
    pool: null,
    configRevision: 1,
    keepSeconds: KEEP_SECONDS_DEFAULT,
    urls: [],
    deleting: false,
    generation: 1,
    createdAt: ctx.now,
  }
  const workload = await insertNew(ctx, wanted)
  await queries.insertConfigRevision(ctx.db, {
    workloadId: workload.id,
    organizationId: workload.organizationId,
    revision: 1,
    variables: [],
    comment: '',
    createdBy: ctx.account.name,
    createdAt: ctx.now,
  })
  ctx.note({ target: `workload:${workload.id}`, detail: { name: workload.name } })
  await wake(ctx.db, WORKLOAD_RECONCILER, workload.id)
  return workload
}

async function insertNew(ctx: Ctx, workload: Omit<Workload, 'ordinal'>): Promise<Workload> {
  try {
    return await queries.insertWorkload(ctx.db, workload)
  } catch (thrown) {
    if (isUniqueViolation(thrown)) throw appErrors.workload_exists(undefined, { cause: thrown })
    throw thrown
  }
}

/** The Workload, locked, unless it is being deleted. */
export async function changeableWorkload(ctx: Pick<Ctx, 'db'>, id: string): Promise<Workload> {
  const workload = found(await queries.lockWorkload(ctx.db, id))
  if (workload.deleting) throw appErrors.workload_deleting()
  return workload
}

async function change(ctx: Ctx, id: string, values: queries.WorkloadChange): Promise<Workload> {
  const workload = found(await queries.updateWorkload(ctx.db, id, values))
  await wake(ctx.db, WORKLOAD_RECONCILER, id)
  return workload
}

/** @param refuse - throws when the Workload may not run in the Pool */
export async function updateWorkload(
  ctx: Ctx,
  id: string,
  {
    values,
    refuse,
  }: {
    readonly values: {
      readonly keepSeconds?: number | undefined
      readonly pool?: string | null | undefined
    }
    readonly refuse: (ctx: Ctx, workload: Workload, pool: string) => Promise<unknown>
  },
): Promise<Workload> {
  const workload = await changeableWorkload(ctx, id)
  const { pool, keepSeconds } = values
  if (pool !== undefined && pool !== null) await refuse(ctx, workload, pool)
  ctx.note({ detail: { ...values } })
  return change(ctx, id, {
    ...(pool === undefined ? {} : { pool }),
    ...(keepSeconds === undefined ? {} : { keepSeconds }),
  })
}

/** Sets the demand: how many Instances of processes run. The release engine divides it between versions. */
export async function setInstances(
  ctx: Ctx,
  id: string,
  instances: Readonly<Record<string, number>>,
): Promise<Workload> {
  const workload = await changeableWorkload(ctx, id)
  ctx.note({ detail: { before: workload.instances, instances } })
  return change(ctx, id, { instances: { ...workload.instances, ...instances } })
}

/** @param placement - null takes back what was set, so that the Image decides again */
export async function setPlacement(
  ctx: Ctx,
  id: string,
  { process, placement }: { readonly process: string; readonly placement: Placement | null },
): Promise<Workload> {
  const workload = await changeableWorkload(ctx, id)
  const { [process]: _, ...others } = workload.placement
  ctx.note({ detail: { process, placement } })
  return change(ctx, id, { placement: placement === null ? others : { ...others, [process]: placement } })
}

/** @param process - without it, every process */
export async function restartWorkload(ctx: Ctx, id: string, process: string | undefined): Promise<Workload> {
  const workload = await changeableWorkload(ctx, id)
  ctx.note({ detail: { process: process ?? null } })
  return change(ctx, id, { restarts: { ...workload.restarts, [process ?? '*']: ctx.now.toISOString() } })
}

/** Marks a Workload for deletion; the reconciler takes its objects off the Cluster and then the rows. */
export async function deleteWorkload(ctx: Ctx, id: string): Promise<void> {
  const workload = found(await queries.lockWorkload(ctx.db, id))
  ctx.note({ detail: { name: workload.name } })
  await change(ctx, id, { deleting: true })
}

export async function setVariables(
  ctx: Ctx,
  id: string,
  input: VariableChange & { readonly comment: string },
): Promise<ConfigRevision> {
  const workload = await changeableWorkload(ctx, id)
  const current = must(
    await queries.findConfigRevision(ctx.db, id, workload.configRevision),
    'the current revision exists',
  )
  const changed = changeVariables(openVariables(ctx.envelope, current), input)
  if (changed.kind === 'unknown') throw appErrors.variable_unknown({ name: changed.name })
  if (changed.kind === 'reserved') throw appErrors.variable_reserved({ name: changed.name })
  if (changed.kind === 'unchanged') throw appErrors.variables_unchanged()
  if (changed.variables.length > VARIABLES_MAX) throw appErrors.variables_too_many({ max: VARIABLES_MAX })
  const number = (await queries.lastConfigRevision(ctx.db, id)) + 1
  const revision: ConfigRevision = {
    workloadId: id,
    organizationId: workload.organizationId,
    revision: number,
    variables: changed.variables.map((variable) => sealVariable(ctx.envelope, workload, number, variable)),
    comment: input.comment,
    createdBy: ctx.account.name,
    createdAt: ctx.now,
  }
  await queries.insertConfigRevision(ctx.db, revision)
  await change(ctx, id, { configRevision: number })
  ctx.note({ detail: { revision: number, set: input.set.map(({ name }) => name), remove: input.remove } })
  return revision
}

function sealVariable(
  envelope: Envelope,
  workload: Pick<Workload, 'id' | 'organizationId'>,
  revision: number,
  variable: Variable,
): StoredVariable {
  if (!variable.secret) return variable
  const value = envelope.seal(variable.value, [
    workload.organizationId,
    'variable',
    workload.id,
    String(revision),
    variable.name,
  ])
  return { ...variable, value }
}

/** The variables of a revision with secret values in the clear, for the Cluster and for nobody else. */
export function openVariables(envelope: Envelope, revision: ConfigRevision): Variable[] {
  return revision.variables.map((variable) => {
    if (!variable.secret) return variable
    const owner = [
      revision.organizationId,
      'variable',
      revision.workloadId,
      String(revision.revision),
      variable.name,
    ] as const
    return { ...variable, value: envelope.open(variable.value, owner).toString('utf8') }
  })
}
