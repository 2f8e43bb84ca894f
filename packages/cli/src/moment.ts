import { parseDurationMs } from '@slipway/kit'

import type { Deps } from './deps.ts'
import { cliErrors } from './errors.ts'

type Said = {
  /** As it is written, for the refusal. */
  readonly option: string
  readonly text: string
  /** A length of time counts from now on instead of back from now. */
  readonly ahead?: boolean
}

/** A time, a day (its beginning in UTC), or a length of time as `10m`. Gives RFC 3339. @throws {AppError} `option_expected` */
export function momentOf({ clock }: Pick<Deps, 'clock'>, { option, text, ahead = false }: Said): string {
  if (/^\d{4}-\d{2}-\d{2}(T.+Z)?$/u.test(text)) {
    const at = new Date(text)
    if (!Number.isNaN(at.getTime())) return at.toISOString()
  }
  try {
    const lengthMs = parseDurationMs(text)
    return new Date(clock.now().getTime() + (ahead ? lengthMs : -lengthMs)).toISOString()
  } catch (cause) {
    throw cliErrors.option_expected({ option, expected: '10m, 2026-01-31T08:00:00Z' }, { cause })
  }
}
