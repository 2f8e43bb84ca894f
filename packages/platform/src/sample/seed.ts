import type { ControlContext } from '../control/index.ts'
import { createApplication, createWorkload } from '../modules/app/index.ts'
import { resolveCluster } from '../modules/fleet/index.ts'
import { setSource } from '../modules/source/index.ts'
import {
  createEnvironment,
  createOrganization,
  createProject,
  findOrganizationBySlug,
  findProjectBySlug,
  type Organization,
} from '../modules/tenancy/index.ts'
import type { Db } from '../tables.ts'
import type { SampleRepository } from './make-repositories.ts'
import { actAsSystem } from './system-account.ts'

const ORGANIZATION = 'demo'
const PROJECT = 'sample'
const ENVIRONMENT = 'production'
const APPLICATION = 'hello'

/**
 * Makes everything of the sample up to its Workload, in the caller's transaction.
 * @returns the Workload's id; empty when a person has a Project of that name already
 */
export async function seedSample(
  context: ControlContext,
  db: Db,
  repository: Pick<SampleRepository, 'path' | 'branch'>,
): Promise<string> {
  if (await findProjectBySlug(db, PROJECT)) return ''
  const clusterId = await resolveCluster(db, undefined)
  const organization = await findOrMakeOrganization(context, db)
  const inOrganization = { organizationId: organization.id }
  const project = await actAsSystem(context, db, { action: 'project.create', ...inOrganization }, (ctx) =>
    createProject(ctx, { slug: PROJECT, name: 'Sample', organizationId: organization.id }),
  )
  const inProject = { ...inOrganization, projectId: project.id }
  const environment = await actAsSystem(context, db, { action: 'environment.create', ...inProject }, (ctx) =>
    createEnvironment(ctx, { slug: ENVIRONMENT, name: 'Production', projectId: project.id, clusterId }),
  )
  const application = await actAsSystem(context, db, { action: 'application.create', ...inProject }, (ctx) =>
    createApplication(ctx, { slug: APPLICATION, name: 'Hello', projectId: project.id }),
  )
  const target = `application:${application.id}`
  await actAsSystem(context, db, { action: 'source.set', target, ...inProject }, (ctx) =>
    setSource(ctx, {
      applicationId: application.id,
      url: repository.path,
      defaultBranch: repository.branch,
      credentials: null,
    }),
  )
  const workload = await actAsSystem(context, db, { action: 'workload.create', ...inProject }, (ctx) =>
    createWorkload(ctx, application.id, environment.id),
  )
  return workload.id
}

async function findOrMakeOrganization(context: ControlContext, db: Db): Promise<Organization> {
  const found = await findOrganizationBySlug(db, ORGANIZATION)
  if (found) return found
  return actAsSystem(context, db, { action: 'organization.create' }, (ctx) =>
    createOrganization(ctx, { slug: ORGANIZATION, name: 'Demo', parentId: null }),
  )
}
