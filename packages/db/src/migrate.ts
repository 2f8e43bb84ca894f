import type { Clock } from '@slipway/kit'
import { assert, defineErrors } from '@slipway/kit'
import { Kysely, PostgresDialect, sql } from 'kysely'
import type { Transaction } from 'kysely'
import { Pool } from 'pg'

import { APPLICATION_ROLE, SYSTEM_ROLE } from './application-role.ts'
import { checksumsOf } from './checksum.ts'
import { clientConfigOf } from './connect.ts'
import { databaseErrors, failureOf, findPostgresError, translateFailure } from './errors.ts'
import type { Log } from './log.ts'
import { planMigrations } from './migration-plan.ts'
import type { AppliedMigration } from './migration-plan.ts'

/*
 * Forward only, one transaction per migration, its row in `schema_migration` in the same transaction: killed anywhere, the
 * database stands exactly before or after a migration. A session-level advisory lock lets one starter at a time in and
 * falls with its connection. A migration that cannot get its table locks soon lets go and tries again, because everything
 * else queues up behind a waiting ALTER TABLE.
 */
const LOCK_KEY = 7447_0001
const LOCK_POLL_MS = 200
const LOCK_WAIT_MS = 5 * 60_000
const TABLE_LOCK_TIMEOUT_MS = 5_000
const TABLE_LOCK_ATTEMPTS_MAX = 12
const TABLE_LOCK_PAUSE_MS = 1_000

/** A table that exists while a restore is under way. */
export const RESTORE_MARKER = 'restore_unfinished'

const migrationErrors = defineErrors({
  /** The database was migrated by a newer version: `version` is the one to start. */
  database_newer: { status: 500 },
  /** A migration that was applied is no longer what the code says it was. */
  migration_changed: { status: 500 },
  /** Migrations are missing and this process may not apply them. */
  migration_missing: { status: 503 },
  /** A restore into this database broke off; it has to be run again. */
  restore_unfinished: { status: 500 },
  /** Another starter has been migrating for longer than we wait. */
  migration_locked: { status: 503 },
})

/** What a migration gets: the owner's transaction, of which no table types are known. */
export type MigrationDb = Transaction<unknown>

export type Migration = {
  /** 1, 2, 3, … without gaps. */
  readonly id: number
  readonly name: string
  /**
   * Runs SQL and nothing else. Its statements are its identity: they may not depend on what it reads, on time or on chance,
   * so data is moved by SQL, not row by row. New tables are readable and writable for the application's roles by
   * default privileges; a migration revokes what should not be.
   */
  readonly up: (db: MigrationDb) => Promise<void>
}

export type MigrateOptions = {
  readonly ownerUrl: string
  readonly migrations: readonly Migration[]
  /** The product's version; told to an older one that meets this database. */
  readonly version: string
  readonly clock: Clock
  readonly log: Log
  /** Only for `restoreBackup`: stop after this migration, in a database that is being restored. */
  readonly restoreUntilId?: number
  readonly lockWaitMs?: number
}

/**
 * Brings the schema to the newest migration. Idempotent; blocks while another starter migrates.
 * @returns the ids it applied
 * @throws {AppError} `database_newer`, `migration_changed`, `migration_locked`, `database_roles_missing`,
 *   `database_unavailable`, `database_login_refused`
 */
export async function migrate(options: MigrateOptions): Promise<readonly number[]> {
  const checksums = await checksumsOf(options.migrations)
  // The lock belongs to a session, so everything goes through one connection.
  const pool = new Pool({ ...clientConfigOf({ url: options.ownerUrl, name: 'slipway migrate' }), max: 1 })
  pool.on('error', () => undefined) // reported by the query that needs the connection
  pool.on('connect', (client) => client.on('error', () => undefined))
  const kysely = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
  try {
    return await kysely.connection().execute(async (connection) => {
      await takeLock(connection, options)
      if (options.restoreUntilId === undefined) await refuseUnfinishedRestore(connection)
      await prepareSchema(connection)
      return applyMissing(connection, options, checksums)
    })
  } catch (thrown) {
    throw translateFailure(thrown)
  } finally {
    // Closing the connection gives the lock back.
    await kysely.destroy()
  }
}

async function takeLock(connection: Kysely<unknown>, options: MigrateOptions): Promise<void> {
  const deadlineMs = options.clock.monotonicMs() + (options.lockWaitMs ?? LOCK_WAIT_MS)
  for (;;) {
    const { rows } = await sql<{
      got: boolean
    }>`select pg_try_advisory_lock(${LOCK_KEY}) as got`.execute(connection)
    if (rows[0]?.got === true) return
    if (options.clock.monotonicMs() >= deadlineMs) throw migrationErrors.migration_locked()
    await options.clock.sleep(LOCK_POLL_MS)
  }
}

async function refuseUnfinishedRestore(connection: Kysely<unknown>): Promise<void> {
  if (await hasTable(connection, RESTORE_MARKER)) throw migrationErrors.restore_unfinished()
}

async function hasTable<Tables>(db: Kysely<Tables>, name: string): Promise<boolean> {
  const { rows } = await sql<{ present: boolean }>`
    select to_regclass(${`public.${name}`}) is not null as present`.execute(db)
  return rows[0]?.present === true
}

/** What must be there before migration 1; every statement may run again. */
async function prepareSchema(connection: Kysely<unknown>): Promise<void> {
  const roles = [APPLICATION_ROLE, SYSTEM_ROLE]
  const { rows } = await sql<{ rolname: string }>`
    select rolname from pg_roles where rolname = any (${roles})`.execute(connection)
  for (const role of roles)
    if (!rows.some((row) => row.rolname === role)) throw databaseErrors.database_roles_missing({ role })

  if (await hasTable(connection, 'schema_migration')) return
  await connection.transaction().execute(async (db) => {
    await sql`revoke create on schema public from public`.execute(db)
    await sql`grant usage on schema public to slipway_app, slipway_system`.execute(db)
    await sql`alter default privileges in schema public
      grant select, insert, update, delete on tables to slipway_app, slipway_system`.execute(db)
    await sql`alter default privileges in schema public
      grant usage, select on sequences to slipway_app, slipway_system`.execute(db)
    await sql`create table schema_migration (
      id integer primary key,
      name text not null,
      checksum text not null,
      version text not null,
      applied_at timestamptz(3) not null default now()
    )`.execute(db)
    await sql`revoke insert, update, delete on schema_migration from slipway_app, slipway_system`.execute(db)
  })
}

async function applyMissing(
  connection: Kysely<unknown>,
  options: MigrateOptions,
  checksums: ReadonlyMap<number, string>,
): Promise<number[]> {
  const applied = await readApplied(connection)
  const pending = pendingOf(options.migrations, checksums, applied).filter(
    (migration) => migration.id <= (options.restoreUntilId ?? Infinity),
  )
  for (const migration of pending) {
    const checksum = checksums.get(migration.id)
    assert(checksum !== undefined, 'every migration has a checksum')
    await applyWithRetries(connection, options, { ...migration, checksum })
    options.log.info({ id: migration.id, name: migration.name }, 'migrated the database')
  }
  return pending.map((migration) => migration.id)
}

function pendingOf(
  migrations: readonly Migration[],
  checksums: ReadonlyMap<number, string>,
  applied: readonly AppliedMigration[],
): readonly Migration[] {
  const plan = planMigrations(migrations, checksums, applied)
  if (plan.kind === 'newer') throw migrationErrors.database_newer({ id: plan.id, version: plan.version })
  if (plan.kind === 'changed') throw migrationErrors.migration_changed({ id: plan.id, name: plan.name })
  return migrations.slice(plan.fromIndex)
}

async function applyWithRetries(
  connection: Kysely<unknown>,
  options: MigrateOptions,
  migration: Migration & { readonly checksum: string },
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await connection.transaction().execute(async (db) => {
        await sql`select set_config('lock_timeout', ${String(TABLE_LOCK_TIMEOUT_MS)}, true)`.execute(db)
        await migration.up(db)
        await sql`insert into schema_migration (id, name, checksum, version)
          values (${migration.id}, ${migration.name}, ${migration.checksum}, ${options.version})`.execute(db)
      })
      return
    } catch (thrown) {
      const isLocked = findPostgresError(thrown)?.code === '55P03' || failureOf(thrown) === 'retry'
      if (!isLocked || attempt >= TABLE_LOCK_ATTEMPTS_MAX) throw thrown
      options.log.warn({ id: migration.id, attempt }, 'a migration waits for a table that is in use')
    }
    await options.clock.sleep(TABLE_LOCK_PAUSE_MS)
  }
}

async function readApplied<Tables>(db: Kysely<Tables>): Promise<AppliedMigration[]> {
  const { rows } = await sql<AppliedMigration>`
    select id, name, checksum, version from schema_migration order by id`.execute(db)
  return rows
}

/**
 * For a process without the owner's URL: refuses a database that is newer than the code or lacks migrations.
 * @throws {AppError} `database_newer`, `migration_changed`, `migration_missing`
 */
export async function checkMigrated<Tables>(
  db: Transaction<Tables>,
  migrations: readonly Migration[],
): Promise<void> {
  const applied = (await hasTable(db, 'schema_migration')) ? await readApplied(db) : []
  const pending = pendingOf(migrations, await checksumsOf(migrations), applied)
  if (pending.length > 0) throw migrationErrors.migration_missing({ count: pending.length })
}
