import { isForeignKeyViolation, isUniqueViolation } from '@slipway/db'
import { must, type AppError } from '@slipway/kit'

import type { Ctx } from '../../context.ts'
import { found } from '../../http/errors.ts'
import { tenancyErrors } from './errors.ts'
import { ORGANIZATION_DEPTH_MAX, type Environment, type Organization, type Project } from './model.ts'
import * as queries from './queries.ts'

type Names = { readonly slug: string; readonly name: string }

export async function createOrganization(
  ctx: Ctx,
  input: Names & { readonly parentId: string | null },
): Promise<Organization> {
  const parent =
    input.parentId === null
      ? undefined
      : must(await queries.findOrganization(ctx.db, input.parentId), 'the scope was resolved')
  const depth = parent === undefined ? 0 : parent.depth + 1
  if (depth > ORGANIZATION_DEPTH_MAX)
    throw tenancyErrors.organization_too_deep({ max: ORGANIZATION_DEPTH_MAX })
  const organization: Organization = {
    id: ctx.newId('org'),
    slug: input.slug,
    name: input.name,
    parentId: input.parentId,
    depth,
    createdAt: ctx.now,
  }
  await refuseTaken(input.slug, () => queries.insertOrganization(ctx.db, organization))
  ctx.note({
    target: `organization:${organization.id}`,
    // Below another one the event belongs to the parent's chain: the caller's scope does not know the new one yet.
    ...(parent === undefined ? { organizationId: organization.id } : {}),
    detail: { slug: organization.slug },
  })
  return organization
}

export async function renameOrganization(ctx: Ctx, id: string, name: string): Promise<Organization> {
  ctx.note({ detail: { name } })
  return found(await queries.renameOrganization(ctx.db, id, name))
}

export async function deleteOrganization(ctx: Ctx, id: string): Promise<void> {
  await refuseInUse(tenancyErrors.organization_not_empty, () => queries.deleteOrganization(ctx.db, id))
}

export async function createProject(
  ctx: Ctx,
  input: Names & { readonly organizationId: string },
): Promise<Project> {
  const project: Project = {
    id: ctx.newId('prj'),
    organizationId: input.organizationId,
    slug: input.slug,
    name: input.name,
    createdAt: ctx.now,
  }
  await refuseTaken(input.slug, () => queries.insertProject(ctx.db, project))
  ctx.note({ target: `project:${project.id}`, projectId: project.id, detail: { slug: project.slug } })
  return project
}

export async function renameProject(ctx: Ctx, id: string, name: string): Promise<Project> {
  ctx.note({ detail: { name } })
  return found(await queries.renameProject(ctx.db, id, name))
}

export async function deleteProject(ctx: Ctx, id: string): Promise<void> {
  await refuseInUse(tenancyErrors.project_not_empty, () => queries.deleteProject(ctx.db, id))
}

/** @param input.clusterId - an id that was checked to exist */
export async function createEnvironment(
  ctx: Ctx,
  input: Names & { readonly projectId: string; readonly clusterId: string },
): Promise<Environment> {
  const project = found(await queries.findProject(ctx.db, input.projectId))
  const environment: Environment = {
    id: ctx.newId('env'),
    organizationId: project.organizationId,
    projectId: project.id,
    slug: input.slug,
    name: input.name,
    clusterId: input.clusterId,
    createdAt: ctx.now,
  }
  await refuseTaken(input.slug, () => queries.insertEnvironment(ctx.db, environment))
  ctx.note({
    target: `environment:${environment.id}`,
    detail: { slug: environment.slug, clusterId: environment.clusterId },
  })
  return environment
}

export async function renameEnvironment(ctx: Ctx, id: string, name: string): Promise<Environment> {
  ctx.note({ detail: { name } })
  return found(await queries.renameEnvironment(ctx.db, id, name))
}

export async function deleteEnvironment(ctx: Ctx, id: string): Promise<void> {
  await refuseInUse(tenancyErrors.environment_not_empty, () => queries.deleteEnvironment(ctx.db, id))
}

async function refuseTaken(slug: string, insert: () => Promise<void>): Promise<void> {
  try {
    await insert()
  } catch (thrown) {
    if (isUniqueViolation(thrown)) throw tenancyErrors.slug_taken({ slug }, { cause: thrown })
    throw thrown
  }
}

async function refuseInUse(
  refusal: (params?: undefined, options?: { readonly cause?: unknown }) => AppError,
  remove: () => Promise<void>,
): Promise<void> {
  try {
    await remove()
  } catch (thrown) {
    if (isForeignKeyViolation(thrown)) throw refusal(undefined, { cause: thrown })
    throw thrown
  }
}
