import { AppError, retryDelayMs } from '@slipway/kit'

import { ociErrors } from '../errors.ts'
import type { Digest } from '../format/digest.ts'
import { discard, type Call, type Transport } from './transport.ts'

/*
 * Upload of one blob whose digest is known only at its end. Chunks are held in memory until the registry has confirmed them, so a
 * broken connection costs one question (how far did you get?) and at most one chunk sent again.
 */
export type BlobWriter = {
  readonly write: (chunk: Uint8Array) => Promise<void>
  /** Ends the upload; the registry checks the digest of the whole. */
  readonly commit: (digest: Digest) => Promise<void>
  /** Gives the upload up; never throws. */
  readonly abort: () => Promise<void>
}

export type BlobWriterOptions = {
  readonly transport: Transport
  readonly scopes: readonly string[]
  /** The upload's address, as the registry gave it. */
  readonly location: string
  readonly chunkBytes: number
  readonly random: () => number
  readonly signal: AbortSignal | undefined
}

const ATTEMPTS_MAX = 4

export function blobWriterOf(options: BlobWriterOptions): BlobWriter {
  const { transport } = options
  let location = options.location
  let confirmedBytes = 0
  let pending: Uint8Array[] = []
  let pendingBytes = 0

  function call(method: Call['method'], target: string, more: Partial<Call> = {}): Promise<Response> {
    return transport.send({ method, target, scopes: options.scopes, signal: options.signal, ...more })
  }

  function moveTo(response: Response): void {
    location = nextLocation(response, location)
  }

  /** Sends `bytes`, which begin at `confirmedBytes`, until the registry has them all. */
  async function sendChunk(bytes: Uint8Array): Promise<void> {
    const endBytes = confirmedBytes + bytes.length
    for (let attempt = 0; confirmedBytes < endBytes; attempt += 1) {
      const rest = bytes.subarray(bytes.length - (endBytes - confirmedBytes))
      const failure = await patch(rest)
      if (failure === undefined) return
      if (attempt + 1 >= ATTEMPTS_MAX) throw failure
      await transport.clock.sleep(
        retryDelayMs(attempt, options.random, { firstMs: 200, maxMs: 5_000 }),
        options.signal,
      )
      await askProgress(confirmedBytes, endBytes)
    }
  }

  /** Returns the failure when trying again makes sense, throws when it does not. */
  async function patch(bytes: Uint8Array): Promise<Error | undefined> {
    let response: Response
    try {
      response = await call('PATCH', location, {
        body: bytes,
        headers: {
          'content-type': 'application/octet-stream',
          'content-range': `${confirmedBytes}-${confirmedBytes + bytes.length - 1}`,
        },
      })
    } catch (cause) {
      if (cause instanceof AppError && cause.code === 'registry_unreachable') return cause
      throw cause
    }
    if (response.status === 202) {
      moveTo(response)
      await discard(response)
      confirmedBytes += bytes.length
      return undefined
    }
    const error = await transport.errorFor(response, 'the upload')
    if (response.status >= 500 || response.status === 416 || response.status === 429) return error
    throw error
  }

  async function askProgress(fromBytes: number, endBytes: number): Promise<void> {
    const response = await call('GET', location)
    if (response.status !== 204) throw await transport.errorFor(response, 'the upload')
    moveTo(response)
    await discard(response)
    const end = /^(?:bytes=)?0-([0-9]{1,15})$/.exec(response.headers.get('range') ?? '')
    const hasBytes = end ? Number(end[1]) + 1 : 0
    // One byte is also how servers write "nothing yet": the range has no way to say zero.
    const knownBytes = hasBytes === 1 ? 0 : hasBytes
    if (knownBytes < fromBytes || knownBytes > endBytes)
      throw ociErrors.registry_reply_invalid({
        registry: transport.host,
        reason: 'it lost a part of the upload',
      })
    confirmedBytes = knownBytes
  }

  async function flush(): Promise<void> {
    if (pendingBytes === 0) return
    const bytes = Buffer.concat(pending)
    pending = []
    pendingBytes = 0
    await sendChunk(bytes)
  }

  return {
    async write(chunk) {
      pending.push(chunk)
      pendingBytes += chunk.length
      if (pendingBytes >= options.chunkBytes) await flush()
    },
    async commit(digest) {
      // A blob that fits in one chunk goes with the closing request itself.
      const whole = confirmedBytes === 0 ? Buffer.concat(pending) : undefined
      if (whole === undefined) await flush()
      const response = await call('PUT', withDigest(location, digest, transport), {
        body: whole ?? new Uint8Array(0),
        headers: { 'content-type': 'application/octet-stream' },
      })
      if (response.status !== 201) throw await transport.errorFor(response, digest)
      await discard(response)
    },
    async abort() {
      pending = []
      try {
        await discard(await call('DELETE', location, { signal: undefined }))
      } catch {
        // The registry drops abandoned uploads by itself; the reason for giving up matters more than this one.
      }
    },
  }
}

export function nextLocation(response: Response, fallback: string): string {
  return response.headers.get('location') ?? fallback
}

function withDigest(location: string, digest: Digest, transport: Transport): string {
  const parsed = URL.parse(location, 'http://relative.invalid')
  if (!parsed) throw transport.invalid('it names an upload address that is not usable')
  parsed.searchParams.set('digest', digest)
  return parsed.host === 'relative.invalid' ? `${parsed.pathname}${parsed.search}` : parsed.href
}
