import { setTimeout as sleep } from 'node:timers/promises'

const DEADLINE_MS = 90_000
const POLL_MS = 50

/** A program ended at its start: waiting any longer is of no use. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure'
}

/**
 * Asks until the answer is there; whatever fails before that is "not yet".
 * @throws {StartFailure} at once when `ask` does; {Error} naming `what` after 90 seconds
 */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const deadlineMs = Date.now() + DEADLINE_MS
  let last: unknown = 'no'
  for (;;) {
    try {
      const answer = await ask()
      if (answer !== undefined && answer !== false) return answer
    } catch (error) {
      if (error instanceof StartFailure) throw error
      last = error
    }
    if (Date.now() > deadlineMs)
      throw new Error(`${what} did not come up in ${DEADLINE_MS} ms: ${String(last)}`)
    await sleep(POLL_MS)
  }
}
