import { SECOND_MS, systemClock } from '@slipway/kit'
import { ApiError } from '@slipway/sdk'

import { signalStore } from './store.ts'
import { api } from './client.ts'
import { serverNow } from './server-time.ts'

/** Since when the server has not been reached; undefined while it answers. */
export const lostSince = signalStore<Date | undefined>(undefined)

const ASK_AGAIN_MS = 1.5 * SECOND_MS
const UNREACHABLE: ReadonlySet<string> = new Set(['server_unreachable', 'request_timed_out'])

export function isUnreachable(error: unknown): boolean {
  return error instanceof ApiError && (UNREACHABLE.has(error.code) || error.code === 'database_unavailable')
}

/** Begins to ask for the server until it answers; `healed` is called once then. */
export function noticeLoss(healed: () => void): void {
  if (lostSince.get() !== undefined) return
  lostSince.set(serverNow())
  void askUntilBack(() => {
    lostSince.set(undefined)
    healed()
  })
}

async function askUntilBack(isBack: () => void): Promise<void> {
  for (;;) {
    await systemClock.sleep(ASK_AGAIN_MS)
    try {
      await api.getHealth({}, { timeoutMs: 3 * SECOND_MS })
      return isBack()
    } catch (thrown) {
      // Whatever it answers but this, the server is there again.
      if (!isUnreachable(thrown)) return isBack()
    }
  }
}
