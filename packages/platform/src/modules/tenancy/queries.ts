import type { Db } from '../../tables.ts'
import { isOneOf, isOnPage, isVisible, type NamedPage, type ProjectFilter } from '../access/index.ts'
import type { Environment, Organization, Project } from './model.ts'
import type { EnvironmentTable, OrganizationTable, ProjectTable } from './tables.ts'

export async function insertOrganization(db: Db, organization: Organization): Promise<void> {
  await db
    .insertInto('tenancy_organization')
    .values({
      id: organization.id,
      slug: organization.slug,
      name: organization.name,
      parent_id: organization.parentId,
      depth: organization.depth,
      created_at: organization.createdAt,
    })
    .execute()
}

export async function findOrganization(db: Db, id: string): Promise<Organization | undefined> {
  const row = await db.selectFrom('tenancy_organization').selectAll().where('id', '=', id).executeTakeFirst()
  return row && organizationOf(row)
}

export async function findOrganizationBySlug(db: Db, slug: string): Promise<Organization | undefined> {
  const row = await db
    .selectFrom('tenancy_organization')
    .selectAll()
    .where('slug', '=', slug)
    .executeTakeFirst()
  return row && organizationOf(row)
}

/** One row more than the page's limit, by slug. `ids` bounds the list to what the caller may see. */
export async function listOrganizations(
  db: Db,
  ids: 'all' | readonly string[],
  page: NamedPage,
): Promise<Organization[]> {
  let query = db
    .selectFrom('tenancy_organization')
    .selectAll()
    .where(isOnPage(page))
    .orderBy('slug')
    .limit(page.limit + 1)
  if (ids !== 'all')
    query = query.where('id', '=', (expression) => expression.fn.any(expression.val([...ids])))
  return (await query.execute()).map(organizationOf)
}

export async function renameOrganization(
  db: Db,
  id: string,
  name: string,
): Promise<Organization | undefined> {
  const row = await db
    .updateTable('tenancy_organization')
    .set({ name })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
  return row && organizationOf(row)
}

export async function deleteOrganization(db: Db, id: string): Promise<void> {
  await db.deleteFrom('tenancy_organization').where('id', '=', id).execute()
}

export async function insertProject(db: Db, project: Project): Promise<void> {
  await db
    .insertInto('tenancy_project')
    .values({
      id: project.id,
      organization_id: project.organizationId,
      slug: project.slug,
      name: project.name,
      created_at: project.createdAt,
    })
    .execute()
}

export async function findProject(db: Db, id: string): Promise<Project | undefined> {
  const row = await db.selectFrom('tenancy_project').selectAll().where('id', '=', id).executeTakeFirst()
  return row && projectOf(row)
}

/** Slugs of Projects by id. */
export async function findProjectSlugs(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const rows = await db
    .selectFrom('tenancy_project')
    .select(['id', 'slug'])
    .where(isOneOf('id', ids))
    .execute()
  return new Map(rows.map(({ id, slug }) => [id, slug]))
}

export async function findProjectBySlug(db: Db, slug: string): Promise<Project | undefined> {
  const row = await db.selectFrom('tenancy_project').selectAll().where('slug', '=', slug).executeTakeFirst()
  return row && projectOf(row)
}

/** One row more than the page's limit, by slug. */
export async function listProjects(
  db: Db,
  filter: ProjectFilter,
  page: NamedPage & { readonly organization?: string | undefined },
): Promise<Project[]> {
  let query = db
    .selectFrom('tenancy_project')
    .selectAll()
    .where(isVisible(filter, { organization: 'organization_id', project: 'id' }))
    .where(isOnPage(page))
    .orderBy('slug')
    .limit(page.limit + 1)
  if (page.organization !== undefined) query = query.where('organization_id', '=', page.organization)
  return (await query.execute()).map(projectOf)
}

export async function renameProject(db: Db, id: string, name: string): Promise<Project | undefined> {
  const row = await db
    .updateTable('tenancy_project')
    .set({ name })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
  return row && projectOf(row)
}

export async function deleteProject(db: Db, id: string): Promise<void> {
  await db.deleteFrom('tenancy_project').where('id', '=', id).execute()
}

export async function insertEnvironment(db: Db, environment: Environment): Promise<void> {
  await db
    .insertInto('tenancy_environment')
    .values({
      id: environment.id,
      organization_id: environment.organizationId,
      project_id: environment.projectId,
      slug: environment.slug,
      name: environment.name,
      cluster_id: environment.clusterId,
      created_at: environment.createdAt,
    })
    .execute()
}

export async function findEnvironment(db: Db, id: string): Promise<Environment | undefined> {
  const row = await db.selectFrom('tenancy_environment').selectAll().where('id', '=', id).executeTakeFirst()
  return row && environmentOf(row)
}

/** One row more than the page's limit, by slug. */
export async function listEnvironments(db: Db, projectId: string, page: NamedPage): Promise<Environment[]> {
  const rows = await db
    .selectFrom('tenancy_environment')
    .selectAll()
    .where('project_id', '=', projectId)
    .where(isOnPage(page))
    .orderBy('slug')
    .limit(page.limit + 1)
    .execute()
  return rows.map(environmentOf)
}

export async function renameEnvironment(db: Db, id: string, name: string): Promise<Environment | undefined> {
  const row = await db
    .updateTable('tenancy_environment')
    .set({ name })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
  return row && environmentOf(row)
}

export async function deleteEnvironment(db: Db, id: string): Promise<void> {
  await db.deleteFrom('tenancy_environment').where('id', '=', id).execute()
}

function organizationOf(row: OrganizationTable): Organization {
  return {
    id: row.id,
    slug: row.slug,
    name: row.name,
    parentId: row.parent_id,
    depth: row.depth,
    createdAt: row.created_at,
  }
}

function projectOf(row: ProjectTable): Project {
  return {
    id: row.id,
    organizationId: row.organization_id,
    slug: row.slug,
    name: row.name,
    createdAt: row.created_at,
  }
}

function environmentOf(row: EnvironmentTable): Environment {
  return {
    id: row.id,
    organizationId: row.organization_id,
    projectId: row.project_id,
    slug: row.slug,
    name: row.name,
    clusterId: row.cluster_id,
    createdAt: row.created_at,
  }
}
