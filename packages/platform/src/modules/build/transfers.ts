import { messageOf, SECOND_MS } from '@slipway/kit'

import type { Platform } from '../../context.ts'
import * as queries from './transfer-queries.ts'

/*
 * A package or a cache that comes in is known to every replica, since the one that leads judges the Job and another one may be
 * receiving. The mark is renewed while bytes come and is over soon after the process that receives has died.
 */
export type TransferKind = 'package' | 'cache'

const MARK_SECONDS = 15
const RENEW_MS = 5 * SECOND_MS

/** Marks a transfer until it is disposed of. */
export async function markTransfer(
  { database, clock, log }: Pick<Platform, 'database' | 'clock' | 'log'>,
  buildId: string,
  kind: TransferKind,
): Promise<AsyncDisposable> {
  const mark = (): Promise<void> =>
    database.transact('all', (db) => queries.markTransfer(db, { buildId, kind, seconds: MARK_SECONDS }))
  await mark()
  const renewing = clock.every(RENEW_MS, () => {
    mark().catch((thrown: unknown) => log.warn({ error: messageOf(thrown) }, 'renewing a transfer failed'))
  })
  return {
    async [Symbol.asyncDispose]() {
      renewing[Symbol.dispose]()
      // What came in counts whether or not this is heard: the mark runs out by itself.
      await database
        .transact('all', (db) => queries.endTransfer(db, buildId, kind))
        .catch((thrown: unknown) => log.warn({ error: messageOf(thrown) }, 'ending a transfer failed'))
    },
  }
}
