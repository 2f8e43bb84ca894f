import { AppError, defineErrors, systemCodeOf } from '@slipway/kit'

export const databaseErrors = defineErrors({
  /** The server does not answer, or went away in the middle: trying again makes sense. */
  database_unavailable: { status: 503 },
  /** Too much at once: no free connection, a lock or a statement that took too long, conflicts that did not end. */
  database_busy: { status: 503 },
  /** The database's disk is full: nothing was changed, and nothing can be until there is room. */
  database_full: { status: 507 },
  /** The server answers and refuses the name, the password or the database's name. */
  database_login_refused: { status: 500 },
  /** The application's role could see or do more than row-level security allows. */
  database_role_unsafe: { status: 500 },
  /** Roles that migrations and policies name do not exist. */
  database_roles_missing: { status: 500 },
  /** Text with a NUL character or half a surrogate pair, which PostgreSQL cannot store. */
  text_not_storable: { status: 400 },
})

/** The fields of a PostgreSQL error that decisions are made on. */
export type PostgresError = {
  /** SQLSTATE, five characters. */
  readonly code: string
  readonly constraint: string | undefined
  readonly table: string | undefined
}

const CAUSE_DEPTH_MAX = 8

/** The PostgreSQL error in `thrown` or among its causes. */
export function findPostgresError(thrown: unknown): PostgresError | undefined {
  for (const error of causesOf(thrown)) {
    const code = systemCodeOf(error)
    if (code === undefined || !/^[0-9A-Z]{5}$/.test(code) || !('severity' in error)) continue
    const { constraint, table } = error as { readonly constraint?: unknown; readonly table?: unknown }
    return {
      code,
      constraint: typeof constraint === 'string' ? constraint : undefined,
      table: typeof table === 'string' ? table : undefined,
    }
  }
  return undefined
}

function causesOf(thrown: unknown): Error[] {
  const errors: Error[] = []
  let current = thrown
  while (current instanceof Error && errors.length < CAUSE_DEPTH_MAX) {
    errors.push(current)
    current = current.cause
  }
  return errors
}

/**
 * True when a unique constraint or index refused a row.
 * The transaction is lost with it: throw a clear error of your own, do not go on.
 * @param constraint - only this constraint; without it, any
 */
export function isUniqueViolation(thrown: unknown, constraint?: string): boolean {
  return isViolation(thrown, '23505', constraint)
}

/** True when a foreign key refused a row: what it points to is gone, or something still points to what was deleted. */
export function isForeignKeyViolation(thrown: unknown, constraint?: string): boolean {
  return isViolation(thrown, '23503', constraint)
}

/** True when a check constraint refused a row. */
export function isCheckViolation(thrown: unknown, constraint?: string): boolean {
  return isViolation(thrown, '23514', constraint)
}

function isViolation(thrown: unknown, code: string, constraint: string | undefined): boolean {
  const error = findPostgresError(thrown)
  if (error?.code !== code) return false
  return constraint === undefined || error.constraint === constraint
}

/** What a failed transaction means for the one who ran it. */
export type Failure =
  /** PostgreSQL chose this transaction as the victim; nothing of it remains and running it again is right. */
  | 'retry'
  /** The connection is gone. Whether a commit that was under way took place is unknown. */
  | 'connection'
  | 'login'
  | 'timeout'
  | 'full'
  | 'text'
  | 'other'

const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
])
/** pg gives these conditions no code. */
const DRIVER_MESSAGES =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end|Postgres connection has been discarded|timeout expired)/

const SQLSTATES: Readonly<Record<string, Failure>> = {
  '40001': 'retry', // serialization_failure
  '40P01': 'retry', // deadlock_detected
  '55P03': 'timeout', // lock_not_available
  '57014': 'timeout', // query_canceled
  '53100': 'full', // disk_full
  '53300': 'connection', // too_many_connections
  '57P01': 'connection', // admin_shutdown
  '57P02': 'connection', // crash_shutdown
  '57P03': 'connection', // cannot_connect_now
  '57P05': 'connection', // idle_session_timeout
  '25P03': 'connection', // idle_in_transaction_session_timeout
  '3D000': 'login', // invalid_catalog_name
  '22021': 'text', // character_not_in_repertoire
  '22P05': 'text', // untranslatable_character
}

/**
 * Sorts an error of the driver or the server. Pure.
 * Source of the codes: PostgreSQL 18, appendix A.
 */
export function failureOf(thrown: unknown): Failure {
  const code = findPostgresError(thrown)?.code
  if (code !== undefined) {
    if (code.startsWith('08')) return 'connection'
    if (code.startsWith('28')) return 'login'
    return SQLSTATES[code] ?? 'other'
  }
  const lost = causesOf(thrown).some(
    (error) => NETWORK_CODES.has(systemCodeOf(error) ?? '') || DRIVER_MESSAGES.test(error.message),
  )
  return lost ? 'connection' : 'other'
}

/** Turns what the server or the driver threw into the refusal a caller understands; everything else passes unchanged. */
export function translateFailure(thrown: unknown): unknown {
  if (thrown instanceof AppError) return thrown
  const options = { cause: thrown, retryAfterSeconds: 1 }
  const failure = failureOf(thrown)
  if (failure === 'retry' || failure === 'timeout') return databaseErrors.database_busy({}, options)
  if (failure === 'connection') return databaseErrors.database_unavailable({}, options)
  if (failure === 'full') return databaseErrors.database_full({}, options)
  if (failure === 'login') return databaseErrors.database_login_refused({}, { cause: thrown })
  if (failure === 'text') return databaseErrors.text_not_storable({}, { cause: thrown })
  return thrown
}
