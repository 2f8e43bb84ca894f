import { createHash } from 'node:crypto'

import { canonicalJson } from '@slipway/kit'
import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely'

import type { Migration } from './migrate.ts'

/**
 * A checksum per migration over the statements it sends and their parameters, found by running it against nothing:
 * the same from sources and from a build, and untouched by comments and formatting.
 */
export async function checksumsOf(migrations: readonly Migration[]): Promise<Map<number, string>> {
  const checksums = new Map<number, string>()
  for (const migration of migrations) checksums.set(migration.id, await checksumOf(migration))
  return checksums
}

async function checksumOf(migration: Migration): Promise<string> {
  const hash = createHash('sha256')
  const recorder = new Kysely<unknown>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
    log: ({ query }) => void hash.update(`${canonicalJson([normalize(query.sql), query.parameters])}\n`),
  })
  await recorder.transaction().execute((db) => migration.up(db))
  return hash.digest('hex')
}

/** Indentation inside a template is no change of the statement; quoted text is kept by leaving single blanks alone. */
function normalize(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ').trim()
}
