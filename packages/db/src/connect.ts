import { assert } from '@slipway/kit'
import { Client, types } from 'pg'
import type { ClientConfig, CustomTypesConfig } from 'pg'

import { translateFailure } from './errors.ts'

const CONNECT_TIMEOUT_MS = 10_000

// Object ids of PostgreSQL's built-in types (pg_type.dat).
const INT8 = 20
const DATE = 1082
const TIMESTAMP = 1114
const INT8_ARRAY = 1016
const DATE_ARRAY = 1182
/** The driver's list of types has no arrays, its table of parsers has. */
const TEXT_ARRAY: number = 1009
const parseTextArray = types.getTypeParser(TEXT_ARRAY, 'text') as (text: string) => (string | null)[]

/**
 * How values arrive: bigint as number (what is not exact is an error, never a wrong number), timestamptz as Date,
 * numeric, date and timestamp as text, since neither has a Date without guessing.
 */
const parsers: CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (format === 'binary') return types.getTypeParser(oid, 'binary') as unknown
    if (oid === INT8) return parseSafeInteger
    if (oid === INT8_ARRAY) return parseSafeIntegers
    if (oid === DATE || oid === TIMESTAMP) return parseText
    if (oid === DATE_ARRAY) return parseTextArray
    return types.getTypeParser(oid, 'text') as unknown
  },
}

function parseText(text: string): string {
  return text
}

function parseSafeInteger(text: string): number {
  const value = Number(text)
  assert(Number.isSafeInteger(value), 'a bigint beyond 2^53 was read: cast it to text in the query')
  return value
}

function parseSafeIntegers(text: string): (number | null)[] {
  return parseTextArray(text).map((part) => (part === null ? null : parseSafeInteger(part)))
}

export type ConnectOptions = {
  readonly url: string
  /** Shown in pg_stat_activity. */
  readonly name: string
  readonly statementTimeoutMs?: number
  readonly lockTimeoutMs?: number
  readonly idleInTransactionTimeoutMs?: number
  readonly connectTimeoutMs?: number
}

/** Settings of one connection; a timeout of 0 means none. */
export function clientConfigOf(options: ConnectOptions): ClientConfig {
  return {
    connectionString: options.url,
    application_name: options.name,
    connectionTimeoutMillis: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    statement_timeout: options.statementTimeoutMs ?? 0,
    lock_timeout: options.lockTimeoutMs ?? 0,
    idle_in_transaction_session_timeout: options.idleInTransactionTimeoutMs ?? 0,
    keepAlive: true,
    types: parsers,
  }
}

/**
 * One connection of its own, outside any pool. Dispose to close it.
 * @throws {AppError} `database_unavailable`, `database_login_refused`
 */
export async function connectClient(options: ConnectOptions): Promise<Client & AsyncDisposable> {
  const client = new Client(clientConfigOf(options))
  // Without a listener a lost connection would end the process; whoever waits for a query gets the error there.
  client.on('error', () => undefined)
  try {
    await client.connect()
  } catch (thrown) {
    await client.end().catch(() => undefined) // never connected: nothing to be closed
    throw translateFailure(thrown)
  }
  return Object.assign(client, {
    async [Symbol.asyncDispose]() {
      await client.end().catch(() => undefined) // the server may be gone already; closed is closed
    },
  })
}

/** An SQL identifier in quotes. */
export function quoteName(name: string): string {
  assert(!name.includes('\0') && name.length > 0, 'a name in SQL has no NUL and is not empty')
  return `"${name.replaceAll('"', '""')}"`
}
