import type { Db } from '../../tables.ts'

/** Ids of the Workloads of which a Release that serves or is under way runs in a Pool of this name, on any Cluster. */
export async function workloadsRunningIn(db: Db, pool: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('release_release')
    .leftJoin('release_workload', 'release_workload.serving_id', 'release_release.id')
    .select('release_release.workload_id')
    .distinct()
    .where((e) => e(e.ref('release_release.template', '->>').key('pool'), '=', pool))
    .where((e) =>
      e.or([e('release_release.ended_at', 'is', null), e('release_workload.serving_id', 'is not', null)]),
    )
    .limit(20_000)
    .execute()
  return rows.map((row) => row.workload_id)
}
