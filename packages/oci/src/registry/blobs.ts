import type { Digest } from '../format/digest.ts'
import { requireAccess } from './access.ts'
import { reviewAfter, tell, type Exchange } from './context.ts'
import { RegistryError } from './errors.ts'
import type { BlobRange } from './ports.ts'

type Place = { readonly repository: string; readonly digest: Digest }

export async function readBlob(exchange: Exchange, { repository, digest }: Place): Promise<Response> {
  await requireAccess(exchange, repository, 'pull')
  const { options, request } = exchange
  const isHead = request.method === 'HEAD'
  const sizeBytes = await options.metadata.findBlob({
    repository,
    digest,
    // Who asks with HEAD is about to rely on the blob instead of sending it.
    ...(isHead ? { reviewAfter: reviewAfter(exchange) } : {}),
  })
  if (sizeBytes === undefined) throw unknownBlob()
  const headers = new Headers({
    'content-type': 'application/octet-stream',
    'content-length': String(sizeBytes),
    'docker-content-digest': digest,
    'accept-ranges': 'bytes',
    etag: `"${digest}"`,
    'cache-control': 'private, max-age=31536000, immutable',
    'content-disposition': 'attachment',
  })
  if (isHead) return new Response(null, { headers })
  if (request.headers.get('if-none-match') === `"${digest}"`) {
    headers.delete('content-length')
    return new Response(null, { status: 304, headers })
  }
  const range = rangeOf(request.headers.get('range'), sizeBytes)
  if (range === 'beyond')
    throw new RegistryError('SIZE_INVALID', 'the range lies beyond the blob', {
      status: 416,
      headers: { 'content-range': `bytes */${sizeBytes}` },
    })
  const content = await options.blobs.open(digest, range)
  if (!content) throw unknownBlob()
  if (range) {
    headers.set('content-length', String(range.endBytes - range.startBytes + 1))
    headers.set('content-range', `bytes ${range.startBytes}-${range.endBytes}/${sizeBytes}`)
  }
  return new Response(content, { status: range ? 206 : 200, headers })
}

/**
 * One range of bytes (RFC 9110 14.1). Several, reversed or malformed ranges are ignored, as the RFC allows: the whole blob answers.
 */
function rangeOf(header: string | null, sizeBytes: number): BlobRange | 'beyond' | undefined {
  const match = /^bytes=([0-9]{0,15})-([0-9]{0,15})$/.exec(header ?? '')
  if (!match) return undefined
  const [first = '', last = ''] = [match[1], match[2]]
  if (first === '' && last === '') return undefined
  if (first === '') {
    const count = Math.min(Number(last), sizeBytes)
    return count === 0 ? 'beyond' : { startBytes: sizeBytes - count, endBytes: sizeBytes - 1 }
  }
  const startBytes = Number(first)
  const endBytes = last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1)
  if (last !== '' && Number(last) < startBytes) return undefined
  return startBytes >= sizeBytes ? 'beyond' : { startBytes, endBytes }
}

export async function deleteBlob(exchange: Exchange, { repository, digest }: Place): Promise<Response> {
  await requireAccess(exchange, repository, 'delete')
  const outcome = await exchange.options.metadata.unlinkBlob({
    repository,
    digest,
    reviewAfter: reviewAfter(exchange),
  })
  if (outcome === 'absent') throw unknownBlob()
  if (outcome === 'inUse') throw new RegistryError('DENIED', 'a manifest of the repository needs the blob')
  await tell(exchange, { kind: 'delete', repository, digest })
  return new Response(null, { status: 202 })
}

function unknownBlob(): RegistryError {
  return new RegistryError('BLOB_UNKNOWN', 'the repository does not hold this blob')
}

/** The answer to a blob that has arrived, by upload or mount. */
export function blobCreated({ repository, digest }: Place): Response {
  const headers = { location: `/v2/${repository}/blobs/${digest}`, 'docker-content-digest': digest }
  return new Response(null, { status: 201, headers: { ...headers, 'content-length': '0' } })
}
