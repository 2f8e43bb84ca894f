import { AppError, GIB, must } from '@slipway/kit'

import { readAll } from '../streams.ts'
import type { S3Client } from './client.ts'
import { planParts, type Part, type Segment } from './segments.ts'
import { encoded, textOf } from './xml.ts'

/** One request copies no more. */
const COPY_MAX_BYTES = 5 * GIB
const COPY_PIECE_BYTES = 1 * GIB
const PARTS_AT_ONCE = 4

/** What one part of the new object is made from. */
type Source = { readonly part: Part; readonly range: string | undefined }

/**
 * Makes one object of a row of them, inside the store where it can be done there. The object appears whole, by the last
 * request, and replaces one of the same name; a row of nothing makes an empty one.
 */
export async function joinObjects(
  client: S3Client,
  chain: readonly Segment[],
  target: string,
): Promise<void> {
  const sources = planParts(chain).flatMap((part) => sourcesOf(part))
  const only = sources[0]
  if (only === undefined) {
    await client.ask({ method: 'PUT', key: target, payload: new Uint8Array(0) })
    return
  }
  if (sources.length > 1) {
    await joinParts(client, sources, target)
    return
  }
  if (only.part.kind === 'send') {
    await client.ask({ method: 'PUT', key: target, payload: await bytesOf(client, only.part.segments) })
    return
  }
  const headers = { 'x-amz-copy-source': client.copySource(only.part.segment.key) }
  await client.ask({ method: 'PUT', key: target, headers, isLong: true })
}

function sourcesOf(part: Part): readonly Source[] {
  if (part.kind === 'send' || part.segment.sizeBytes <= COPY_MAX_BYTES) return [{ part, range: undefined }]
  const { sizeBytes } = part.segment
  return Array.from({ length: Math.ceil(sizeBytes / COPY_PIECE_BYTES) }, (_, index) => {
    const startBytes = index * COPY_PIECE_BYTES
    const endBytes = Math.min(startBytes + COPY_PIECE_BYTES, sizeBytes) - 1
    return { part, range: `bytes=${startBytes}-${endBytes}` }
  })
}

async function joinParts(client: S3Client, sources: readonly Source[], target: string): Promise<void> {
  const begun = await client.ask({ method: 'POST', key: target, query: { uploads: '' } })
  const uploadId = must(textOf(begun.text, 'UploadId'), 'an upload that was begun has an id')
  try {
    const tags = await sendParts(client, sources, { target, uploadId })
    const list = tags.map(
      (tag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${encoded(tag)}</ETag></Part>`,
    )
    await client.ask({
      method: 'POST',
      key: target,
      query: { uploadId },
      payload: Buffer.from(`<CompleteMultipartUpload>${list.join('')}</CompleteMultipartUpload>`),
      isLong: true,
    })
  } catch (thrown) {
    if (await isJoined(client, sources, { target, thrown })) return
    // Parts that nobody ends are paid for; that they cannot be given back matters less than why they are not needed.
    await client
      .find({ method: 'DELETE', key: target, query: { uploadId } })
      .then((response) => response?.body?.cancel())
      .catch(() => undefined)
    throw thrown
  }
}

/** An ending whose answer was lost was asked for again, and the store knew no such upload any more. */
async function isJoined(
  client: S3Client,
  sources: readonly Source[],
  { target, thrown }: { readonly target: string; readonly thrown: unknown },
): Promise<boolean> {
  if (!(thrown instanceof AppError) || !String(thrown.params['said']).startsWith('NoSuchUpload')) return false
  const found = await client.find({ method: 'HEAD', key: target })
  const segments = new Set(
    sources.flatMap(({ part }) => (part.kind === 'copy' ? [part.segment] : part.segments)),
  )
  const wantedBytes = [...segments].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  return Number(found?.headers.get('content-length') ?? -1) === wantedBytes
}

type Joining = { readonly target: string; readonly uploadId: string }

/** The tags of all parts, in their order. */
async function sendParts(
  client: S3Client,
  sources: readonly Source[],
  joining: Joining,
): Promise<readonly string[]> {
  const tags: string[] = []
  for (let start = 0; start < sources.length; start += PARTS_AT_ONCE) {
    const some = sources.slice(start, start + PARTS_AT_ONCE)
    tags.push(
      ...(await Promise.all(some.map((source, at) => sendPart(client, source, joining, start + at + 1)))),
    )
  }
  return tags
}

async function sendPart(
  client: S3Client,
  { part, range }: Source,
  { target, uploadId }: Joining,
  number: number,
): Promise<string> {
  const query = { partNumber: String(number), uploadId }
  if (part.kind === 'send') {
    const payload = await bytesOf(client, part.segments)
    const { headers } = await client.ask({ method: 'PUT', key: target, query, payload })
    return must(headers.get('etag') ?? undefined, 'a part that was taken has a tag')
  }
  const { text } = await client.ask({
    method: 'PUT',
    key: target,
    query,
    headers: {
      'x-amz-copy-source': client.copySource(part.segment.key),
      ...(range === undefined ? {} : { 'x-amz-copy-source-range': range }),
    },
    isLong: true,
  })
  return must(textOf(text, 'ETag'), 'a part that was copied has a tag')
}

async function bytesOf(client: S3Client, segments: readonly Segment[]): Promise<Uint8Array> {
  const all: Buffer[] = []
  for (const { key, sizeBytes } of segments) {
    const response = must(await client.find({ method: 'GET', key }), 'a listed segment is there')
    all.push(await readAll(client.bodyOf(response), sizeBytes, () => new Error('a segment grew')))
  }
  return Buffer.concat(all)
}
