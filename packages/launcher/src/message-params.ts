import { isRecord, type ErrorParams } from '@slipway/kit'

/** Parameters of a text as a child sent them; whatever is no plain value is left out. Pure. */
export function paramsOf(value: unknown): ErrorParams {
  if (!isRecord(value)) return {}
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, given]) =>
      typeof given === 'string' || typeof given === 'number' || typeof given === 'boolean'
        ? [[key, given]]
        : [],
    ),
  )
}
