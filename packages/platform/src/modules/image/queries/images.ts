import { jsonb } from '@slipway/db'
import { decodeCursor } from '@slipway/kit'
import type { Digest, TokenKey } from '@slipway/oci'
import { sql } from 'kysely'

import type { Db } from '../../../tables.ts'
import { BASE_PREFIX, type Image, type Robot } from '../model.ts'
import type { ImageTable, RobotTable } from '../tables.ts'

type PageInput = { readonly limit: number; readonly cursor?: string | undefined }

/** Records an Image; one that is recorded already stays as it is, and is returned. */
export async function putImage(db: Db, image: Image): Promise<Image> {
  await db
    .insertInto('image_image')
    .values({
      id: image.id,
      organization_id: image.organizationId,
      project_id: image.projectId,
      application_id: image.applicationId,
      repository: image.repository,
      digest: image.digest,
      template: jsonb(image.template),
      base: image.base,
      commit_id: image.commit,
      build_id: image.buildId,
      size_bytes: image.sizeBytes,
      created_by: image.createdBy,
      created_at: image.createdAt,
    })
    .onConflict((conflict) => conflict.columns(['repository', 'digest']).doNothing())
    .execute()
  return (await findByDigest(db, image.applicationId, image.digest)) ?? image
}

/** Gives an Image that two builds made the newer build's facts. */
export async function adoptImage(
  db: Db,
  id: string,
  facts: Pick<Image, 'template' | 'commit' | 'buildId'>,
): Promise<void> {
  await db
    .updateTable('image_image')
    .set({ template: jsonb(facts.template), commit_id: facts.commit, build_id: facts.buildId })
    .where('id', '=', id)
    .execute()
}

export async function findImage(db: Db, id: string): Promise<Image | undefined> {
  const row = await db.selectFrom('image_image').selectAll().where('id', '=', id).executeTakeFirst()
  return row && imageOf(row)
}

export async function findByDigest(
  db: Db,
  applicationId: string,
  digest: Digest,
): Promise<Image | undefined> {
  const row = await db
    .selectFrom('image_image')
    .selectAll()
    .where('application_id', '=', applicationId)
    .where('digest', '=', digest)
    .executeTakeFirst()
  return row && imageOf(row)
}

export async function findByBuild(
  db: Db,
  applicationId: string,
  buildId: string,
): Promise<Image | undefined> {
  const row = await db
    .selectFrom('image_image')
    .selectAll()
    .where('application_id', '=', applicationId)
    .where('build_id', '=', buildId)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row && imageOf(row)
}

export async function findByTag(db: Db, applicationId: string, tag: string): Promise<Image | undefined> {
  const row = await db
    .selectFrom('image_image as i')
    .innerJoin('image_tag as t', (join) =>
      join.onRef('t.repository', '=', 'i.repository').onRef('t.digest', '=', 'i.digest'),
    )
    .selectAll('i')
    .where('i.application_id', '=', applicationId)
    .where('t.tag', '=', tag)
    .executeTakeFirst()
  return row && imageOf(row)
}

/** One row more than the limit, newest first. */
export async function listImages(db: Db, applicationId: string, page: PageInput): Promise<Image[]> {
  let query = db
    .selectFrom('image_image')
    .selectAll()
    .where('application_id', '=', applicationId)
    .orderBy('id', 'desc')
    .limit(page.limit + 1)
  if (page.cursor !== undefined) query = query.where('id', '<', decodeCursor(page.cursor, 1)[0] ?? '')
  return (await query.execute()).map(imageOf)
}

/** Tags by digest, for at most a page of Images. */
export async function tagsOf(
  db: Db,
  repository: string,
  digests: readonly Digest[],
): Promise<ReadonlyMap<Digest, readonly string[]>> {
  const tags = new Map<Digest, string[]>()
  if (digests.length === 0) return tags
  const rows = await db
    .selectFrom('image_tag')
    .select(['digest', 'tag'])
    .where('repository', '=', repository)
    .where('digest', 'in', [...digests])
    .orderBy('tag')
    .limit(5_000)
    .execute()
  for (const { digest, tag } of rows) tags.set(digest, [...(tags.get(digest) ?? []), tag])
  return tags
}

/** Repositories of bases with their tags and digests. */
export async function listBases(
  db: Db,
): Promise<readonly { readonly repository: string; readonly tag: string; readonly digest: Digest }[]> {
  return db
    .selectFrom('image_tag')
    .select(['repository', 'tag', 'digest'])
    .where(sql<boolean>`starts_with(repository, ${BASE_PREFIX})`)
    .orderBy('repository')
    .orderBy('tag')
    .limit(1_000)
    .execute()
}

export async function findRobot(db: Db, clusterId: string, namespace: string): Promise<Robot | undefined> {
  const row = await db
    .selectFrom('image_robot')
    .selectAll()
    .where('cluster_id', '=', clusterId)
    .where('namespace', '=', namespace)
    .executeTakeFirst()
  return row && robotOf(row)
}

export async function findRobotById(db: Db, id: string): Promise<Robot | undefined> {
  const row = await db.selectFrom('image_robot').selectAll().where('id', '=', id).executeTakeFirst()
  return row && robotOf(row)
}

/** Writes a robot; of two writers at once the first stays. */
export async function putRobot(db: Db, robot: Robot): Promise<void> {
  const values = {
    secret: robot.secret,
    secret_hash: robot.secretHash,
    previous_hash: robot.previousHash,
    previous_until: robot.previousUntil,
    rotated_at: robot.rotatedAt,
  }
  await db
    .insertInto('image_robot')
    .values({
      id: robot.id,
      organization_id: robot.organizationId,
      project_id: robot.projectId,
      cluster_id: robot.clusterId,
      namespace: robot.namespace,
      ...values,
    })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(values))
    .execute()
}

/** Newest first. */
export async function tokenKeys(
  db: Db,
): Promise<readonly (Pick<TokenKey, 'id'> & { readonly sealed: string; readonly createdAt: Date })[]> {
  const rows = await db
    .selectFrom('image_token_key')
    .selectAll()
    .orderBy('created_at', 'desc')
    .limit(10)
    .execute()
  return rows.map((row) => ({ id: row.id, sealed: row.sealed, createdAt: row.created_at }))
}

export async function insertTokenKey(db: Db, id: string, sealed: string, createdAt: Date): Promise<void> {
  await db.insertInto('image_token_key').values({ id, sealed, created_at: createdAt }).execute()
}

export async function forgetTokenKeys(db: Db, before: Date): Promise<void> {
  await db.deleteFrom('image_token_key').where('created_at', '<', before).execute()
}

function imageOf(row: ImageTable): Image {
  return {
    id: row.id,
    organizationId: row.organization_id,
    projectId: row.project_id,
    applicationId: row.application_id,
    repository: row.repository,
    digest: row.digest,
    template: row.template,
    base: row.base,
    commit: row.commit_id,
    buildId: row.build_id,
    sizeBytes: row.size_bytes,
    createdBy: row.created_by,
    createdAt: row.created_at,
  }
}

function robotOf(row: RobotTable): Robot {
  return {
    id: row.id,
    organizationId: row.organization_id,
    projectId: row.project_id,
    clusterId: row.cluster_id,
    namespace: row.namespace,
    secret: row.secret,
    secretHash: row.secret_hash,
    previousHash: row.previous_hash,
    previousUntil: row.previous_until,
    rotatedAt: row.rotated_at,
  }
}
