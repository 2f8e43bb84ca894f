import { assert, messageOf } from '@slipway/kit'
import type { Transaction } from 'kysely'
import { sql } from 'kysely'

import type { Log } from './log.ts'

type Hook = () => void | Promise<void>

/** Keyed by the transaction object, so that an attempt that was rolled back takes its hooks along. */
const hooksOf = new WeakMap<object, Hook[]>()

/** Bounds what one transaction can hold back; more than this is a loop that should wake once. */
const HOOKS_MAX = 1_000

/**
 * Runs `hook` after `db` has committed, in the order of registration; never after a rollback or a dry run.
 * What it throws is logged and changes nothing: the commit has happened, and a crash right after it skips hooks,
 * so a hook may only hasten what a timer would find anyway.
 */
export function onCommit<Tables>(db: Transaction<Tables>, hook: Hook): void {
  const hooks = hooksOf.get(db) ?? []
  assert(hooks.length < HOOKS_MAX, 'too many commit hooks in one transaction')
  hooks.push(hook)
  hooksOf.set(db, hooks)
}

/** Runs and forgets the hooks of a committed transaction. */
export async function runCommitHooks(db: object, log: Log): Promise<void> {
  const hooks = hooksOf.get(db) ?? []
  hooksOf.delete(db)
  for (const hook of hooks) {
    try {
      await hook()
    } catch (thrown) {
      log.error({ error: messageOf(thrown) }, 'a commit hook failed')
    }
  }
}

/** What NOTIFY can carry is below 8000 bytes. */
const PAYLOAD_BYTES_MAX = 7_999

/** Wakes every replica that listens on `channel` when `db` commits; equal payloads of one transaction arrive once. */
export async function notify<Tables>(
  db: Transaction<Tables>,
  channel: string,
  payload: string,
): Promise<void> {
  assert(Buffer.byteLength(payload) <= PAYLOAD_BYTES_MAX, 'a notification carries a key, not data')
  await sql`select pg_notify(${channel}, ${payload})`.execute(db)
}
