import type { Db } from '../../tables.ts'
import { fleetErrors } from './errors.ts'
import * as queries from './queries.ts'

/**
 * Id of the Cluster named by id or slug, or of the default one.
 * @throws {AppError} `cluster_unknown`
 */
export async function resolveCluster(db: Db, name: string | undefined): Promise<string> {
  const id = await queries.findClusterId(db, name)
  if (id === undefined) throw fleetErrors.cluster_unknown({ cluster: name ?? 'default' })
  return id
}
