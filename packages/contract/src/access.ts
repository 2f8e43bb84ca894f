import { z } from 'zod'

import { ApplicationId, WorkloadId } from './app.ts'
import { EnvironmentId, OrganizationId, ProjectId } from './common.ts'
import { endpoint } from './endpoint.ts'
import { PlatformRole } from './identity.ts'
import { permissions } from './permissions.ts'
import { OrganizationRole } from './tenancy.ts'

/** A permission at a place: whether the caller has it, and who would have it. */
export const PermissionHolding = z.strictObject({
  permission: z.enum(permissions),
  allowed: z.boolean(),
  /** The least role that has it there; one of the platform where no role of an Organization or Project does. */
  role: z.enum([...OrganizationRole.options, ...PlatformRole.options]),
})
export type PermissionHolding = z.infer<typeof PermissionHolding>

/** The place of a question; none of them is the installation as a whole. */
const Place = z
  .strictObject({
    organization: OrganizationId.optional(),
    project: ProjectId.optional(),
    environment: EnvironmentId.optional(),
    application: ApplicationId.optional(),
    workload: WorkloadId.optional(),
  })
  .refine((place) => Object.values(place).filter((id) => id !== undefined).length <= 1, {
    message: 'one place at a time',
  })

export const access = {
  listPermissions: endpoint({
    method: 'GET',
    path: '/v1/account/permissions',
    auth: 'account',
    permission: 'self',
    rate: 'read',
    summary: 'Tell what the caller may do at one place, and which role could do the rest',
    description:
      'The place is an Organization, Project, Environment, Application or Workload; without one, the installation as a whole.',
    query: Place,
    status: 200,
    response: z.strictObject({ items: z.array(PermissionHolding) }),
  }),
} as const
