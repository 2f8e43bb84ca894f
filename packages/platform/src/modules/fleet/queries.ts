import type { Db } from '../../tables.ts'

/** Id of the Cluster with this id or slug; without a name, of the default one. */
export async function findClusterId(db: Db, name: string | undefined): Promise<string | undefined> {
  const query = db.selectFrom('fleet_cluster').select('id')
  const row = await (
    name === undefined
      ? query.where('is_default', '=', true)
      : query.where((expression) =>
          expression.or([expression('id', '=', name), expression('slug', '=', name)]),
        )
  ).executeTakeFirst()
  return row?.id
}
