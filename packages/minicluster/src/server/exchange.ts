import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'

import { AppError, messageOf } from '@slipway/kit'

import { StatusError, statusErrors } from '../errors.ts'
import type { JsonObject } from '../schema/json.ts'
import type { User } from './access.ts'

/** One request under way. */
export type Exchange = {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly query: URLSearchParams
  readonly user: User
}

const SLICE_BYTES = 128 * 1024
const WARNING_MAX_LENGTH = 256
const WARNINGS_MAX = 16

export function sendJson(response: ServerResponse, code: number, body: JsonObject | Buffer): void {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body))
  response.writeHead(code, {
    'Content-Type': 'application/json',
    'Cache-Control': 'no-cache, private',
    'Content-Length': bytes.length,
  })
  response.end(response.req.method === 'HEAD' ? undefined : bytes)
}

export function sendText(response: ServerResponse, code: number, text: string): void {
  response.writeHead(code, {
    'Content-Type': 'text/plain; charset=utf-8',
    'X-Content-Type-Options': 'nosniff',
    'Content-Length': Buffer.byteLength(text),
  })
  response.end(text)
}

/** Sends pieces in slices, so that a long answer neither blocks other requests nor fills the memory for a slow reader. */
export async function sendPieces(response: ServerResponse, pieces: Iterable<Buffer>): Promise<void> {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache, private' })
  let slice: Buffer[] = []
  let sizeBytes = 0
  for (const piece of pieces) {
    slice.push(piece)
    sizeBytes += piece.length
    if (sizeBytes < SLICE_BYTES) continue
    if (!(await writeSlice(response, Buffer.concat(slice)))) return
    slice = []
    sizeBytes = 0
  }
  response.end(Buffer.concat(slice))
}

/** Writes and lets others go first; false when the reader has gone. */
export async function writeSlice(response: ServerResponse, bytes: Buffer): Promise<boolean> {
  if (response.destroyed) return false
  if (!response.write(bytes)) await drained(response)
  else await new Promise((resolve) => setImmediate(resolve))
  return !response.destroyed
}

/** Waits until the reader has caught up or gone, and leaves no listener behind: a large answer waits many times. */
async function drained(response: ServerResponse): Promise<void> {
  const settled = new AbortController()
  const options = { signal: settled.signal }
  await Promise.race([once(response, 'drain', options), once(response, 'close', options)])
  settled.abort()
}

/** Tells the client something beside the answer. Must come before the answer. */
export function addWarning(response: ServerResponse, message: string): void {
  const known = response.getHeader('Warning')
  const warnings = Array.isArray(known) ? known : []
  if (warnings.length >= WARNINGS_MAX) return
  const text = message.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/["\\]/g, '\\$&')
  response.setHeader('Warning', [...warnings, `299 - "${text.slice(0, WARNING_MAX_LENGTH)}"`])
}

/** Any error as the refusal to send; what is no refusal is a bug and says nothing of its inside. */
export function statusErrorOf(error: unknown): StatusError {
  if (error instanceof StatusError) return error
  if (error instanceof AppError && error.status < 500) return statusErrors.badRequest(messageOf(error))
  return statusErrors.internal('Internal error occurred; see the log of the server')
}

export function statusObject(error: StatusError): JsonObject {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: error.message,
    reason: error.reason,
    ...detailsOf(error),
    code: error.code,
  }
}

/** Without an empty group, which means the core; a body that was refused as a whole has empty details. */
function detailsOf({ details, reason }: StatusError): JsonObject {
  if (!details) return reason === 'Invalid' ? { details: {} } : {}
  const { group, ...rest } = details
  return { details: group ? { ...rest, group } : rest }
}

export function sendError(response: ServerResponse, error: StatusError): void {
  const seconds = error.details?.retryAfterSeconds
  if (seconds !== undefined) response.setHeader('Retry-After', String(seconds))
  if (error.code === 401) response.setHeader('WWW-Authenticate', 'Bearer')
  // The rest of a body that was not read would be taken for the next request.
  if (!response.req.complete) response.setHeader('Connection', 'close')
  sendJson(response, error.code, statusObject(error))
}

export function isTrue(value: string | null): boolean {
  return value === 'true' || value === '1'
}
