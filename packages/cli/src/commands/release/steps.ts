import { parseDurationMs } from '@slipway/kit'

import { cliErrors } from '../../errors.ts'

/*
 * The short form of a Plan, for `--steps`: steps from the first to the last, separated by commas.
 *   4            so many Instances of the new version        25%       that share of them
 *   rest         all of them
 * What follows a step belongs to it:
 *   person       wait for a person's approval                soak 5m   serve that long before the step counts as passed
 *   weight 10%   that share of the traffic                   header x-gray: 1   requests with this header, whatever the weight
 */
export type Step = {
  instances?: number
  percent?: number
  weight?: number
  header?: string
  approve?: boolean
  soakSeconds?: number
}

const PARTS = '1, 25%, rest; behind one of them: person, soak 5m, weight 10%, header x-gray: 1'

/** @throws {AppError} `option_invalid` naming the part that cannot be read */
export function parseSteps(text: string): Step[] {
  const steps: Step[] = []
  for (const part of text.split(',').map((one) => one.trim())) {
    const step = stepOf(part)
    if (step) {
      steps.push(step)
      continue
    }
    const last = steps.at(-1)
    const before = last && Object.keys(last).length
    // What is said twice of one step would silently count only once.
    if (!last || !addTo(last, part) || Object.keys(last).length === before)
      throw cliErrors.option_invalid({ option: '--steps', problem: `"${part}" (${PARTS})` })
  }
  return steps
}

function stepOf(part: string): Step | undefined {
  if (part === 'rest') return { percent: 100 }
  const percent = /^([1-9][0-9]?|100) ?%$/u.exec(part)?.[1]
  if (percent !== undefined) return { percent: Number(percent) }
  return /^[1-9][0-9]{0,2}$/u.test(part) ? { instances: Number(part) } : undefined
}

function addTo(step: Step, part: string): boolean {
  const [word = '', rest = ''] = part.split(/\s+(.*)/su, 2)
  switch (word) {
    case 'person':
      step.approve = true
      return rest === ''
    case 'weight': {
      const weight = /^([0-9]{1,3}) ?%$/u.exec(rest)?.[1]
      if (weight === undefined || Number(weight) > 100) return false
      step.weight = Number(weight)
      return true
    }
    case 'header':
      step.header = rest
      return /^[A-Za-z0-9-]{1,64}: ?[\x21-\x7e]/u.test(rest)
    case 'soak':
      try {
        step.soakSeconds = Math.ceil(parseDurationMs(rest) / 1_000)
        return true
      } catch {
        // Whatever it is, it is no duration; the caller names the part.
        return false
      }
    default:
      return false
  }
}
