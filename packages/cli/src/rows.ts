import { itemsOf } from '@slipway/sdk'

import type { Deps } from './deps.ts'
import type { View } from './output/table.ts'

const PAGE_MAX = 200
const LIMIT_MAX = 10_000

/** Size of the pages to ask for when at most `limit` rows are wanted; one more than wanted tells whether there is more. */
export function pageSizeFor(limit: number): number {
  return Math.min(limit + 1, PAGE_MAX)
}

/** Reads at most `limit` rows, and says on standard error when there are more. */
export async function readRows<Item>(
  deps: Deps,
  pages: AsyncIterable<{ readonly items: readonly Item[] }>,
  limit: number,
): Promise<readonly Item[]> {
  const rows: Item[] = []
  for await (const item of itemsOf(pages)) {
    if (rows.length === limit) {
      deps.io.note(deps.text('output.more', { max: LIMIT_MAX }))
      break
    }
    rows.push(item)
  }
  return rows
}

/** Says that a dry run changed nothing; nothing to say otherwise. */
export function noteDryRun(deps: Deps, options: { readonly dryRun?: boolean | undefined }): void {
  if (options.dryRun === true) deps.io.note(deps.text('output.dryRun'))
}

type Deleted = { readonly id: string; readonly deleted: boolean }

const deletedView: View<Deleted> = {
  columns: [{ title: 'column.id', value: ({ id }) => id }],
  name: ({ id }) => id,
}

/** Prints what was deleted. On a dry run it says that nothing was. */
export async function printDeleted(
  deps: Deps,
  id: string,
  options: { readonly dryRun?: boolean | undefined },
): Promise<void> {
  noteDryRun(deps, options)
  await deps.print({ id, deleted: options.dryRun !== true }, deletedView)
}
