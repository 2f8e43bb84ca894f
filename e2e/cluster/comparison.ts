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

/**
 * A refusal reduced to what clients act on: the causes as a set, without the Go structures that the real server prints into
 * its texts, and without the message, which is the same causes once more.
 */
export function comparableRefusal(value: unknown): unknown {
  if (!isRecord(value) || !isRecord(value['details']) || !Array.isArray(value['details']['causes']))
    return value
  const causes = value['details']['causes'].map((cause) =>
    JSON.stringify(cause, (_, inner: unknown) => withoutStructures(inner)),
  )
  return {
    ...value,
    message: undefined,
    details: { ...value['details'], causes: [...new Set(causes)].toSorted() },
  }
}

function withoutStructures(value: unknown): unknown {
  if (typeof value !== 'string') return value
  const [firstLine = ''] = value.split('\n')
  return firstLine.replace(/(Invalid|Duplicate) value: [[{].*[\]}]/, '$1 value: …')
}
