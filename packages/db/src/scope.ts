import { assert } from '@slipway/kit'
import { sql } from 'kysely'
import type { Kysely } from 'kysely'

/** Whose rows a transaction sees: those of these Organizations, of all (operator, auditor), or only tables without row-level security. */
export type Scope = { readonly organizations: readonly string[] } | 'all' | 'none'

const ORGANIZATIONS_MAX = 10_000
/** Cannot be an id, so it cannot come in through a list. */
const ALL = '*'

/** The text of the setting that policies read. Pure. */
export function scopeSetting(scope: Scope): string {
  if (scope === 'all') return ALL
  if (scope === 'none') return ''
  assert(scope.organizations.length <= ORGANIZATIONS_MAX, 'a scope has at most 10,000 organizations')
  for (const id of scope.organizations)
    assert(/^[A-Za-z0-9_-]{1,64}$/.test(id), 'an id in a scope is a plain word')
  return scope.organizations.join(',')
}

/**
 * Turns row-level security on for `table`: the application's role sees the rows of its scope, `slipway_system` all,
 * the owner all (there is no FORCE). For migrations. The setting is read once per query, not once per row.
 * @param column - holds the Organization's id; default `organization_id`
 */
export async function protectTable<Tables>(
  db: Kysely<Tables>,
  table: string,
  column = 'organization_id',
): Promise<void> {
  const setting = sql`nullif(current_setting('slipway.organizations', true), '')`
  const own = sql`(select ${setting}) = ${sql.lit(ALL)}
    or ${sql.ref(column)} = any ((select string_to_array(${setting}, ','))::text[])`
  await sql`alter table ${sql.table(table)} enable row level security`.execute(db)
  await sql`create policy ${sql.id(`${table}_scope`)} on ${sql.table(table)} to slipway_app
    using (${own}) with check (${own})`.execute(db)
  await sql`create policy ${sql.id(`${table}_system`)} on ${sql.table(table)} to slipway_system
    using (true) with check (true)`.execute(db)
}
