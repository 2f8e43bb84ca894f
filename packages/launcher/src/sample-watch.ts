import { join } from 'node:path'

import { MINUTE_MS, SECOND_MS, type Clock } from '@slipway/kit'
import type { LauncherKey } from '@slipway/messages'

import type { RunInfo } from './run-file.ts'

const PATIENCE_MS = 5 * MINUTE_MS
const POLL_MS = 500
const ANSWER_MS = 5 * SECOND_MS

export type SampleWatch = {
  readonly running: { readonly info: () => RunInfo; readonly logsFolder: string }
  readonly clock: Clock
  readonly say: (key: LauncherKey, params: Readonly<Record<string, string>>) => void
  readonly signal: AbortSignal
}

/** Says when the sample answers, or why it will not: it is built and released while the page is on the screen already. Never throws. */
export async function watchSample({ running, clock, say, signal }: SampleWatch): Promise<void> {
  const deadlineMs = clock.monotonicMs() + PATIENCE_MS
  let toldUrl: string | null = null
  while (!signal.aborted) {
    const { sampleUrl: url, sampleProblem } = running.info()
    if (sampleProblem !== null) {
      say('sample.problem', { problem: sampleProblem })
      return
    }
    if (url !== null) {
      if (await answers(url, signal)) {
        say('sample.answers', { url })
        return
      }
      if (toldUrl !== url) say('sample.building', { url })
      toldUrl = url
    }
    if (clock.monotonicMs() >= deadlineMs) {
      if (url !== null) say('sample.silent', { url, log: join(running.logsFolder, 'platform.log') })
      return
    }
    // Being stopped ends the waiting and, by the loop's condition, the watch.
    await clock.sleep(POLL_MS, signal).catch(() => undefined)
  }
}

async function answers(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(url, {
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
    })
    await response.body?.cancel()
    return response.status < 400
  } catch {
    return false // nobody listens there yet
  }
}
