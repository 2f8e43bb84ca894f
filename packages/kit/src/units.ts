import { defineErrors } from './errors.ts'

export const KIB = 1024
export const MIB = 1024 * KIB
export const GIB = 1024 * MIB

export const SECOND_MS = 1_000
export const MINUTE_MS = 60 * SECOND_MS
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

const unitErrors = defineErrors({ quantity_invalid: { status: 400 }, duration_invalid: { status: 400 } })

const QUANTITY = /^([+-]?[0-9]{1,18}(?:\.[0-9]{1,9})?)([eE][+-]?[0-9]{1,2}|[numkMGTPE]|[KMGTPE]i)?$/
const QUANTITY_FACTORS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}

/**
 * Value of a Kubernetes quantity (`250m`, `1.5Gi`, `2e3`) in its base unit: cores, bytes, pieces.
 * Source: the serialization format in the Kubernetes API's `resource.Quantity`.
 * @throws {AppError} `quantity_invalid`
 */
export function parseQuantity(text: string): number {
  const match = QUANTITY.exec(text)
  if (!match) throw unitErrors.quantity_invalid({ value: text.slice(0, 64) })
  const suffix = match[2] ?? ''
  const factor = /^[eE][+-]?[0-9]/.test(suffix)
    ? 10 ** Number(suffix.slice(1))
    : (QUANTITY_FACTORS[suffix] ?? 1)
  return Number(match[1]) * factor
}

const DURATION = /^([0-9]{1,9})(ms|s|m|h|d)$/
const DURATION_FACTORS: Readonly<Record<string, number>> = {
  ms: 1,
  s: SECOND_MS,
  m: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
}

/**
 * Milliseconds of a duration such as `500ms`, `30s`, `10m`, `2h`, `7d`.
 * @throws {AppError} `duration_invalid`
 */
export function parseDurationMs(text: string): number {
  const match = DURATION.exec(text)
  if (!match) throw unitErrors.duration_invalid({ value: text.slice(0, 64) })
  return Number(match[1]) * (DURATION_FACTORS[match[2] ?? ''] ?? 0)
}
