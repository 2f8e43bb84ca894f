import { errorOf } from '@slipway/kit'

import { isDigest, parseDigest, type Digest, type DigestAlgorithm } from '../format/digest.ts'
import { isRepositoryName } from '../format/names.ts'
import type { ByteStream } from '../streams.ts'
import { mayPull, requireAccess } from './access.ts'
import { announceBlob } from './announce.ts'
import { blobCreated } from './blobs.ts'
import { bodyOf, contentLengthOf, isRefusal, reviewAfter, tell, type Exchange } from './context.ts'
import { RegistryError } from './errors.ts'
import type { Upload } from './ports.ts'

/*
 * Uploads. The row says how far an upload is confirmed; the bytes lie in the blob store. One request at a time writes to an
 * upload: it holds a claim with an end, renews it while bytes come, and stops writing when it cannot. So another node may go
 * on as soon as a claim has run out, and two clients on one upload cannot mix their bytes.
 */
const CLAIM_MS = 60_000
const RENEW_MS = 15_000
/** No more bytes are taken when the last renewal is older than this: the claim may have run out. */
const STOP_MS = 50_000
const SOURCES_MAX = 20

type Place = { readonly repository: string; readonly id: string }

export async function startUpload(exchange: Exchange, repository: string): Promise<Response> {
  await requireAccess(exchange, repository, 'push')
  const { options, url } = exchange
  const mount = url.searchParams.get('mount')
  if (mount !== null && isDigest(mount) && (await mountBlob(exchange, repository, mount)))
    return blobCreated({ repository, digest: mount })
  const digest = url.searchParams.get('digest')
  const algorithm = algorithmAsked(url, digest)
  const upload: Upload = {
    id: options.newId('upl'),
    repository,
    algorithm,
    sizeBytes: 0,
    startedAt: options.clock.now(),
  }
  await options.metadata.createUpload(upload)
  if (digest !== null && mount === null) return await finishUpload(exchange, { repository, id: upload.id })
  return progress(upload, 202)
}

function algorithmAsked(url: URL, digest: string | null): DigestAlgorithm {
  const asked = url.searchParams.get('digest-algorithm') ?? digest?.split(':', 1)[0] ?? 'sha256'
  if (asked === 'sha256' || asked === 'sha512') return asked
  throw new RegistryError('DIGEST_INVALID', 'the algorithm is neither sha256 nor sha512')
}

async function mountBlob(exchange: Exchange, repository: string, digest: Digest): Promise<boolean> {
  const { metadata } = exchange.options
  const named = exchange.url.searchParams.get('from')
  if (named !== null && !isRepositoryName(named)) return false
  const sources = named === null ? await metadata.listBlobRepositories(digest, SOURCES_MAX) : [named]
  for (const from of sources) {
    // What one may not pull cannot be mounted, and the answer is the same as for what is not there.
    if (!(await mayPull(exchange, from))) continue
    const mounted = await metadata.mountBlob({
      repository,
      from,
      digest,
      reviewAfter: reviewAfter(exchange),
    })
    if (mounted === undefined) continue
    await tell(exchange, { kind: 'mount', repository, digest })
    return true
  }
  return false
}

function progress(upload: Upload, status: number): Response {
  return new Response(null, { status, headers: progressHeaders(upload) })
}

function progressHeaders(upload: Upload): Record<string, string> {
  return {
    location: `/v2/${upload.repository}/blobs/uploads/${upload.id}`,
    // The header cannot say zero: an empty upload answers 0-0 as well.
    range: `0-${Math.max(0, upload.sizeBytes - 1)}`,
    'docker-upload-uuid': upload.id,
    'content-length': '0',
  }
}

export async function readUpload(exchange: Exchange, place: Place): Promise<Response> {
  await requireAccess(exchange, place.repository, 'push')
  const upload = await exchange.options.metadata.findUpload(place.repository, place.id)
  if (!upload) throw unknownUpload()
  return progress(upload, 204)
}

export async function cancelUpload(exchange: Exchange, place: Place): Promise<Response> {
  await requireAccess(exchange, place.repository, 'push')
  if (!(await exchange.options.metadata.deleteUpload(place.repository, place.id))) throw unknownUpload()
  await exchange.options.blobs.drop(place.id)
  return new Response(null, { status: 204 })
}

export async function patchUpload(exchange: Exchange, place: Place): Promise<Response> {
  await requireAccess(exchange, place.repository, 'push')
  const claimed = await claim(exchange, place)
  const upload = await receive(exchange, claimed)
  await release(exchange, claimed, upload.sizeBytes)
  return progress(upload, 202)
}

export async function finishUpload(exchange: Exchange, place: Place): Promise<Response> {
  await requireAccess(exchange, place.repository, 'push')
  const digest = parseDigest(exchange.url.searchParams.get('digest') ?? '')
  const { metadata, blobs } = exchange.options
  const claimed = await claim(exchange, place)
  const upload = await receive(exchange, claimed)
  const outcome = await publish(exchange, { ...claimed, upload }, digest)
  if (outcome === 'mismatch') {
    await metadata.deleteUpload(place.repository, place.id)
    await blobs.drop(upload.id)
    throw new RegistryError('DIGEST_INVALID', 'the content is not what the digest names')
  }
  await metadata.linkBlob({
    repository: place.repository,
    digest,
    sizeBytes: upload.sizeBytes,
    reviewAfter: reviewAfter(exchange),
  })
  await metadata.deleteUpload(place.repository, place.id)
  await tell(exchange, { kind: 'push', repository: place.repository, digest })
  return blobCreated({ repository: place.repository, digest })
}

/** Keeps the claim: a second writer must not reach a file that is about to become a blob. */
async function publish(
  exchange: Exchange,
  claimed: Claimed,
  digest: Digest,
): Promise<'published' | 'mismatch'> {
  const { metadata, blobs, clock } = exchange.options
  const { upload, claim } = claimed
  // Hashing a large upload again may take longer than a claim.
  using _renewal = clock.every(RENEW_MS, () => {
    const until = new Date(clock.now().getTime() + CLAIM_MS)
    // When this fails the claim runs out by itself, which the next writer has to wait for anyway.
    void metadata.renewUpload({ id: upload.id, claim, until }).catch(errorOf)
  })
  try {
    if (!(await announceBlob(metadata, clock, digest, exchange.request.signal)))
      throw new RegistryError('TOOMANYREQUESTS', 'the same blob is being removed; try again', {
        headers: { 'retry-after': '10' },
      })
    return await blobs.publish({ id: upload.id, sizeBytes: upload.sizeBytes, digest })
  } catch (cause) {
    await release(exchange, claimed, upload.sizeBytes)
    throw cause
  }
}

type Claimed = { readonly upload: Upload; readonly claim: string; readonly wantedBytes: number | undefined }

async function claim(exchange: Exchange, { repository, id }: Place): Promise<Claimed> {
  const { metadata, clock, newId } = exchange.options
  const range = chunkRange(exchange.request)
  const now = clock.now()
  const token = newId('clm')
  const outcome = await metadata.claimUpload({
    repository,
    id,
    offsetBytes: range?.startBytes,
    claim: token,
    now,
    until: new Date(now.getTime() + CLAIM_MS),
  })
  if (outcome.kind === 'absent') throw unknownUpload()
  if (outcome.kind === 'conflict')
    throw new RegistryError('BLOB_UPLOAD_INVALID', 'the upload stands elsewhere or is being written', {
      status: 416,
      headers: progressHeaders(outcome.upload),
    })
  const wantedBytes = range ? range.endBytes - range.startBytes + 1 : contentLengthOf(exchange.request)
  return { upload: outcome.upload, claim: token, wantedBytes }
}

/** `Content-Range: a-b`, inclusive and without a unit; some clients write `bytes=` or `bytes ` and a total. */
function chunkRange(request: Request): { startBytes: number; endBytes: number } | undefined {
  const header = request.headers.get('content-range')
  if (header === null) return undefined
  const match = /^(?:bytes[ =])?([0-9]{1,15})-([0-9]{1,15})(?:\/(?:[0-9]{1,15}|\*))?$/.exec(header.trim())
  if (!match) throw new RegistryError('BLOB_UPLOAD_INVALID', 'Content-Range is not a-b')
  const [startBytes, endBytes] = [Number(match[1]), Number(match[2])]
  const lengthBytes = contentLengthOf(request)
  if (endBytes + 1 < startBytes)
    throw new RegistryError('BLOB_UPLOAD_INVALID', 'Content-Range ends before it begins', { status: 416 })
  if (lengthBytes !== undefined && lengthBytes > 0 && lengthBytes !== endBytes - startBytes + 1)
    throw new RegistryError('SIZE_INVALID', 'Content-Range and Content-Length contradict')
  return { startBytes, endBytes }
}

/** Appends the body. The claim is still held afterwards, unless this throws. */
async function receive(exchange: Exchange, claimed: Claimed): Promise<Upload> {
  const { options, limits } = exchange
  const { upload, wantedBytes } = claimed
  let keptBytes = upload.sizeBytes
  try {
    const result = await options.blobs.append({
      id: upload.id,
      offsetBytes: upload.sizeBytes,
      algorithm: upload.algorithm,
      content: renewing(exchange, claimed, bodyOf(exchange, limits.blobMaxBytes - upload.sizeBytes)),
    })
    const gotBytes = result.sizeBytes - upload.sizeBytes
    if (result.failure !== undefined) {
      // A broken connection: what came is kept, and the client may ask for it and go on. A refused body is not kept.
      if (!isRefusal(result.failure)) keptBytes = result.sizeBytes
      throw interrupted(result.failure)
    }
    if (wantedBytes !== undefined && wantedBytes !== gotBytes)
      throw new RegistryError('SIZE_INVALID', `${wantedBytes} bytes were announced, ${gotBytes} came`)
    return { ...upload, sizeBytes: result.sizeBytes }
  } catch (cause) {
    // Why it failed matters more than whether the claim was still ours.
    await options.metadata.releaseUpload({ id: upload.id, claim: claimed.claim, sizeBytes: keptBytes })
    throw cause
  }
}

/** Confirms bytes to the client only while the claim is ours: nobody else has written meanwhile. */
async function release(exchange: Exchange, { upload, claim }: Claimed, sizeBytes: number): Promise<void> {
  const isHeld = await exchange.options.metadata.releaseUpload({ id: upload.id, claim, sizeBytes })
  if (!isHeld) throw takenOver()
}

function takenOver(): RegistryError {
  return new RegistryError('BLOB_UPLOAD_INVALID', 'another request took the upload over')
}

function interrupted(failure: unknown): Error {
  if (isRefusal(failure)) return errorOf(failure)
  return new RegistryError('BLOB_UPLOAD_INVALID', 'the body broke off', { cause: failure })
}

async function* renewing(
  exchange: Exchange,
  { upload, claim }: Claimed,
  content: ByteStream,
): AsyncGenerator<Uint8Array> {
  const { metadata, clock } = exchange.options
  let renewedMs = clock.monotonicMs()
  for await (const chunk of content) {
    const nowMs = clock.monotonicMs()
    if (nowMs - renewedMs >= RENEW_MS) {
      const until = new Date(clock.now().getTime() + CLAIM_MS)
      const isHeld =
        nowMs - renewedMs < STOP_MS && (await metadata.renewUpload({ id: upload.id, claim, until }))
      if (!isHeld) throw takenOver()
      renewedMs = nowMs
    }
    yield chunk
  }
}

function unknownUpload(): RegistryError {
  return new RegistryError('BLOB_UPLOAD_UNKNOWN', 'there is no such upload; begin again')
}
