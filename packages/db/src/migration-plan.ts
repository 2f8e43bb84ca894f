import { assert } from '@slipway/kit'

/** A row of `schema_migration`. */
export type AppliedMigration = {
  readonly id: number
  readonly name: string
  readonly checksum: string
  readonly version: string
}

type Known = { readonly id: number; readonly name: string }

export type MigrationPlan =
  /** The migrations from this index on are missing. */
  | { readonly kind: 'apply'; readonly fromIndex: number }
  /** The database holds a migration that the code does not know; `version` brought it. */
  | { readonly kind: 'newer'; readonly id: number; readonly version: string }
  | { readonly kind: 'changed'; readonly id: number; readonly name: string }

/**
 * Compares what the code knows with what was applied. Pure.
 * @throws {AssertionError} when the code's ids are not 1, 2, 3, … or the database has gaps
 */
export function planMigrations(
  known: readonly Known[],
  checksums: ReadonlyMap<number, string>,
  applied: readonly AppliedMigration[],
): MigrationPlan {
  known.forEach((migration, index) => assert(migration.id === index + 1, 'migrations count 1, 2, 3, …'))
  applied.forEach((row, index) =>
    assert(row.id === index + 1, 'a migration is missing in the middle of the database'),
  )
  const newest = applied.at(-1)
  if (newest && newest.id > known.length) return { kind: 'newer', id: newest.id, version: newest.version }
  for (const row of applied)
    if (checksums.get(row.id) !== row.checksum) return { kind: 'changed', id: row.id, name: row.name }
  return { kind: 'apply', fromIndex: applied.length }
}
