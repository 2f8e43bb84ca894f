import { AppError } from '@slipway/kit'

import { ociErrors } from '../errors.ts'
import type { Digest } from '../format/digest.ts'
import { guardedStream, verifiedStream, type ByteStream } from '../streams.ts'
import { emptyStream } from './authorization.ts'
import { checkRepository, scopeOf } from './names.ts'
import { discard, IDLE_MS, type Transport } from './transport.ts'

const RESUMES_MAX = 5

type BlobAt = {
  readonly repository: string
  readonly digest: Digest
  readonly signal: AbortSignal | undefined
}

export async function headBlob(transport: Transport, at: BlobAt): Promise<number | undefined> {
  const response = await transport.send({
    method: 'HEAD',
    target: `/v2/${checkRepository(at.repository)}/blobs/${at.digest}`,
    scopes: [scopeOf(at.repository, 'pull')],
    signal: at.signal,
  })
  await discard(response)
  if (response.status === 404) return undefined
  if (response.status !== 200) throw await transport.errorFor(response, at.digest)
  const length = Number(response.headers.get('content-length') ?? 'none')
  if (!Number.isSafeInteger(length) || length < 0) throw transport.invalid('it tells no size for a blob')
  return length
}

export async function openVerified(
  transport: Transport,
  at: BlobAt & { readonly size: number | undefined },
): Promise<ByteStream> {
  const first = await getBlob(transport, at, 0)
  if (first.status !== 200) throw await transport.errorFor(first, at.digest)
  const announced = first.headers.get('content-length')
  const size = at.size ?? (announced === null ? undefined : Number(announced))
  return verifiedStream(resumingStream(transport, at, first), { digest: at.digest, size }, (reason) =>
    transport.invalid(`${at.digest}: ${reason}`),
  )
}

function getBlob(transport: Transport, at: BlobAt, offsetBytes: number): Promise<Response> {
  return transport.send({
    method: 'GET',
    target: `/v2/${checkRepository(at.repository)}/blobs/${at.digest}`,
    scopes: [scopeOf(at.repository, 'pull')],
    ...(offsetBytes === 0 ? {} : { headers: { range: `bytes=${offsetBytes}-` } }),
    signal: at.signal,
  })
}

async function* resumingStream(
  transport: Transport,
  at: BlobAt,
  first: Response,
): AsyncGenerator<Uint8Array> {
  let response = first
  let offsetBytes = 0
  for (let resumed = 0; ; resumed += 1) {
    const silent = (): AppError =>
      ociErrors.registry_unreachable({ registry: transport.host, reason: 'it stopped sending' })
    try {
      for await (const chunk of guardedStream(
        response.body ?? emptyStream(),
        transport.clock,
        IDLE_MS,
        silent,
      )) {
        offsetBytes += chunk.length
        yield chunk
      }
      return
    } catch (cause) {
      at.signal?.throwIfAborted()
      if (resumed >= RESUMES_MAX) throw asUnreachable(transport, cause)
      response = await getBlob(transport, at, offsetBytes)
      const wanted = offsetBytes === 0 ? 200 : 206
      if (response.status !== wanted) throw asUnreachable(transport, cause)
    }
  }
}

function asUnreachable(transport: Transport, cause: unknown): AppError {
  if (cause instanceof AppError) return cause
  return ociErrors.registry_unreachable(
    { registry: transport.host, reason: 'the transfer broke off' },
    { cause },
  )
}
