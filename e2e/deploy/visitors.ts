/* People who ask the platform all the time, each time by a new connection, as a load balancer would open it. */
import { Agent, get } from 'node:https'

import { systemClock } from '@slipway/kit'

const PAUSE_MS = 50
const PATIENCE_MS = 15_000

export type Asking = {
  readonly stop: () => Promise<{ readonly count: number; readonly problems: readonly string[] }>
}

export function keepAsking(url: string, authority: string): Asking {
  const stopping = new AbortController()
  const problems: string[] = []
  let count = 0
  const agent = new Agent({ keepAlive: false, ca: authority })
  const ask = (): Promise<string> =>
    new Promise((resolve) => {
      const request = get(url, { agent, timeout: PATIENCE_MS }, (response) => {
        response.resume().once('end', () => {
          const { statusCode } = response
          resolve(statusCode === 200 ? '' : `status ${statusCode}`)
        })
      })
      request.once('timeout', () => request.destroy(new Error('no answer')))
      request.once('error', (error) => resolve(error.message))
    })
  const asking = (async () => {
    while (!stopping.signal.aborted) {
      const problem = await ask()
      count += 1
      if (problem !== '') problems.push(`${systemClock.now().toISOString()} ${problem}`)
      // Being stopped ends the pause, and by the loop's condition the asking.
      await systemClock.sleep(PAUSE_MS, stopping.signal).catch(() => undefined)
    }
  })()
  return {
    async stop() {
      stopping.abort()
      await asking
      agent.destroy()
      return { count, problems }
    },
  }
}
