/*
 * The body of a watch: one JSON object per line. Lines are cut on bytes, since a character may be split between two chunks.
 */
import type { Readable } from 'node:stream'

import { isRecord } from '@slipway/kit'

import { errorOfStatus, KubeError } from './errors.ts'
import type { WatchEvent } from './kube.ts'
import { liveObject } from './objects.ts'
import { parseReply } from './reply.ts'
import type { ResourceName } from './resources.ts'
import { connectionError } from './transport.ts'

/** Far above what etcd takes; a line that long is not from a Kubernetes API. */
const LINE_MAX_BYTES = 16 * 1024 * 1024
const NEWLINE = 0x0a

/**
 * @throws {KubeError} of an ERROR event; `InvalidReply` for a line that is no event; `ConnectionLost`
 */
export async function* watchEvents<R extends ResourceName>(
  resource: R,
  body: Readable,
): AsyncGenerator<WatchEvent<R>> {
  let pending: Buffer[] = []
  let pendingBytes = 0
  for await (const chunk of chunksOf(body)) {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const line = Buffer.concat([...pending, chunk.subarray(start, end)])
      pending = []
      pendingBytes = 0
      start = end + 1
      if (line.length > 1) yield eventOf(resource, line)
    }
    pending.push(chunk.subarray(start))
    pendingBytes += chunk.length - start
    if (pendingBytes > LINE_MAX_BYTES)
      throw new KubeError(0, 'InvalidReply', `an event of the watch is larger than ${LINE_MAX_BYTES} bytes`)
  }
  // A stream that ends in the middle of a line was cut, whatever the transport says.
  if (pendingBytes > 0) throw new KubeError(0, 'ConnectionLost', 'the watch ended in the middle of an event')
}

async function* chunksOf(body: Readable): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of body) yield chunk as Buffer
  } catch (error) {
    throw error instanceof KubeError || isAbort(error) ? error : connectionError(error, 'the watch broke')
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

function eventOf<R extends ResourceName>(resource: R, line: Buffer): WatchEvent<R> {
  let event: unknown
  try {
    event = parseReply(line)
  } catch (cause) {
    throw new KubeError(0, 'InvalidReply', 'a line of the watch is not JSON', { cause })
  }
  const { type, object } = isRecord(event) ? event : {}
  if (type === 'ERROR' && isRecord(object)) throw errorOfStatus(object)
  if (type === 'BOOKMARK' && isRecord(object) && isRecord(object['metadata'])) {
    const { resourceVersion } = object['metadata']
    if (typeof resourceVersion === 'string') return { type, resourceVersion }
  }
  if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED')
    return { type, object: liveObject(resource, object) }
  throw new KubeError(0, 'InvalidReply', 'a line of the watch is not an event')
}
