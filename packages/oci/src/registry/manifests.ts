import { AppError } from '@slipway/kit'

import { algorithmOf, digestOf, isDigest, parseDigest } from '../format/digest.ts'
import { MANIFEST_MAX_BYTES, parseManifest, type Manifest } from '../format/manifest.ts'
import { mediaTypes } from '../format/media-types.ts'
import { isTag } from '../format/names.ts'
import { readAll } from '../streams.ts'
import { requireAccess } from './access.ts'
import { bodyOf, contentLengthOf, reviewAfter, tell, type Exchange } from './context.ts'
import { RegistryError } from './errors.ts'
import { manifestRecordOf } from './manifest-record.ts'

type Place = { readonly repository: string; readonly reference: string }

const TAGS_PER_PUT_MAX = 100

export async function readManifest(exchange: Exchange, place: Place): Promise<Response> {
  const { repository, reference } = place
  checkReference(reference)
  await requireAccess(exchange, repository, 'pull')
  const { metadata } = exchange.options
  const digest = isDigest(reference) ? reference : await metadata.findTag(repository, reference)
  const found = digest && (await metadata.findManifest(repository, digest))
  if (!digest || !found) throw unknownManifest()
  const headers = {
    'content-type': found.mediaType,
    'content-length': String(found.bytes.length),
    'docker-content-digest': digest,
    etag: `"${digest}"`,
    'content-disposition': 'attachment',
  }
  const isHead = exchange.request.method === 'HEAD'
  if (!isHead)
    await tell(exchange, {
      kind: 'pull',
      repository,
      digest,
      tags: reference === digest ? [] : [reference],
    })
  return new Response(isHead ? null : Buffer.from(found.bytes), { headers })
}

export async function writeManifest(exchange: Exchange, place: Place): Promise<Response> {
  const { repository, reference } = place
  checkReference(reference)
  await requireAccess(exchange, repository, 'push')
  const bytes = await manifestBody(exchange)
  const tags = tagsAsked(exchange, reference)
  const digest = digestOf(bytes, isDigest(reference) ? algorithmOf(reference) : 'sha256')
  if (isDigest(reference) && reference !== digest)
    throw new RegistryError('DIGEST_INVALID', 'the manifest is not what the digest names')
  const manifest = parse(bytes, exchange.request.headers.get('content-type'))
  const record = manifestRecordOf(manifest, { repository, digest, bytes })
  const { metadata, clock } = exchange.options
  const outcome = await metadata.putManifest(record, {
    tags,
    now: clock.now(),
    reviewAfter: reviewAfter(exchange),
  })
  if (outcome.kind === 'blobMissing')
    throw new RegistryError('MANIFEST_BLOB_UNKNOWN', `push the blob ${outcome.digest} first`)
  if (outcome.kind === 'tagImmutable')
    throw new RegistryError('DENIED', `the tag ${outcome.tag} is fixed and stands on another manifest`)
  await tell(exchange, { kind: 'push', repository, digest, tags })
  const headers = new Headers({
    location: `/v2/${repository}/manifests/${digest}`,
    'docker-content-digest': digest,
    'content-length': '0',
  })
  if (record.subject !== undefined) headers.set('oci-subject', record.subject)
  if (isDigest(reference)) for (const tag of tags) headers.append('oci-tag', tag)
  return new Response(null, { status: 201, headers })
}

async function manifestBody(exchange: Exchange): Promise<Buffer> {
  const tooLarge = (): RegistryError =>
    new RegistryError('SIZE_INVALID', `a manifest has at most ${MANIFEST_MAX_BYTES} bytes`, { status: 413 })
  const announcedBytes = contentLengthOf(exchange.request)
  if (announcedBytes !== undefined && announcedBytes > MANIFEST_MAX_BYTES) throw tooLarge()
  const bytes = await readAll(bodyOf(exchange, MANIFEST_MAX_BYTES), MANIFEST_MAX_BYTES, tooLarge)
  if (announcedBytes !== undefined && announcedBytes !== bytes.length)
    throw new RegistryError('SIZE_INVALID', 'the body is not as long as announced')
  return bytes
}

function tagsAsked(exchange: Exchange, reference: string): readonly string[] {
  if (!isDigest(reference)) return [reference]
  const tags = [...new Set(exchange.url.searchParams.getAll('tag'))]
  if (tags.length > TAGS_PER_PUT_MAX)
    throw new RegistryError('UNSUPPORTED', `at most ${TAGS_PER_PUT_MAX} tags at once`)
  for (const tag of tags) if (!isTag(tag)) throw invalidReference()
  return tags
}

function parse(bytes: Buffer, contentType: string | null): Manifest {
  try {
    return parseManifest(bytes, contentType ?? undefined)
  } catch (cause) {
    if (cause instanceof AppError && typeof cause.params['reason'] === 'string')
      throw new RegistryError('MANIFEST_INVALID', cause.params['reason'], { cause })
    throw cause
  }
}

export async function deleteManifest(exchange: Exchange, place: Place): Promise<Response> {
  const { repository, reference } = place
  checkReference(reference)
  await requireAccess(exchange, repository, 'delete')
  const { metadata } = exchange.options
  const later = reviewAfter(exchange)
  const outcome = isDigest(reference)
    ? await metadata.deleteManifest({ repository, digest: reference, reviewAfter: later })
    : await metadata.deleteTag({ repository, tag: reference, reviewAfter: later })
  if (outcome === 'absent') throw unknownManifest()
  if (outcome === 'protected')
    throw new RegistryError('DENIED', 'it is in use, kept for a rollback, or its tag is fixed')
  if (isDigest(reference)) await tell(exchange, { kind: 'delete', repository, digest: reference })
  else await tell(exchange, { kind: 'untag', repository, tags: [reference] })
  return new Response(null, { status: 202 })
}

export async function listReferrers(exchange: Exchange, { repository, reference }: Place): Promise<Response> {
  const subject = parseDigest(reference)
  await requireAccess(exchange, repository, 'pull')
  const { searchParams } = exchange.url
  const artifactType = searchParams.get('artifactType') ?? undefined
  const last = searchParams.get('last')
  const limit = exchange.limits.referrerPageMax
  const found = await exchange.options.metadata.listReferrers({
    repository,
    subject,
    artifactType,
    after: last === null ? undefined : parseDigest(last),
    limit: limit + 1,
  })
  const shown = found.slice(0, limit)
  const headers = new Headers({ 'content-type': mediaTypes.index })
  if (artifactType !== undefined) headers.set('oci-filters-applied', 'artifactType')
  const end = shown.at(-1)
  if (found.length > limit && end) {
    const query = new URLSearchParams({
      ...(artifactType === undefined ? {} : { artifactType }),
      last: end.digest,
    })
    headers.set('link', `</v2/${repository}/referrers/${subject}?${query.toString()}>; rel="next"`)
  }
  const index = {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    // Undefined fields are left out by JSON, empty annotations by us.
    manifests: shown.map(({ annotations, ...entry }) =>
      annotations && Object.keys(annotations).length > 0 ? { ...entry, annotations } : entry,
    ),
  }
  return new Response(JSON.stringify(index), { headers })
}

function checkReference(reference: string): void {
  if (isDigest(reference) || isTag(reference)) return
  throw reference.includes(':')
    ? new RegistryError('DIGEST_INVALID', 'the digest is not sha256 or sha512 with as many hex digits')
    : invalidReference()
}

function invalidReference(): RegistryError {
  return new RegistryError('MANIFEST_INVALID', 'the tag has characters or a length that tags do not have')
}

function unknownManifest(): RegistryError {
  return new RegistryError('MANIFEST_UNKNOWN', 'there is no such manifest or tag')
}
