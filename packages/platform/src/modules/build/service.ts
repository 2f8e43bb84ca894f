import { tailOf } from '@slipway/kit'

import type { Ctx, RequestContext } from '../../context.ts'
import { wake } from '../../control/index.ts'
import { found } from '../../http/errors.ts'
import type { Db } from '../../tables.ts'
import { findApplication } from '../app/index.ts'
import { resolveCluster } from '../fleet/index.ts'
import { requireSource, type Repositories } from '../source/index.ts'
import { findEnvironment, findProject } from '../tenancy/index.ts'
import { buildErrors } from './errors.ts'
import { isEnded, QUEUE_PER_PROJECT, type Build } from './model.ts'
import * as queries from './queries.ts'

export const BUILD_RECONCILER = 'build'

export type Wanted = {
  readonly applicationId: string
  readonly environmentId: string | undefined
  readonly commit: string
  readonly ref: string
  readonly isDefaultBranch: boolean
}

/** What a ref means now; asked before anything is stored, so that a wrong one is told at once. */
export async function resolveForBuild(
  ctx: RequestContext,
  repositories: Repositories,
  applicationId: string,
  ref: string | undefined,
): Promise<Pick<Wanted, 'commit' | 'ref' | 'isDefaultBranch'>> {
  const source = await ctx.read((db) => requireSource(db, applicationId))
  return repositories.resolve(source, ref, ctx.signal)
}

/** Puts a build into the queue. @throws {AppError} `build_queue_full`, `cluster_unknown` */
export async function startBuild(ctx: Ctx, wanted: Wanted): Promise<Build> {
  const application = found(await findApplication(ctx.db, wanted.applicationId))
  const project = found(await findProject(ctx.db, application.projectId))
  if ((await queries.waitingInProject(ctx.db, project.id)) >= QUEUE_PER_PROJECT)
    throw buildErrors.build_queue_full({ max: QUEUE_PER_PROJECT }, { retryAfterSeconds: 60 })
  const clusterId = await clusterFor(ctx.db, wanted.environmentId, project.id)
  const build: Build = {
    id: ctx.newId('bld'),
    organizationId: application.organizationId,
    projectId: project.id,
    applicationId: application.id,
    number: await queries.nextNumber(ctx.db, application.id),
    ref: wanted.ref,
    commit: wanted.commit,
    isDefaultBranch: wanted.isDefaultBranch,
    clusterId,
    namespace: `${project.slug}-build-${tailOf(project.id)}`,
    state: 'Queued',
    attempt: 0,
    manifest: null,
    language: null,
    base: null,
    template: null,
    jobMade: false,
    sourceTaken: false,
    isolation: null,
    progress: 'queued',
    report: null,
    image: null,
    reason: null,
    cancelRequested: false,
    cleaned: false,
    generation: 1,
    createdBy: ctx.account.name,
    createdAt: ctx.now,
    startedAt: null,
    endedAt: null,
  }
  await queries.insertBuild(ctx.db, build)
  ctx.note({ target: `build:${build.id}`, detail: { number: build.number, commit: build.commit } })
  await wake(ctx.db, BUILD_RECONCILER, build.id)
  return build
}

async function clusterFor(db: Db, environmentId: string | undefined, projectId: string): Promise<string> {
  if (environmentId === undefined) return resolveCluster(db, undefined)
  const environment = found(await findEnvironment(db, environmentId))
  return found(environment.projectId === projectId ? environment.clusterId : undefined)
}

/** Asks for the end of a build. One that waits has ended with this; one that runs ends within seconds. */
export async function cancelBuild(ctx: Ctx, id: string): Promise<Build> {
  const build = found(await queries.lockBuild(ctx.db, id))
  if (isEnded(build.state)) throw buildErrors.build_ended({ number: build.number, state: build.state })
  const change =
    build.state === 'Queued'
      ? { state: 'Cancelled' as const, progress: '', endedAt: ctx.now, cancelRequested: true }
      : { cancelRequested: true }
  await wake(ctx.db, BUILD_RECONCILER, id)
  return found(await queries.advanceBuild(ctx.db, build, change))
}
