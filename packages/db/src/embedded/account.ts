import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { isRecord, messageOf } from '@slipway/kit'

import type { Log } from '../log.ts'

const run = promisify(execFile)
const COMMAND_TIMEOUT_MS = 20_000

const ACCOUNT = 'slipway-postgres'
const FALLBACK = 'nobody'

/** Who runs PostgreSQL when we are root: it refuses root, and initdb needs an entry in passwd. */
export type Account = { readonly name: string; readonly uid: number; readonly gid: number }

/**
 * The account for PostgreSQL, or undefined when this process is not root and runs it as itself.
 * Made with useradd when `mayCreate`; otherwise, or where that fails, `nobody`, which is said in the log.
 */
export async function accountForPostgres(options: {
  readonly mayCreate: boolean
  readonly log: Log
}): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const known = await findAccount(ACCOUNT)
  if (known) return known
  if (options.mayCreate) {
    const created = await createAccount(options.log)
    if (created) return created
  }
  const fallback = await findAccount(FALLBACK)
  if (!fallback) throw new Error(`neither ${ACCOUNT} nor ${FALLBACK} is an account of this machine`)
  if (options.mayCreate)
    options.log.warn({ account: FALLBACK }, `PostgreSQL runs as ${FALLBACK}: ${ACCOUNT} could not be made`)
  return fallback
}

async function createAccount(log: Log): Promise<Account | undefined> {
  try {
    await run(
      'useradd',
      [
        '--system',
        '--user-group',
        '--no-create-home',
        '--home-dir',
        '/nonexistent',
        '--shell',
        '/usr/sbin/nologin',
        ACCOUNT,
      ],
      { timeout: COMMAND_TIMEOUT_MS },
    )
  } catch (thrown) {
    // Another starter may have made it, or useradd does not exist: the look-up below tells.
    log.info({ error: messageOf(thrown) }, `useradd ${ACCOUNT} failed`)
  }
  return findAccount(ACCOUNT)
}

async function findAccount(name: string): Promise<Account | undefined> {
  let stdout: string
  try {
    ;({ stdout } = await run('getent', ['passwd', name], { timeout: COMMAND_TIMEOUT_MS }))
  } catch (thrown) {
    // Status 2 means: no such entry.
    if (isRecord(thrown) && thrown['code'] === 2) return undefined
    throw new Error('getent could not be asked for accounts', { cause: thrown })
  }
  const fields = stdout.trim().split(':')
  const uid = Number(fields[2])
  const gid = Number(fields[3])
  return Number.isSafeInteger(uid) && Number.isSafeInteger(gid) ? { name, uid, gid } : undefined
}
