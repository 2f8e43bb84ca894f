import type { Platform } from '../context.ts'
import type { Reconciler } from '../control/index.ts'
import type { PlaceFinders } from '../http/authorize.ts'
import type { Routes } from '../http/index.ts'
import { accessRoutes } from './access/index.ts'
import { appRoutes, findApplication, findWorkload } from './app/index.ts'
import { auditRoutes } from './audit/index.ts'
import { identityRoutes, userNames } from './identity/index.ts'
import { findEnvironment, findOrganization, findProject, tenancyRoutes } from './tenancy/index.ts'

/** All modules, put together by hand: what they serve, what they reconcile, where their objects belong. */
export type Modules = AsyncDisposable & {
  readonly addRoutes: (routes: Routes) => void
  readonly reconcilers: readonly Reconciler[]
  readonly finders: PlaceFinders
}

export function modulesOf(_platform: Platform): Modules {
  return {
    addRoutes(routes) {
      identityRoutes(routes)
      tenancyRoutes(routes)
      accessRoutes(routes, {
        userNames,
        findProjectOrganization: async (db, id) => (await findProject(db, id))?.organizationId,
      })
      auditRoutes(routes)
      appRoutes(routes)
    },
    reconcilers: [],
    finders: {
      organization: async (db, id) => {
        const organization = await findOrganization(db, id)
        return organization && { organizationId: organization.id, projectId: null }
      },
      project: async (db, id) => {
        const project = await findProject(db, id)
        return project && { organizationId: project.organizationId, projectId: project.id }
      },
      environment: findEnvironment,
      application: findApplication,
      workload: findWorkload,
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
}
