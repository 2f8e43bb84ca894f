import { countUpTo, jsonb, newestFirst } from '@slipway/db'
import { decodeNumberCursor } from '@slipway/kit'
import { sql } from 'kysely'

import type { Db } from '../../tables.ts'
import { isOneOf } from '../access/index.ts'
import type { Build } from './model.ts'
import type { BuildTable } from './tables.ts'

type PageInput = { readonly limit: number; readonly cursor?: string | undefined }

function rowOf(build: Build) {
  const json = <T>(value: T | null) => (value === null ? null : jsonb<T>(value))
  return {
    id: build.id,
    organization_id: build.organizationId,
    project_id: build.projectId,
    application_id: build.applicationId,
    number: build.number,
    ref: build.ref,
    commit_id: build.commit,
    is_default_branch: build.isDefaultBranch,
    cluster_id: build.clusterId,
    namespace: build.namespace,
    state: build.state,
    attempt: build.attempt,
    manifest: json(build.manifest),
    language: build.language,
    base: build.base,
    template: json(build.template),
    job_made: build.jobMade,
    source_taken: build.sourceTaken,
    isolation: build.isolation,
    progress: build.progress,
    report: json(build.report),
    image: build.image,
    reason: json(build.reason),
    cancel_requested: build.cancelRequested,
    cleaned: build.cleaned,
    generation: build.generation,
    created_by: build.createdBy,
    created_at: build.createdAt,
    started_at: build.startedAt,
    ended_at: build.endedAt,
  }
}

export async function insertBuild(db: Db, build: Build): Promise<void> {
  await db.insertInto('build_build').values(rowOf(build)).execute()
}

export async function findBuild(db: Db, id: string): Promise<Build | undefined> {
  const row = await db.selectFrom('build_build').selectAll().where('id', '=', id).executeTakeFirst()
  return row && buildOf(row)
}

/** Holds the build until the end of the transaction. */
export async function lockBuild(db: Db, id: string): Promise<Build | undefined> {
  const row = await db
    .selectFrom('build_build')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  return row && buildOf(row)
}

/** Writes changes unless somebody wrote the build since it was read; undefined means that race was lost. */
export async function advanceBuild(db: Db, build: Build, change: Partial<Build>): Promise<Build | undefined> {
  const row = await db
    .updateTable('build_build')
    .set(rowOf({ ...build, ...change, generation: build.generation + 1 }))
    .where('id', '=', build.id)
    .where('generation', '=', build.generation)
    .returningAll()
    .executeTakeFirst()
  return row && buildOf(row)
}

/** Numbers of an Application are given out one at a time. */
export async function nextNumber(db: Db, applicationId: string): Promise<number> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`build ${applicationId}`}, 0))`.execute(db)
  const row = await db
    .selectFrom('build_build')
    .select('number')
    .where('application_id', '=', applicationId)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst()
  return (row?.number ?? 0) + 1
}

/** Places are given out by one transaction at a time. */
export async function lockQueue(db: Db): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended('build queue', 0))`.execute(db)
}

/** Builds that have not ended, oldest first. */
export async function openBuilds(db: Db): Promise<Build[]> {
  const rows = await db
    .selectFrom('build_build')
    .selectAll()
    .where('ended_at', 'is', null)
    .orderBy('created_at')
    .orderBy('id')
    .limit(5_000)
    .execute()
  return rows.map(buildOf)
}

export async function waitingInProject(db: Db, projectId: string): Promise<number> {
  const row = await db
    .selectFrom('build_build')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('project_id', '=', projectId)
    .where('state', '=', 'Queued')
    .executeTakeFirst()
  return row?.count ?? 0
}

/** Builds that need looking after. */
export async function openIds(db: Db): Promise<string[]> {
  const rows = await db
    .selectFrom('build_build')
    .select('id')
    .where('cleaned', '=', false)
    .orderBy('created_at')
    .limit(5_000)
    .execute()
  return rows.map(({ id }) => id)
}

/** Which of these builds are there. */
export async function existingIds(db: Db, ids: readonly string[]): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set()
  const rows = await db
    .selectFrom('build_build')
    .select('id')
    .where('id', 'in', [...ids])
    .execute()
  return new Set(rows.map(({ id }) => id))
}

/** Which of these Applications have builds. */
export async function existingApplications(db: Db, ids: readonly string[]): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set()
  const rows = await db
    .selectFrom('build_build')
    .select('application_id')
    .distinct()
    .where('application_id', 'in', [...ids])
    .execute()
  return new Set(rows.map(({ application_id: id }) => id))
}

/** One row more than the limit, newest first. */
export async function listBuilds(db: Db, applicationId: string, page: PageInput): Promise<Build[]> {
  let query = db
    .selectFrom('build_build')
    .selectAll()
    .where('application_id', '=', applicationId)
    .orderBy('number', 'desc')
    .limit(page.limit + 1)
  if (page.cursor !== undefined) query = query.where('number', '<', decodeNumberCursor(page.cursor))
  return (await query.execute()).map(buildOf)
}

export type BuildFilter = {
  readonly applications: readonly string[]
  readonly state?: Build['state'] | undefined
  readonly since?: Date | undefined
  /** Of these Applications, or with this text in the ref or at the beginning of the commit, in lower case. */
  readonly match?: { readonly applications: readonly string[]; readonly text: string } | undefined
}

function narrowed(db: Db, { applications, state, since, match }: BuildFilter) {
  let query = db.selectFrom('build_build').selectAll().where(isOneOf('application_id', applications))
  if (state !== undefined) query = query.where('state', '=', state)
  if (since !== undefined) query = query.where('created_at', '>=', since)
  if (match !== undefined)
    query = query.where((e) =>
      e.or([
        isOneOf('application_id', match.applications),
        sql<boolean>`position(${match.text} in lower(ref)) > 0`,
        sql<boolean>`starts_with(commit_id, ${match.text})`,
      ]),
    )
  return query
}

/** Builds of many Applications, newest first; one row more than the limit. */
export async function searchBuilds(db: Db, filter: BuildFilter, page: PageInput): Promise<Build[]> {
  return (await newestFirst(narrowed(db, filter), page).execute()).map(buildOf)
}

/** How many there are; counting stops at the most. */
export async function countBuilds(db: Db, filter: BuildFilter, most: number): Promise<number> {
  return countUpTo(db, narrowed(db, filter), most)
}

function buildOf(row: BuildTable): Build {
  return {
    id: row.id,
    organizationId: row.organization_id,
    projectId: row.project_id,
    applicationId: row.application_id,
    number: row.number,
    ref: row.ref,
    commit: row.commit_id,
    isDefaultBranch: row.is_default_branch,
    clusterId: row.cluster_id,
    namespace: row.namespace,
    state: row.state,
    attempt: row.attempt,
    manifest: row.manifest,
    language: row.language,
    base: row.base,
    template: row.template,
    jobMade: row.job_made,
    sourceTaken: row.source_taken,
    isolation: row.isolation,
    progress: row.progress,
    report: row.report,
    image: row.image,
    reason: row.reason,
    cancelRequested: row.cancel_requested,
    cleaned: row.cleaned,
    generation: row.generation,
    createdBy: row.created_by,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
  }
}
