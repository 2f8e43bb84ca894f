const WHOLE = /^(?:[0-9]{1,5}(?:h|ms|m|s)){1,4}$/
const UNITS_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 }

/** Milliseconds of a Gateway API duration such as `500ms` or `1m30s`; undefined for none, for zero (no limit) and for nonsense. */
export function durationMs(text: string | undefined): number | undefined {
  if (text === undefined || !WHOLE.test(text)) return undefined
  let sumMs = 0
  for (const [, count, unit] of text.matchAll(/([0-9]+)(ms|h|m|s)/g))
    sumMs += Number(count) * (UNITS_MS[unit ?? ''] ?? 0)
  return sumMs === 0 ? undefined : sumMs
}
