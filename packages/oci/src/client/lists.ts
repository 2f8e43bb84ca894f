import { isRecord, parseJson } from '@slipway/kit'

import { ociErrors } from '../errors.ts'
import { algorithmOf, hexOf, type Digest } from '../format/digest.ts'
import { parseManifest, type Descriptor } from '../format/manifest.ts'
import { isTag } from '../format/names.ts'
import { fetchManifest } from './manifests.ts'
import { checkRepository, scopeOf } from './names.ts'
import { discard, readBody, type Transport } from './transport.ts'

const REPLY_MAX_BYTES = 8 * 1024 * 1024
const REFERRERS_MAX = 10_000

export async function listTags(
  transport: Transport,
  repository: string,
  page: {
    readonly after?: string | undefined
    readonly limit?: number | undefined
    readonly signal?: AbortSignal
  },
): Promise<{ readonly tags: readonly string[]; readonly next: string | undefined }> {
  const query = new URLSearchParams()
  if (page.limit !== undefined) query.set('n', String(page.limit))
  if (page.after !== undefined) query.set('last', page.after)
  const response = await transport.send({
    method: 'GET',
    target: `/v2/${checkRepository(repository)}/tags/list?${query.toString()}`,
    scopes: [scopeOf(repository, 'pull')],
    signal: page.signal,
  })
  if (response.status !== 200) throw await transport.errorFor(response, repository)
  const body = parseReply(transport, await readBody(transport, response, REPLY_MAX_BYTES))
  const tags: unknown = isRecord(body) ? (body['tags'] ?? []) : undefined
  if (!Array.isArray(tags)) throw transport.invalid('its tag list is not a list')
  const known = tags.filter((tag): tag is string => typeof tag === 'string' && isTag(tag))
  return { tags: known, next: nextPage(transport, response)?.searchParams.get('last') ?? undefined }
}

function parseReply(transport: Transport, bytes: Buffer): unknown {
  try {
    return parseJson(bytes.toString('utf8'))
  } catch (cause) {
    throw ociErrors.registry_reply_invalid(
      { registry: transport.host, reason: 'its answer is not JSON' },
      { cause },
    )
  }
}

/** The address in `Link: <…>; rel="next"`; it is used for its query only, so it cannot lead elsewhere. */
function nextPage(transport: Transport, response: Response): URL | undefined {
  const header = response.headers.get('link')
  if (header === null) return undefined
  const match = /<([^>]{1,4096})>\s*;[^,]*\brel="?next"?/.exec(header)
  return (match && URL.parse(match[1] ?? '', `http://${transport.host}`)) ?? undefined
}

export async function listReferrers(
  transport: Transport,
  repository: string,
  digest: Digest,
  filter: { readonly artifactType?: string | undefined; readonly signal?: AbortSignal },
): Promise<readonly Descriptor[]> {
  const path = `/v2/${checkRepository(repository)}/referrers/${digest}`
  const found: Descriptor[] = []
  let query =
    filter.artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(filter.artifactType)}`
  const seen = new Set<string>()
  while (!seen.has(query) && found.length < REFERRERS_MAX) {
    seen.add(query)
    const response = await transport.send({
      method: 'GET',
      target: `${path}${query}`,
      scopes: [scopeOf(repository, 'pull')],
      signal: filter.signal,
    })
    if (response.status === 404) {
      await discard(response)
      return await listFallback(transport, repository, digest, filter)
    }
    if (response.status !== 200) throw await transport.errorFor(response, digest)
    found.push(...indexEntries(await readBody(transport, response, REPLY_MAX_BYTES), filter.artifactType))
    const next = nextPage(transport, response)
    if (!next) break
    query = next.search
  }
  return found.slice(0, REFERRERS_MAX)
}

function indexEntries(bytes: Uint8Array, artifactType: string | undefined): readonly Descriptor[] {
  const index = parseManifest(bytes)
  if (index.kind !== 'index') return []
  return index.manifests.filter((entry) => artifactType === undefined || entry.artifactType === artifactType)
}

/** Registries older than the referrers interface keep the list under a tag made of the digest. */
async function listFallback(
  transport: Transport,
  repository: string,
  digest: Digest,
  filter: { readonly artifactType?: string | undefined; readonly signal?: AbortSignal },
): Promise<readonly Descriptor[]> {
  const tag = `${algorithmOf(digest)}-${hexOf(digest).slice(0, 64)}`
  const list = await fetchManifest(transport, { repository, reference: tag, signal: filter.signal })
  return list ? indexEntries(list.bytes, filter.artifactType) : []
}

export async function remove(
  transport: Transport,
  repository: string,
  target: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const response = await transport.send({
    method: 'DELETE',
    target,
    scopes: [scopeOf(repository, 'delete')],
    signal,
  })
  if (response.status === 404) {
    await discard(response)
    return false
  }
  if (response.status !== 202) throw await transport.errorFor(response, target.slice('/v2/'.length))
  await discard(response)
  return true
}
