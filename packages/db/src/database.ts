import { AsyncLocalStorage } from 'node:async_hooks'

import type { Clock, Random } from '@slipway/kit'
import { assert, retryDelayMs } from '@slipway/kit'
import { AbortedTransactionError, Kysely, PostgresDialect, sql } from 'kysely'
import type { ControlledTransaction, Transaction } from 'kysely'
import { Pool } from 'pg'

import { checkApplicationRole, SYSTEM_ROLE } from './application-role.ts'
import { clientConfigOf } from './connect.ts'
import { databaseErrors, failureOf, translateFailure } from './errors.ts'
import { runCommitHooks } from './hooks.ts'
import type { Listener } from './listen.ts'
import { openListener } from './listen.ts'
import type { Log } from './log.ts'
import type { Scope } from './scope.ts'
import { scopeSetting } from './scope.ts'

/*
 * Every statement of the product runs in a transaction made here, and every transaction carries the scope that row-level
 * security reads. There is no way to a bare connection, so that a query without a scope cannot be written.
 *
 * When a transaction fails:
 *   before its function was called   the connection had died while idle: another one is tried, at most CONNECT_ATTEMPTS_MAX times
 *   deadlock, serialization failure  nothing of it remains: the function runs again, at most ATTEMPTS_MAX times in all
 *   connection lost later            `database_unavailable`; never run again by us, since a commit under way may have happened
 *   lock or statement timeout        `database_busy`
 *   anything else                    passed on as it is, after the rollback
 * A function given to `transact` may therefore run several times: it reads and writes the database and touches nothing else.
 * What must happen outside goes to `onCommit`.
 */
const ATTEMPTS_MAX = 5
const CONNECT_ATTEMPTS_MAX = 3
const RETRY_DELAY = { firstMs: 10, maxMs: 250 }

const POOL_CONNECTIONS_MAX = 10
const POOL_WAITING_MAX = 500
const POOL_WAIT_MS = 5_000
const POOL_IDLE_MS = 30_000
/** Connections are renewed now and then, so that they follow a failover and give back what their caches hold. */
const CONNECTION_LIFETIME_SECONDS = 1_800
const STATEMENT_TIMEOUT_MS = 30_000
const LOCK_TIMEOUT_MS = 5_000
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000

/** A transaction that carries its scope; the first argument of every query. */
export type Db<Tables> = Transaction<Tables>

export type TransactOptions = {
  /** Runs everything, returns the result and rolls back; commit hooks do not run. */
  readonly dryRun?: boolean
  /** PostgreSQL refuses writes. */
  readonly readOnly?: boolean
  /** Without it `read committed`. */
  readonly isolation?: 'repeatable read' | 'serializable'
  /** Longest time of one statement in this transaction; 0 means no limit. */
  readonly statementTimeoutMs?: number
}

export type Database<Tables> = AsyncDisposable & {
  /**
   * Runs `run` in one transaction that sees the rows of `scope` only. `run` may be called again after a deadlock.
   * @throws {AppError} `database_unavailable`, `database_busy`, `text_not_storable`, and what `run` throws
   * @throws {AssertionError} inside another transaction, or when `run` swallowed a failed statement
   */
  readonly transact: <T>(
    scope: Scope,
    run: (db: Db<Tables>) => Promise<T>,
    options?: TransactOptions,
  ) => Promise<T>
  /** The same in the role that sees everything; for the reconcilers in `control/` only. */
  readonly transactAsSystem: <T>(run: (db: Db<Tables>) => Promise<T>, options?: TransactOptions) => Promise<T>
  /**
   * Calls `onWake` with the payload of every notification on `channel`, and with undefined after the connection was lost
   * and made again, when some may have been missed. Dispose to stop.
   */
  readonly listen: (
    channel: string,
    onWake: (payload: string | undefined) => void,
  ) => Promise<AsyncDisposable>
  /** Connections now: open, of those idle, and callers waiting for one. */
  readonly poolUsage: () => { readonly open: number; readonly idle: number; readonly waiting: number }
}

export type DatabaseOptions = {
  readonly appUrl: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Shown in pg_stat_activity; default `slipway`. */
  readonly name?: string
  /** Default 10. */
  readonly connectionsMax?: number
  /** How long a caller waits for a connection; default 5 s. */
  readonly connectionWaitMs?: number
  readonly statementTimeoutMs?: number
  readonly lockTimeoutMs?: number
}

/**
 * Connects, and refuses a role that row-level security would not bind.
 * @throws {AppError} `database_unavailable`, `database_login_refused`, `database_role_unsafe`, `database_roles_missing`
 */
export async function openDatabase<Tables>(options: DatabaseOptions): Promise<Database<Tables>> {
  const { log } = options
  const pool = openPool(options)
  const kysely = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  const listener = openListener(options)
  try {
    await checkApplicationRole(kysely)
  } catch (thrown) {
    await kysely.destroy()
    await listener[Symbol.asyncDispose]()
    throw translateFailure(thrown)
  }
  const runner: Runner<Tables> = { kysely, pool, clock: options.clock, random: options.random, log }
  return databaseOf(runner, listener)
}

type Runner<Tables> = {
  readonly kysely: Kysely<Tables>
  readonly pool: Pool
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

function databaseOf<Tables>(runner: Runner<Tables>, listener: Listener): Database<Tables> {
  return {
    // async, so that a scope that is refused rejects instead of throwing past the caller's `catch`
    transact: async (scope, run, options) =>
      await transactWithRetries(runner, { setting: scopeSetting(scope), role: undefined, ...options }, run),
    transactAsSystem: (run, options) =>
      transactWithRetries(runner, { setting: '', role: SYSTEM_ROLE, ...options }, run),
    listen: listener.listen,
    poolUsage: () => ({
      open: runner.pool.totalCount,
      idle: runner.pool.idleCount,
      waiting: runner.pool.waitingCount,
    }),
    async [Symbol.asyncDispose]() {
      await listener[Symbol.asyncDispose]()
      // destroy() ends the pool only when a query has run; the role check has.
      await runner.kysely.destroy()
    },
  }
}

function openPool(options: DatabaseOptions): Pool {
  const pool = new Pool({
    ...clientConfigOf({
      url: options.appUrl,
      name: options.name ?? 'slipway',
      statementTimeoutMs: options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS,
      lockTimeoutMs: options.lockTimeoutMs ?? LOCK_TIMEOUT_MS,
      idleInTransactionTimeoutMs: IDLE_IN_TRANSACTION_TIMEOUT_MS,
      connectTimeoutMs: options.connectionWaitMs ?? POOL_WAIT_MS,
    }),
    max: options.connectionsMax ?? POOL_CONNECTIONS_MAX,
    idleTimeoutMillis: POOL_IDLE_MS,
    maxLifetimeSeconds: CONNECTION_LIFETIME_SECONDS,
  })
  // A connection that dies while idle is dropped by the pool, one that dies in use fails its query; both report here,
  // and without a listener either would end the process.
  const report = (error: Error): void =>
    options.log.warn({ error: error.message }, 'a database connection was lost')
  pool.on('error', report)
  pool.on('connect', (client) => client.on('error', report))
  return pool
}

type Settings = TransactOptions & { readonly setting: string; readonly role: string | undefined }
type Run<Tables, T> = (db: Db<Tables>) => Promise<T>

async function transactWithRetries<Tables, T>(
  runner: Runner<Tables>,
  settings: Settings,
  run: Run<Tables, T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await transactOnce(runner, settings, run)
    } catch (thrown) {
      if (failureOf(thrown) !== 'retry' || attempt >= ATTEMPTS_MAX) throw translateFailure(thrown)
    }
    await runner.clock.sleep(retryDelayMs(attempt - 1, runner.random, RETRY_DELAY))
  }
}

/** Marks the flow of calls inside `run`, to catch a second transaction there: it could wait for a connection forever. */
const current = new AsyncLocalStorage<{ open: boolean }>()

async function transactOnce<Tables, T>(
  runner: Runner<Tables>,
  settings: Settings,
  run: Run<Tables, T>,
): Promise<T> {
  assert(
    current.getStore()?.open !== true,
    'a transaction was begun inside another one: pass `db` on instead',
  )
  const db = await begin(runner, settings)
  const state = { open: true }
  let result: T
  try {
    result = await current.run(state, () => run(db))
    if (settings.dryRun === true) await db.rollback().execute()
    else await db.commit().execute()
  } catch (thrown) {
    if (thrown instanceof AbortedTransactionError)
      assert(false, 'a failed statement was caught inside its transaction, which PostgreSQL then rolled back')
    await rollBack(runner, db)
    throw thrown
  } finally {
    state.open = false
  }
  if (settings.dryRun !== true) await runCommitHooks(db, runner.log)
  return result
}

async function rollBack<Tables>(runner: Runner<Tables>, db: ControlledTransaction<Tables>): Promise<void> {
  if (db.isCommitted || db.isRolledBack) return
  try {
    await db.rollback().execute()
  } catch (thrown) {
    // The connection is gone and with it the transaction; the first error tells more.
    runner.log.warn({ error: String(thrown) }, 'a rollback failed')
  }
}

async function begin<Tables>(
  runner: Runner<Tables>,
  settings: Settings,
): Promise<ControlledTransaction<Tables>> {
  if (runner.pool.waitingCount >= POOL_WAITING_MAX)
    throw databaseErrors.database_busy({}, { retryAfterSeconds: 1 })
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await beginOnce(runner.kysely, settings)
    } catch (thrown) {
      if (isPoolExhausted(thrown))
        throw databaseErrors.database_busy({}, { cause: thrown, retryAfterSeconds: 1 })
      if (failureOf(thrown) !== 'connection' || attempt >= CONNECT_ATTEMPTS_MAX) throw thrown
    }
    await runner.clock.sleep(retryDelayMs(attempt - 1, runner.random, RETRY_DELAY))
  }
}

function isPoolExhausted(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.message === 'timeout exceeded when trying to connect'
}

async function beginOnce<Tables>(
  kysely: Kysely<Tables>,
  settings: Settings,
): Promise<ControlledTransaction<Tables>> {
  let builder = kysely.startTransaction()
  if (settings.isolation !== undefined) builder = builder.setIsolationLevel(settings.isolation)
  if (settings.readOnly === true) builder = builder.setAccessMode('read only')
  const db = await builder.execute()
  try {
    // SET LOCAL takes no parameters; set_config with `true` is the same thing as a function, and all of them take one way.
    const { setting, statementTimeoutMs, role } = settings
    await sql`select set_config('slipway.organizations', ${setting}, true)${
      statementTimeoutMs === undefined
        ? sql``
        : sql`, set_config('statement_timeout', ${String(statementTimeoutMs)}, true)`
    }${role === undefined ? sql`` : sql`, set_config('role', ${role}, true)`}`.execute(db)
    return db
  } catch (thrown) {
    await db
      .rollback()
      .execute()
      .catch(() => undefined) // the connection is gone, which is what `thrown` says
    throw thrown
  }
}
