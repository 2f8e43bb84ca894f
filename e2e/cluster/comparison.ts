import { isRecord } from '@slipway/kit'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const DRAWN = new Set(['uid', 'resourceVersion', 'creationTimestamp', 'time', 'clusterIP', 'clusterIPs'])

/** An answer without what differs between any two servers: uids, versions, times, addresses. */
export function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => comparable(item))
  if (!isRecord(value)) return typeof value === 'string' && UUID.test(value) ? 'a uid' : value
  const kept = Object.entries(value).map(([key, field]) =>
    DRAWN.has(key) && field !== 'None' ? [key, typeof field] : [key, comparable(field)],
  )
  return Object.fromEntries(kept)
}
