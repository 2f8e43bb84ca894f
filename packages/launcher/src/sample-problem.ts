import { isRecord, type ErrorParams } from '@slipway/kit'
import { errorText, launcherText, releaseText, type Language } from '@slipway/messages'

import { paramsOf } from './message-params.ts'

/** The state of a build that a person ended; it has no reason. */
const CANCELLED = 'Cancelled'
const LENGTH_MAX = 1_000

/**
 * What keeps the sample from answering, as one sentence for a person, which names the commands that show more.
 * @param trouble - as the platform tells it: part, subject such as `sample/hello#1`, code and params of the reason
 * @returns null when nothing is wrong
 */
export function sampleProblemOf(language: Language, trouble: unknown): string | null {
  if (!isRecord(trouble)) return null
  const { part, subject, code, params } = trouble
  if (typeof subject !== 'string' || typeof code !== 'string') return null
  const [named = subject] = subject.split('#', 1)
  const reason = reasonOf(language, part, code, paramsOf(params)).replace(/[.。]$/u, '')
  const problem =
    part === 'build'
      ? launcherText(language, 'sample.build.failed', { reason, subject, application: named })
      : launcherText(language, 'sample.release.failed', { reason, subject, workload: named })
  // One line, since programs read it from one.
  return problem.replaceAll(/\s+/gu, ' ').slice(0, LENGTH_MAX)
}

function reasonOf(language: Language, part: unknown, code: string, params: ErrorParams): string {
  if (part !== 'build') return releaseText(language, code, params)
  return code === CANCELLED ? launcherText(language, 'sample.cancelled') : errorText(language, code, params)
}
