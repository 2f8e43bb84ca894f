import type { Language } from '@slipway/messages'
import { DAY_MS, GIB, HOUR_MS, KIB, MIB, MINUTE_MS, SECOND_MS } from '@slipway/kit'

import { usePreferences } from './store.ts'

type Unit = 'second' | 'minute' | 'hour' | 'day'

/** Formats for the reader's language and time zone. */
export type Format = {
  readonly absolute: (at: string | Date) => string
  /** Year, month and day. */
  readonly day: (at: string | Date) => string
  /** Hours, minutes and seconds. */
  readonly clockTime: (at: string | Date) => string
  readonly relative: (at: string, now: Date) => string
  readonly duration: (ms: number) => string
  readonly bytes: (count: number) => string
  readonly cores: (count: number) => string
  readonly number: (value: number) => string
}

export function useFormat(): Format {
  const { language, zone } = usePreferences()
  return formatFor(language, zone)
}

const made = new Map<string, Format>()

/** Makers of Intl formats are slow, so each combination is made once. */
export function formatFor(language: Language, zone: string): Format {
  const key = `${language} ${zone}`
  const known = made.get(key)
  if (known) return known
  const format = makeFormat(language, zone)
  made.set(key, format)
  return format
}

function makeFormat(language: Language, zone: string): Format {
  const timeZone = zone === 'local' ? {} : { timeZone: zone }
  const absolute = new Intl.DateTimeFormat(language, {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    ...timeZone,
    timeZoneName: 'short',
  })
  const day = new Intl.DateTimeFormat(language, { dateStyle: 'medium', ...timeZone })
  const clockTime = new Intl.DateTimeFormat(language, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    ...timeZone,
  })
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'always', style: 'short' })
  const plain = new Intl.NumberFormat(language, { maximumFractionDigits: 2 })
  const units = (value: number, unit: Unit): string =>
    new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'short' }).format(value)
  return {
    absolute: (at) => absolute.format(new Date(at)),
    day: (at) => day.format(new Date(at)),
    clockTime: (at) => clockTime.format(new Date(at)),
    relative(at, now) {
      const { value, unit } = spanOf(new Date(at).getTime() - now.getTime())
      // Less than a second away is just past.
      return relative.format(value === 0 ? -0 : value, unit)
    },
    duration(ms) {
      const { value, unit } = spanOf(ms)
      const restMs = Math.abs(ms) % MINUTE_MS
      if (unit === 'minute' && restMs >= SECOND_MS)
        return `${units(value, unit)} ${units(Math.floor(restMs / SECOND_MS), 'second')}`
      return units(value, unit)
    },
    bytes(count) {
      const [size, name] = count >= GIB ? [GIB, 'GiB'] : count >= MIB ? [MIB, 'MiB'] : [KIB, 'KiB']
      return `${plain.format(Math.round((count / size) * 10) / 10)} ${name}`
    },
    cores: (count) => plain.format(count),
    number: (value) => plain.format(value),
  }
}

/** A span of time in the largest unit that it fills. Pure. */
export function spanOf(ms: number): { readonly value: number; readonly unit: Unit } {
  const size = Math.abs(ms)
  const [unit, unitMs]: [Unit, number] =
    size >= 2 * DAY_MS
      ? ['day', DAY_MS]
      : size >= HOUR_MS
        ? ['hour', HOUR_MS]
        : size >= MINUTE_MS
          ? ['minute', MINUTE_MS]
          : ['second', SECOND_MS]
  return { value: Math.trunc(ms / unitMs), unit }
}
