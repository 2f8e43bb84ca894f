import { contract } from '@slipway/contract'
import { pageOf } from '@slipway/kit'

import type { Ctx } from '../../context.ts'
import { found } from '../../http/errors.ts'
import type { Routes } from '../../http/index.ts'
import { databaseScopeOf, projectFilterOf } from '../access/index.ts'
import * as queries from './queries.ts'
import * as service from './service.ts'
import { environmentView, organizationView, projectView } from './views.ts'

export type TenancyPorts = {
  /** Id of the Cluster that an Environment of a Project goes to. @throws {AppError} when it may go nowhere */
  readonly placeEnvironment: (
    ctx: Pick<Ctx, 'db' | 'now'>,
    projectId: string,
    wish: { readonly cluster?: string | undefined; readonly location?: string | undefined },
  ) => Promise<string>
}

export function tenancyRoutes(routes: Routes, ports: TenancyPorts): void {
  organizationRoutes(routes)
  projectRoutes(routes)
  environmentRoutes(routes, ports)
}

function organizationRoutes(routes: Routes): void {
  routes.on(contract.listOrganizations, async ({ query }, ctx) =>
    pageOf(
      await queries.listOrganizations(ctx.db, databaseScopeOf(ctx.account.access), query),
      query.limit,
      organizationView,
      (one) => [one.slug],
    ),
  )
  routes.on(contract.createOrganization, async ({ body }, ctx) =>
    organizationView(await service.createOrganization(ctx, { ...body, parentId: null })),
  )
  routes.on(contract.createSuborganization, async ({ params, body }, ctx) =>
    organizationView(await service.createOrganization(ctx, { ...body, parentId: params.organization })),
  )
  routes.on(contract.getOrganization, async ({ params }, ctx) =>
    organizationView(found(await queries.findOrganization(ctx.db, params.organization))),
  )
  routes.on(contract.updateOrganization, async ({ params, body }, ctx) =>
    organizationView(await service.renameOrganization(ctx, params.organization, body.name)),
  )
  routes.on(contract.deleteOrganization, async ({ params }, ctx) =>
    service.deleteOrganization(ctx, params.organization),
  )
}

function projectRoutes(routes: Routes): void {
  routes.on(contract.listProjects, async ({ query }, ctx) =>
    pageOf(
      await queries.listProjects(ctx.db, projectFilterOf(ctx.account.access, 'project:read'), query),
      query.limit,
      projectView,
      (one) => [one.slug],
    ),
  )
  routes.on(contract.createProject, async ({ params, body }, ctx) =>
    projectView(await service.createProject(ctx, { ...body, organizationId: params.organization })),
  )
  routes.on(contract.getProject, async ({ params }, ctx) =>
    projectView(found(await queries.findProject(ctx.db, params.project))),
  )
  routes.on(contract.updateProject, async ({ params, body }, ctx) =>
    projectView(await service.renameProject(ctx, params.project, body.name)),
  )
  routes.on(contract.deleteProject, async ({ params }, ctx) => service.deleteProject(ctx, params.project))
}

function environmentRoutes(routes: Routes, { placeEnvironment }: TenancyPorts): void {
  routes.on(contract.listEnvironments, async ({ params, query }, ctx) =>
    pageOf(
      await queries.listEnvironments(ctx.db, params.project, query),
      query.limit,
      environmentView,
      (one) => [one.slug],
    ),
  )
  routes.on(contract.createEnvironment, async ({ params, body: { cluster, location, ...names } }, ctx) => {
    const clusterId = await placeEnvironment(ctx, params.project, { cluster, location })
    return environmentView(
      await service.createEnvironment(ctx, { ...names, projectId: params.project, clusterId }),
    )
  })
  routes.on(contract.getEnvironment, async ({ params }, ctx) =>
    environmentView(found(await queries.findEnvironment(ctx.db, params.environment))),
  )
  routes.on(contract.updateEnvironment, async ({ params, body }, ctx) =>
    environmentView(await service.renameEnvironment(ctx, params.environment, body.name)),
  )
  routes.on(contract.deleteEnvironment, async ({ params }, ctx) =>
    service.deleteEnvironment(ctx, params.environment),
  )
}
