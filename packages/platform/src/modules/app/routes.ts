import type * as views from '@slipway/contract'
import { contract } from '@slipway/contract'
import { pageOf } from '@slipway/kit'

import type { Ctx } from '../../context.ts'
import type { Routes } from '../../http/index.ts'
import { projectFilterOf } from '../access/index.ts'
import { found } from '../../http/errors.ts'
import type { Application, ConfigRevision, Workload } from './model.ts'
import { shownVariables } from './plan.ts'
import * as queries from './queries.ts'
import * as service from './service.ts'
import { workloadView } from './views.ts'

export type AppPorts = {
  /** @throws {AppError} when the Workload may not run in the Pool */
  readonly settlePool: (
    ctx: Pick<Ctx, 'db' | 'now'>,
    workload: Workload,
    pool: string | undefined,
  ) => Promise<unknown>
}

export function appRoutes(routes: Routes, ports: AppPorts): void {
  applicationRoutes(routes)
  workloadRoutes(routes, ports)
  configRoutes(routes)
}

function applicationRoutes(routes: Routes): void {
  routes.on(contract.listApplications, async ({ query }, ctx) =>
    pageOf(
      await queries.listApplications(ctx.db, projectFilterOf(ctx.account.access, 'project:read'), query),
      query.limit,
      applicationView,
      (one) => [one.slug, one.id],
    ),
  )
  routes.on(contract.createApplication, async ({ params, body }, ctx) =>
    applicationView(await service.createApplication(ctx, { ...body, projectId: params.project })),
  )
  routes.on(contract.getApplication, async ({ params }, ctx) =>
    applicationView(found(await queries.findApplication(ctx.db, params.application))),
  )
  routes.on(contract.updateApplication, async ({ params, body }, ctx) =>
    applicationView(await service.renameApplication(ctx, params.application, body.name)),
  )
  routes.on(contract.deleteApplication, async ({ params }, ctx) =>
    service.deleteApplication(ctx, params.application),
  )
}

function workloadRoutes(routes: Routes, { settlePool }: AppPorts): void {
  routes.on(contract.listWorkloads, async ({ query }, ctx) =>
    pageOf(
      await queries.listWorkloads(ctx.db, projectFilterOf(ctx.account.access, 'project:read'), query),
      query.limit,
      workloadView,
      (one) => [one.name],
    ),
  )
  routes.on(contract.createWorkload, async ({ params, body }, ctx) =>
    workloadView(await service.createWorkload(ctx, params.application, body.environment)),
  )
  routes.on(contract.getWorkload, async ({ params }, ctx) =>
    workloadView(found(await queries.findWorkload(ctx.db, params.workload))),
  )
  routes.on(contract.updateWorkload, async ({ params, body }, ctx) =>
    workloadView(await service.updateWorkload(ctx, params.workload, { values: body, refuse: settlePool })),
  )
  routes.on(contract.deleteWorkload, async ({ params }, ctx) => {
    await service.deleteWorkload(ctx, params.workload)
    return { id: params.workload }
  })
}

function configRoutes(routes: Routes): void {
  routes.on(contract.listConfigRevisions, async ({ params, query }, ctx) =>
    pageOf(
      await queries.listConfigRevisions(ctx.db, params.workload, query),
      query.limit,
      revisionView,
      (one) => [String(one.revision)],
    ),
  )
  routes.on(contract.setVariables, async ({ params, body }, ctx) =>
    revisionView(await service.setVariables(ctx, params.workload, body)),
  )
}

function applicationView(application: Application): views.Application {
  return {
    id: application.id,
    projectId: application.projectId,
    slug: application.slug,
    name: application.name,
    createdAt: application.createdAt.toISOString(),
  }
}

function revisionView(revision: ConfigRevision): views.ConfigRevision {
  return {
    revision: revision.revision,
    variables: shownVariables(revision.variables),
    comment: revision.comment,
    createdBy: revision.createdBy,
    createdAt: revision.createdAt.toISOString(),
  }
}
