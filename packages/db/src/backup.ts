import type { Readable } from 'node:stream'
import { Readable as ReadableStream } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Writable } from 'node:stream'
import { createGunzip, createGzip } from 'node:zlib'

import type { Clock } from '@slipway/kit'
import type { Client } from 'pg'

import { backupErrors, backupReader, backupWriter } from './backup-format.ts'
import type { BackupHeader, BackupReader } from './backup-format.ts'
import { checksumsOf } from './checksum.ts'
import { connectClient, quoteName } from './connect.ts'
import { copyIn, copyOut } from './copy.ts'
import { failureOf, translateFailure } from './errors.ts'
import type { Log } from './log.ts'
import { migrate, RESTORE_MARKER } from './migrate.ts'
import type { Migration } from './migrate.ts'

/*
 * The embedded PostgreSQL comes without pg_dump, and a backup of ours needs no schema: the migrations make it. So a backup is
 * the rows of every table as one moment saw them, and the list of migrations they belong to.
 * A restore builds the schema up to that list in an empty database, fills it in one transaction and leaves newer migrations
 * to the next start, which is how a backup of an older version is restored.
 */
export type BackupSummary = { readonly tables: number; readonly version: string; readonly createdAt: string }

/** Tables that belong to a database and not to its contents. */
const OWN_TABLES = ['schema_migration', RESTORE_MARKER]

/**
 * Writes a consistent backup to `stream` while the platform works on. The owner's role is not bound by row-level security;
 * should it be, the backup fails instead of being incomplete. Holds no lock but the one against dropping tables.
 * @throws {AppError} `database_unavailable`, `database_login_refused`; and what the stream throws
 */
export async function backUp(options: {
  readonly ownerUrl: string
  readonly stream: Writable
  readonly version: string
  readonly clock: Clock
}): Promise<BackupSummary> {
  await using client = await connectClient({ url: options.ownerUrl, name: 'slipway backup' })
  const createdAt = options.clock.now().toISOString()
  const summary = { tables: 0, version: options.version, createdAt }
  try {
    await client.query('begin isolation level repeatable read read only')
    await client.query('set local row_security = off')
    const entries = writeEntries(client, { version: options.version, createdAt }, summary)
    await pipeline(
      ReadableStream.from(entries, { objectMode: false }),
      createGzip({ level: 6 }),
      options.stream,
    )
    await client.query('commit')
  } catch (thrown) {
    throw translateFailure(thrown)
  }
  return summary
}

async function* writeEntries(
  client: Client,
  made: { readonly version: string; readonly createdAt: string },
  summary: { tables: number },
): AsyncGenerator<Buffer> {
  const writer = backupWriter()
  const migrations = await client.query<BackupHeader['migrations'][number]>(
    'select id, name, checksum from schema_migration order by id',
  )
  yield writer.header({ ...made, migrations: migrations.rows })
  for (const { table, columns } of await listTables(client)) {
    yield writer.entry({ kind: 'table', table, columns })
    const names = columns.map(quoteName).join(', ')
    const rows = copyOut(client, `copy public.${quoteName(table)} (${names}) to stdout`)
    for await (const chunk of rows) yield* writer.rows(chunk as Buffer) // a PassThrough without an encoding gives buffers
    yield writer.endOfRows()
    summary.tables += 1
  }
  const sequences = await client.query<{ name: string; value: string | null }>(
    `select sequencename as name, last_value::text as value from pg_sequences where schemaname = 'public' order by 1`,
  )
  for (const { name, value } of sequences.rows)
    if (value !== null) yield writer.entry({ kind: 'sequence', sequence: name, value, isCalled: true })
  yield writer.entry({ kind: 'end', tables: summary.tables })
}

type Table = { readonly table: string; readonly columns: readonly string[] }

/** Generated columns are left out: they are computed again. So are unlogged tables, which a crash may empty anyway. */
async function listTables(client: Client): Promise<readonly Table[]> {
  const { rows } = await client.query<Table>(
    `select c.relname as table, array(select a.attname::text from pg_attribute a where a.attrelid = c.oid
        and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by a.attnum) as columns
      from pg_class c where c.relkind = 'r' and c.relpersistence = 'p' and c.relnamespace = 'public'::regnamespace
        and c.relname <> all ($1) order by c.relname`,
    [OWN_TABLES],
  )
  return rows
}

export type RestoreOptions = {
  readonly ownerUrl: string
  readonly stream: Readable
  readonly migrations: readonly Migration[]
  readonly clock: Clock
  readonly log: Log
}

/**
 * Fills an empty database from a backup: wholly or not at all. One that was killed is simply run again; until then the
 * platform refuses to start on that database.
 * @throws {AppError} `backup_invalid`, `backup_newer`, `restore_target_not_empty`, and those of `migrate`
 */
export async function restoreBackup(options: RestoreOptions): Promise<BackupSummary> {
  const source = options.stream.pipe(createGunzip())
  options.stream.once('error', (error) => source.destroy(error))
  const reader = backupReader(source as AsyncIterable<Buffer>)
  const header = await reader.header()
  await refuseForeignSchema(header, options.migrations)
  await using client = await connectClient({ url: options.ownerUrl, name: 'slipway restore' })
  await claimEmptyDatabase(client)
  try {
    await migrate({ ...options, version: header.version, restoreUntilId: header.migrations.length })
    const tables = await fill(client, reader)
    return { tables, version: header.version, createdAt: header.createdAt }
  } catch (thrown) {
    if (failureOf(thrown) !== 'connection') await emptyDatabase(client)
    throw translateFailure(thrown)
  } finally {
    source.destroy()
    options.log.info({ createdAt: header.createdAt }, 'the restore has ended')
  }
}

async function refuseForeignSchema(header: BackupHeader, migrations: readonly Migration[]): Promise<void> {
  if (header.migrations.length > migrations.length)
    throw backupErrors.backup_newer({ version: header.version })
  const checksums = await checksumsOf(migrations.slice(0, header.migrations.length))
  header.migrations.forEach(({ id, checksum }, index) => {
    if (id !== index + 1 || checksums.get(id) !== checksum)
      throw backupErrors.backup_invalid({ reason: `migration ${id}` })
  })
}

/** Marks the database as half restored, after clearing what an earlier, killed restore left. */
async function claimEmptyDatabase(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `select c.relname as name from pg_class c
      where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace`,
  )
  const isUnfinished = rows.some(({ name }) => name === RESTORE_MARKER)
  if (rows.length > 0 && !isUnfinished) throw backupErrors.restore_target_not_empty()
  if (isUnfinished) await emptyDatabase(client)
  await client.query(`create table public.${RESTORE_MARKER} ()`)
}

async function emptyDatabase(client: Client): Promise<void> {
  await client.query('rollback')
  await client.query('begin')
  await client.query('drop schema public cascade')
  await client.query('create schema public authorization pg_database_owner')
  await client.query('grant usage on schema public to public')
  await client.query('commit')
}

async function fill(client: Client, reader: BackupReader): Promise<number> {
  await client.query('begin')
  const tables = await listTables(client)
  const isKnown = (name: string): boolean => tables.some(({ table }) => table === name)
  const reattach = await detachRules(client, tables)
  let count = 0
  for (;;) {
    const entry = await reader.entry()
    if (entry.kind === 'end') {
      if (entry.tables !== count) throw backupErrors.backup_invalid({ reason: 'tables missing' })
      break
    }
    if (entry.kind === 'sequence') {
      await client.query('select setval($1::regclass, $2, $3)', [
        `public.${quoteName(entry.sequence)}`,
        entry.value,
        entry.isCalled,
      ])
      continue
    }
    if (!isKnown(entry.table))
      throw backupErrors.backup_invalid({ reason: `table ${entry.table.slice(0, 64)}` })
    const names = entry.columns.map(quoteName).join(', ')
    await copyIn(client, `copy public.${quoteName(entry.table)} (${names}) from stdin`, reader.rows())
    count += 1
  }
  for (const statement of reattach) await client.query(statement)
  await client.query(`drop table public.${RESTORE_MARKER}`)
  await client.query('commit')
  return count
}

/**
 * Takes away what looks at single rows while they arrive in any order: rows that migrations made, foreign keys, triggers.
 * Returns the statements that put the rules back, which check every row.
 */
async function detachRules(client: Client, tables: readonly Table[]): Promise<string[]> {
  const names = tables.map(({ table }) => `public.${quoteName(table)}`)
  const keys = await client.query<{ table: string; name: string; definition: string }>(
    `select conrelid::regclass::text as table, conname as name, pg_get_constraintdef(oid) as definition
      from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace and conparentid = 0`,
  )
  for (const { table, name } of keys.rows)
    await client.query(`alter table ${table} drop constraint ${quoteName(name)}`)
  if (names.length > 0) await client.query(`truncate ${names.join(', ')}`)
  for (const name of names) await client.query(`alter table ${name} disable trigger user`)
  return [
    ...names.map((name) => `alter table ${name} enable trigger user`),
    ...keys.rows.map(
      ({ table, name, definition }) => `alter table ${table} add constraint ${quoteName(name)} ${definition}`,
    ),
  ]
}
