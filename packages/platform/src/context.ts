import type { Database } from '@slipway/db'
import type { Clock, Envelope, NewId, Random } from '@slipway/kit'
import type { Logger } from 'pino'

import type { Access } from './modules/access/model.ts'
import type { Settings } from './settings.ts'
import type { Db, Tables } from './tables.ts'

/** What lives as long as the process; built by hand in `platform.ts`, handed down, never imported. */
export type Platform = {
  readonly settings: Settings
  readonly database: Database<Tables>
  readonly clock: Clock
  readonly random: Random
  readonly newId: NewId
  readonly envelope: Envelope
  readonly log: Logger
  /** Id of this installation (`ins_…`), made once. */
  readonly installationId: string
}

/** Who makes a request. */
export type Account = {
  /** User id, or `anonymous`. */
  readonly id: string
  readonly name: string
  readonly via: 'session' | 'token' | 'none'
  /** What proves the account: the hash of a session's secret or a token's id; asked again while a stream is open. */
  readonly proof: string
  readonly access: Access
}

/** What an audit event says beside what the route layer knows. */
export type AuditNote = {
  /** `<kind>:<id>` of what was made or changed, when the path does not name it. */
  readonly target?: string
  /** The Organization whose chain records it, when the path's object does not decide it. */
  readonly organizationId?: string
  readonly projectId?: string
  /** Facts worth keeping; never a secret value. */
  readonly detail?: Readonly<Record<string, unknown>>
  /** Nothing happened: a question that is asked again and again until something does. No event is appended. */
  readonly unremarkable?: true
}

/** What a request brings along beside its input. */
export type RequestContext = Platform & {
  readonly requestId: string
  /** The caller's network address. */
  readonly address: string
  readonly account: Account
  /** When the request came; one time for all it writes. */
  readonly now: Date
  /** Everything is checked and nothing may be changed, in Clusters neither. */
  readonly dryRun: boolean
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal
  /** Runs `run` in a transaction of its own that only reads, for handlers that also do network I/O. */
  readonly read: <T>(run: (db: Db) => Promise<T>) => Promise<T>
  /** Counts a hit on a key of the caller's choice in this minute, in a transaction of its own. */
  readonly countHit: (
    key: string,
    maxPerMinute: number,
  ) => Promise<{ readonly allowed: boolean; readonly retryAfterSeconds: number }>
}

/** Context inside the one transaction of a request. */
export type Ctx = RequestContext & {
  readonly db: Db
  /** Adds to the audit event that is appended when the transaction commits. */
  readonly note: (note: AuditNote) => void
}
