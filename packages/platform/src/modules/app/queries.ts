import { jsonb } from '@slipway/db'
import { decodeCursor, decodeNumberCursor } from '@slipway/kit'
import { sql, type Selectable } from 'kysely'

import type { Db } from '../../tables.ts'
import {
  isNamed,
  isNamedLike,
  isOneOf,
  isVisible,
  type NamedPage,
  type ProjectFilter,
} from '../access/index.ts'
import type { Application, ConfigRevision, Workload, WorkloadPlace } from './model.ts'
import type { ApplicationTable, ConfigRevisionTable, WorkloadTable } from './tables.ts'

type PageInput = { readonly limit: number; readonly cursor?: string | undefined }

export async function insertApplication(db: Db, application: Application): Promise<void> {
  await db
    .insertInto('app_application')
    .values({
      id: application.id,
      organization_id: application.organizationId,
      project_id: application.projectId,
      slug: application.slug,
      name: application.name,
      created_at: application.createdAt,
    })
    .execute()
}

export async function findApplication(db: Db, id: string): Promise<Application | undefined> {
  const row = await db.selectFrom('app_application').selectAll().where('id', '=', id).executeTakeFirst()
  return row && applicationOf(row)
}

export async function findApplicationBySlug(
  db: Db,
  projectId: string,
  slug: string,
): Promise<Application | undefined> {
  const row = await db
    .selectFrom('app_application')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('slug', '=', slug)
    .executeTakeFirst()
  return row && applicationOf(row)
}

/** Every Workload of an Application, by name; an Application runs at most once in each Environment. */
export async function workloadsOfApplication(db: Db, applicationId: string): Promise<Workload[]> {
  const rows = await db
    .selectFrom('app_workload')
    .selectAll()
    .where('application_id', '=', applicationId)
    .orderBy('name')
    .limit(1_000)
    .execute()
  return rows.map(workloadOf)
}

/** One row more than the limit, by slug and id. */
export async function listApplications(
  db: Db,
  filter: ProjectFilter,
  page: NamedPage & { readonly project?: string | undefined },
): Promise<Application[]> {
  let query = db
    .selectFrom('app_application')
    .selectAll()
    .orderBy('slug')
    .orderBy('id')
    .limit(page.limit + 1)
  query = query.where(isVisible(filter, { organization: 'organization_id', project: 'project_id' }))
  if (page.project !== undefined) query = query.where('project_id', '=', page.project)
  query = query.where(isNamed(page))
  if (page.cursor !== undefined) {
    const [slug = '', id = ''] = decodeCursor(page.cursor, 2)
    query = query.where((e) => e(e.refTuple('slug', 'id'), '>', e.tuple(slug, id)))
  }
  return (await query.execute()).map(applicationOf)
}

export async function renameApplication(db: Db, id: string, name: string): Promise<Application | undefined> {
  const row = await db
    .updateTable('app_application')
    .set({ name })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
  return row && applicationOf(row)
}

export async function deleteApplication(db: Db, id: string): Promise<void> {
  await db.deleteFrom('app_application').where('id', '=', id).execute()
}

export async function insertWorkload(db: Db, workload: Omit<Workload, 'ordinal'>): Promise<Workload> {
  const row = await db
    .insertInto('app_workload')
    .values({
      id: workload.id,
      organization_id: workload.organizationId,
      project_id: workload.projectId,
      application_id: workload.applicationId,
      environment_id: workload.environmentId,
      cluster_id: workload.clusterId,
      name: workload.name,
      namespace: workload.namespace,
      instances: jsonb(workload.instances),
      restarts: jsonb(workload.restarts),
      placement: jsonb(workload.placement),
      pool: workload.pool,
      config_revision: workload.configRevision,
      keep_seconds: workload.keepSeconds,
      urls: [...workload.urls],
      deleting: workload.deleting,
      generation: workload.generation,
      created_at: workload.createdAt,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
  return workloadOf(row)
}

export async function findWorkload(db: Db, id: string): Promise<Workload | undefined> {
  const row = await db.selectFrom('app_workload').selectAll().where('id', '=', id).executeTakeFirst()
  return row && workloadOf(row)
}

export async function findWorkloads(db: Db, ids: readonly string[]): Promise<Workload[]> {
  const rows = await db.selectFrom('app_workload').selectAll().where(isOneOf('id', ids)).execute()
  return rows.map(workloadOf)
}

/** The Workload, locked until the transaction ends: changes of one Workload follow each other. */
export async function lockWorkload(db: Db, id: string): Promise<Workload | undefined> {
  const row = await db
    .selectFrom('app_workload')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  return row && workloadOf(row)
}

/** Those Workloads of a Project that have one of these names. */
export async function workloadsNamed(
  db: Db,
  projectId: string,
  names: readonly string[],
): Promise<Pick<Workload, 'id' | 'name' | 'namespace'>[]> {
  return db
    .selectFrom('app_workload')
    .select(['id', 'name', 'namespace'])
    .where('project_id', '=', projectId)
    .where(isOneOf('name', names))
    .execute()
}

export type WorkloadFilter = {
  readonly name?: string | undefined
  readonly text?: string | undefined
  readonly project?: string | undefined
  readonly application?: string | undefined
  readonly environment?: string | undefined
}

/** One row more than the limit, by name. */
export async function listWorkloads(
  db: Db,
  filter: ProjectFilter,
  page: PageInput & WorkloadFilter,
): Promise<Workload[]> {
  let query = db
    .selectFrom('app_workload')
    .selectAll()
    .orderBy('name')
    .limit(page.limit + 1)
  query = query.where(isVisible(filter, { organization: 'organization_id', project: 'project_id' }))
  if (page.name !== undefined) query = query.where('name', '=', page.name)
  if (page.text !== undefined) query = query.where(isNamedLike(page.text, ['name']))
  if (page.project !== undefined) query = query.where('project_id', '=', page.project)
  if (page.application !== undefined) query = query.where('application_id', '=', page.application)
  if (page.environment !== undefined) query = query.where('environment_id', '=', page.environment)
  if (page.cursor !== undefined) query = query.where('name', '>', decodeCursor(page.cursor, 1)[0] ?? '')
  return (await query.execute()).map(workloadOf)
}

export type PlaceFilter = Omit<WorkloadFilter, 'name' | 'text'> & {
  readonly organizations?: readonly string[] | undefined
  readonly workload?: string | undefined
  readonly cluster?: string | undefined
}

/** A list over Workloads looks at so many at most. */
const PLACES_MAX = 20_000

/** Every Workload that a list may be about, by name, without what only the engine needs. */
export async function listPlaces(
  db: Db,
  filter: ProjectFilter,
  narrowing: PlaceFilter,
): Promise<WorkloadPlace[]> {
  let query = db
    .selectFrom('app_workload')
    .select([
      'id',
      'organization_id as organizationId',
      'project_id as projectId',
      'application_id as applicationId',
      'environment_id as environmentId',
      'cluster_id as clusterId',
      'name',
      'urls',
    ])
    .orderBy('name')
    .limit(PLACES_MAX)
    .where(isVisible(filter, { organization: 'organization_id', project: 'project_id' }))
  const { organizations, project, application, environment, workload, cluster } = narrowing
  if (organizations !== undefined) query = query.where(isOneOf('organization_id', organizations))
  if (project !== undefined) query = query.where('project_id', '=', project)
  if (application !== undefined) query = query.where('application_id', '=', application)
  if (environment !== undefined) query = query.where('environment_id', '=', environment)
  if (workload !== undefined) query = query.where('id', '=', workload)
  if (cluster !== undefined) query = query.where('cluster_id', '=', cluster)
  return query.execute()
}

/** Every Application that a list may be about. */
export async function listApplicationSlugs(
  db: Db,
  filter: ProjectFilter,
  narrowing: Pick<PlaceFilter, 'organizations' | 'project' | 'application'>,
): Promise<{ readonly id: string; readonly slug: string; readonly projectId: string }[]> {
  let query = db
    .selectFrom('app_application')
    .select(['id', 'slug', 'project_id as projectId'])
    .orderBy('id')
    .limit(PLACES_MAX)
    .where(isVisible(filter, { organization: 'organization_id', project: 'project_id' }))
  const { organizations, project, application } = narrowing
  if (organizations !== undefined) query = query.where(isOneOf('organization_id', organizations))
  if (project !== undefined) query = query.where('project_id', '=', project)
  if (application !== undefined) query = query.where('id', '=', application)
  return query.execute()
}

/** Names of the Workloads of a Cluster that are to run in a Pool, or are among these. */
export async function workloadsFor(
  db: Db,
  {
    clusterId,
    pool,
    ids,
  }: { readonly clusterId: string; readonly pool: string; readonly ids: readonly string[] },
): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('app_workload')
    .select('name')
    .where('cluster_id', '=', clusterId)
    .where((e) => e.or([e('pool', '=', pool), isOneOf('id', ids)]))
    .orderBy('name')
    .limit(PLACES_MAX)
    .execute()
  return rows.map(({ name }) => name)
}

/** Ids of all Workloads, for the reconcilers' resync. */
export async function workloadIds(db: Db): Promise<string[]> {
  const rows = await db.selectFrom('app_workload').select('id').orderBy('id').execute()
  return rows.map((row) => row.id)
}

export type WorkloadChange = {
  readonly instances?: Readonly<Record<string, number>>
  readonly restarts?: Readonly<Record<string, string>>
  readonly placement?: Workload['placement']
  readonly pool?: string | null
  readonly configRevision?: number
  readonly keepSeconds?: number
  readonly deleting?: boolean
}

/** Changes what a Workload should be; its generation rises. */
export async function updateWorkload(
  db: Db,
  id: string,
  change: WorkloadChange,
): Promise<Workload | undefined> {
  const row = await db
    .updateTable('app_workload')
    .set((e) => ({
      generation: e('generation', '+', 1),
      ...(change.instances === undefined ? {} : { instances: jsonb(change.instances) }),
      ...(change.restarts === undefined ? {} : { restarts: jsonb(change.restarts) }),
      ...(change.placement === undefined ? {} : { placement: jsonb(change.placement) }),
      ...(change.pool === undefined ? {} : { pool: change.pool }),
      ...(change.configRevision === undefined ? {} : { config_revision: change.configRevision }),
      ...(change.keepSeconds === undefined ? {} : { keep_seconds: change.keepSeconds }),
      ...(change.deleting === undefined ? {} : { deleting: change.deleting }),
    }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
  return row && workloadOf(row)
}

/** Adds to the demand, in the engine's transaction. */
export async function takeInstances(
  db: Db,
  id: string,
  instances: Readonly<Record<string, number>>,
): Promise<void> {
  const workload = await findWorkload(db, id)
  if (workload) await updateWorkload(db, id, { instances: { ...workload.instances, ...instances } })
}

/** Records where the Workload answers, as its Cluster tells. */
export async function setUrls(db: Db, id: string, urls: readonly string[]): Promise<void> {
  await db
    .updateTable('app_workload')
    .set({ urls: [...urls] })
    .where('id', '=', id)
    .where('urls', 'is distinct from', sql<string[]>`${[...urls]}::text[]`)
    .execute()
}

export async function deleteWorkload(db: Db, id: string): Promise<void> {
  await db.deleteFrom('app_workload').where('id', '=', id).execute()
}

export async function insertConfigRevision(db: Db, revision: ConfigRevision): Promise<void> {
  await db
    .insertInto('app_config_revision')
    .values({
      workload_id: revision.workloadId,
      organization_id: revision.organizationId,
      revision: revision.revision,
      variables: jsonb(revision.variables),
      comment: revision.comment,
      created_by: revision.createdBy,
      created_at: revision.createdAt,
    })
    .execute()
}

export async function findConfigRevision(
  db: Db,
  workloadId: string,
  revision: number,
): Promise<ConfigRevision | undefined> {
  const row = await db
    .selectFrom('app_config_revision')
    .selectAll()
    .where('workload_id', '=', workloadId)
    .where('revision', '=', revision)
    .executeTakeFirst()
  return row && revisionOf(row)
}

/** One row more than the limit, newest first. */
export async function listConfigRevisions(
  db: Db,
  workloadId: string,
  page: PageInput,
): Promise<ConfigRevision[]> {
  let query = db
    .selectFrom('app_config_revision')
    .selectAll()
    .where('workload_id', '=', workloadId)
    .orderBy('revision', 'desc')
    .limit(page.limit + 1)
  if (page.cursor !== undefined) query = query.where('revision', '<', decodeNumberCursor(page.cursor))
  return (await query.execute()).map(revisionOf)
}

/** The newest revision of a Workload; 0 before the first. */
export async function lastConfigRevision(db: Db, workloadId: string): Promise<number> {
  const row = await db
    .selectFrom('app_config_revision')
    .select('revision')
    .where('workload_id', '=', workloadId)
    .orderBy('revision', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.revision ?? 0
}

function applicationOf(row: ApplicationTable): Application {
  return {
    id: row.id,
    organizationId: row.organization_id,
    projectId: row.project_id,
    slug: row.slug,
    name: row.name,
    createdAt: row.created_at,
  }
}

function workloadOf(row: Selectable<WorkloadTable>): Workload {
  return {
    id: row.id,
    organizationId: row.organization_id,
    projectId: row.project_id,
    applicationId: row.application_id,
    environmentId: row.environment_id,
    clusterId: row.cluster_id,
    name: row.name,
    namespace: row.namespace,
    instances: row.instances,
    restarts: row.restarts,
    placement: row.placement,
    pool: row.pool,
    configRevision: row.config_revision,
    keepSeconds: row.keep_seconds,
    urls: row.urls,
    deleting: row.deleting,
    generation: row.generation,
    ordinal: row.ordinal,
    createdAt: row.created_at,
  }
}

function revisionOf(row: ConfigRevisionTable): ConfigRevision {
  return {
    workloadId: row.workload_id,
    organizationId: row.organization_id,
    revision: row.revision,
    variables: row.variables,
    comment: row.comment,
    createdBy: row.created_by,
    createdAt: row.created_at,
  }
}
