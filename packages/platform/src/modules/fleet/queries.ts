import { jsonb } from '@slipway/db'

import type { Db } from '../../tables.ts'
import { isOnPage, type NamedPage } from '../access/index.ts'
import type { Cluster } from './model.ts'
import type { ClusterTable } from './tables.ts'

/** Id of the Cluster with this id or slug; without a name, of the default one. */
export async function findClusterId(db: Db, name: string | undefined): Promise<string | undefined> {
  const query = db.selectFrom('fleet_cluster').select('id')
  const row = await (
    name === undefined
      ? query.where('is_default', '=', true)
      : query.where((e) => e.or([e('id', '=', name), e('slug', '=', name)]))
  ).executeTakeFirst()
  return row?.id
}

export async function findCluster(db: Db, id: string): Promise<Cluster | undefined> {
  const row = await db.selectFrom('fleet_cluster').selectAll().where('id', '=', id).executeTakeFirst()
  return row && clusterOf(row)
}

export async function findClusterBySlug(db: Db, slug: string): Promise<Cluster | undefined> {
  const row = await db.selectFrom('fleet_cluster').selectAll().where('slug', '=', slug).executeTakeFirst()
  return row && clusterOf(row)
}

/** One row more than the limit, by slug. */
export async function listClusters(db: Db, page: NamedPage): Promise<Cluster[]> {
  const rows = await db
    .selectFrom('fleet_cluster')
    .selectAll()
    .where(isOnPage(page))
    .orderBy('slug')
    .limit(page.limit + 1)
    .execute()
  return rows.map(clusterOf)
}

/** Every Cluster: an installation has hundreds at most. */
export async function allClusters(db: Db): Promise<Cluster[]> {
  return (await db.selectFrom('fleet_cluster').selectAll().orderBy('id').limit(1_000).execute()).map(
    clusterOf,
  )
}

/** Inserts a Cluster, or writes over the one with the same id. A new default takes the place of the old one. */
export async function putCluster(db: Db, cluster: Cluster): Promise<void> {
  if (cluster.isDefault)
    await db
      .updateTable('fleet_cluster')
      .set({ is_default: false })
      .where('id', '!=', cluster.id)
      .where('is_default', '=', true)
      .execute()
  const values = {
    slug: cluster.slug,
    name: cluster.name,
    credentials: cluster.credentials,
    credential: jsonb(cluster.credential),
    server: cluster.server,
    gateway: jsonb(cluster.gateway),
    is_default: cluster.isDefault,
    updated_at: cluster.updatedAt,
  }
  await db
    .insertInto('fleet_cluster')
    .values({ id: cluster.id, created_at: cluster.createdAt, ...values })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(values))
    .execute()
}

/**
 * Writes new credentials over those that were read; false when somebody else wrote since. The time of the last change stays:
 * connections live on, and take the new token when the old one is refused.
 */
export async function renewCredential(
  db: Db,
  before: Cluster,
  after: Pick<Cluster, 'credentials' | 'credential'>,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('fleet_cluster')
    .set({
      credentials: after.credentials,
      credential: jsonb(after.credential),
    })
    .where('id', '=', before.id)
    .where('credentials', '=', before.credentials)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

export async function hasDefault(db: Db): Promise<boolean> {
  return (await findClusterId(db, undefined)) !== undefined
}

export async function deleteCluster(db: Db, id: string): Promise<void> {
  await db.deleteFrom('fleet_cluster').where('id', '=', id).execute()
}

function clusterOf(row: ClusterTable): Cluster {
  return {
    id: row.id,
    slug: row.slug,
    name: row.name,
    credentials: row.credentials,
    credential: row.credential,
    server: row.server,
    gateway: row.gateway,
    isDefault: row.is_default,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

/** The Cluster whose agent holds the token with this hash. */
export async function findAgentCluster(
  db: Db,
  tokenHash: string,
): Promise<{ readonly id: string; readonly slug: string } | undefined> {
  return db
    .selectFrom('fleet_cluster')
    .select(['id', 'slug'])
    .where((e) => e(e.ref('credential', '->>').key('tokenHash'), '=', tokenHash))
    .executeTakeFirst()
}

/** Keeps the id of the first Cluster that comes with a token. @returns whether this is that one */
export async function settleAgentCluster(
  db: Db,
  { id, tokenHash, uid }: { readonly id: string; readonly tokenHash: string; readonly uid: string },
): Promise<boolean> {
  const row = await db
    .selectFrom('fleet_cluster')
    .select('credential')
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  const credential = row?.credential
  if (credential?.kind !== 'agent' || credential.tokenHash !== tokenHash) return false
  if (credential.clusterUid !== undefined) return credential.clusterUid === uid
  await db
    .updateTable('fleet_cluster')
    .set({ credential: jsonb({ ...credential, clusterUid: uid }) })
    .where('id', '=', id)
    .execute()
  return true
}
