import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { poolIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { poolView } from './view.ts'

export type NodeOptions = { readonly cluster?: string | undefined; readonly dryRun?: boolean | undefined }

/** Puts a node into a Pool, or takes it out. */
export async function changeNode(
  deps: Deps,
  given: { readonly pool: string; readonly node: string; readonly joins: boolean },
  options: NodeOptions,
): Promise<ExitCode> {
  const at = { pool: await poolIdOf(deps, given.pool, options), node: given.node }
  const call = mutationOptions(deps.signal, options)
  const updated = given.joins
    ? await deps.api().addPoolNode(at, call)
    : await deps.api().removePoolNode(at, call)
  noteDryRun(deps, options)
  await deps.print(updated, poolView(deps))
  return Exit.ok
}
