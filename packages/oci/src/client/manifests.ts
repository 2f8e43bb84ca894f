import { must } from '@slipway/kit'

import { algorithmOf, digestOf, isDigest, type Digest } from '../format/digest.ts'
import { MANIFEST_MAX_BYTES } from '../format/manifest.ts'
import { bareMediaType, manifestMediaTypes } from '../format/media-types.ts'
import type { ResolvedManifest, StoredManifest } from './client.ts'
import { checkReference, checkRepository, scopeOf } from './names.ts'
import { discard, readBody, type Transport } from './transport.ts'

const ACCEPT_MANIFESTS = manifestMediaTypes.join(', ')

type At = {
  readonly repository: string
  readonly reference: string
  readonly signal: AbortSignal | undefined
}

function manifestCall(method: 'GET' | 'HEAD', at: At) {
  return {
    method,
    target: `/v2/${checkRepository(at.repository)}/manifests/${checkReference(at.reference)}`,
    scopes: [scopeOf(at.repository, 'pull')],
    headers: { accept: ACCEPT_MANIFESTS },
    signal: at.signal,
  }
}

export async function resolveManifest(transport: Transport, at: At): Promise<ResolvedManifest | undefined> {
  const response = await transport.send(manifestCall('HEAD', at))
  await discard(response)
  if (response.status === 404) return undefined
  if (response.status !== 200) throw await transport.errorFor(response, `${at.repository}:${at.reference}`)
  const digest = response.headers.get('docker-content-digest')
  const asked = isDigest(at.reference) ? at.reference : undefined
  // Some registries leave the digest out on HEAD; then the bytes have to tell.
  if (digest === null && asked === undefined) {
    const whole = await fetchManifest(transport, at)
    return whole && { digest: whole.digest, mediaType: whole.mediaType, sizeBytes: whole.bytes.length }
  }
  const resolved = digest ?? must(asked, 'a digest was asked for')
  if (!isDigest(resolved) || (asked !== undefined && asked !== resolved))
    throw transport.invalid('it answers with another digest than the one asked for')
  const length = Number(response.headers.get('content-length') ?? 'none')
  return {
    digest: resolved,
    mediaType: bareMediaType(response.headers.get('content-type') ?? ''),
    sizeBytes: Number.isSafeInteger(length) && length >= 0 ? length : undefined,
  }
}

export async function fetchManifest(transport: Transport, at: At): Promise<StoredManifest | undefined> {
  const response = await transport.send(manifestCall('GET', at))
  const what = `${at.repository}:${at.reference}`
  if (response.status === 404) {
    await discard(response)
    return undefined
  }
  if (response.status !== 200) throw await transport.errorFor(response, what)
  const bytes = await readBody(transport, response, MANIFEST_MAX_BYTES)
  const told = response.headers.get('docker-content-digest')
  const asked = isDigest(at.reference) ? at.reference : undefined
  const expected = asked ?? (told !== null && isDigest(told) ? told : undefined)
  const digest = digestOf(bytes, expected ? algorithmOf(expected) : 'sha256')
  if (expected !== undefined && digest !== expected)
    throw transport.invalid(`${what} is not the content its digest names`)
  return { digest, mediaType: bareMediaType(response.headers.get('content-type') ?? ''), bytes }
}

export async function putManifest(
  transport: Transport,
  at: At,
  content: { readonly mediaType: string; readonly bytes: Uint8Array },
): Promise<Digest> {
  const response = await transport.send({
    method: 'PUT',
    target: `/v2/${checkRepository(at.repository)}/manifests/${checkReference(at.reference)}`,
    scopes: [scopeOf(at.repository, 'pull,push')],
    headers: { 'content-type': content.mediaType },
    body: content.bytes,
    signal: at.signal,
  })
  if (response.status !== 201) throw await transport.errorFor(response, `${at.repository}:${at.reference}`)
  await discard(response)
  return digestOf(content.bytes, isDigest(at.reference) ? algorithmOf(at.reference) : 'sha256')
}
