import type { AnyObject } from '../model.ts'
import { listOf, objectOf, textOf, type JsonObject } from '../schema/json.ts'

/** What cells of tables read from objects of any kind. */
export const spec = (object: AnyObject): JsonObject => objectOf(object['spec'])
export const status = (object: AnyObject): JsonObject => objectOf(object['status'])
export const numberAt = (part: JsonObject, key: string): number =>
  typeof part[key] === 'number' ? part[key] : 0
export const containersOf = (pod: JsonObject): JsonObject[] => listOf(pod['containers']).map(objectOf)
/** A duration in the short form of kubectl: `12s`, `3m5s`, `4h`, `2d3h`, `400d`. */
export function durationText(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  const days = Math.floor(hours / 24)
  const years = Math.floor(days / 365)
  const two = (big: number, unit: string, rest: number, small: string): string =>
    rest === 0 ? `${big}${unit}` : `${big}${unit}${rest}${small}`
  if (seconds < 120) return `${seconds}s`
  if (minutes < 10) return two(minutes, 'm', seconds % 60, 's')
  if (minutes < 180) return `${minutes}m`
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  if (days < 8) return two(days, 'd', hours % 24, 'h')
  if (years < 2) return `${days}d`
  return years < 8 ? two(years, 'y', days % 365, 'd') : `${years}y`
}

export function ageText(timestamp: string, now: Date): string {
  const at = Date.parse(timestamp)
  return Number.isNaN(at) ? '<unknown>' : durationText(now.getTime() - at)
}

export function conditionOf(object: AnyObject, type: string): JsonObject | undefined {
  return listOf(status(object)['conditions'])
    .map(objectOf)
    .find((condition) => condition['type'] === type)
}

export function conditionStatus(object: AnyObject, type: string): string {
  return textOf(conditionOf(object, type)?.['status']) || 'Unknown'
}
