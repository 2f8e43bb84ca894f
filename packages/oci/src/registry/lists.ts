import { isTag } from '../format/names.ts'
import { mayPull, requireAccess, unknownRepository, challenge } from './access.ts'
import type { Exchange } from './context.ts'
import { RegistryError } from './errors.ts'

/** Repositories looked at for one page of the catalog, whatever share of them the caller may see. */
const CATALOG_SCAN_MAX = 1_000

export async function listTags(exchange: Exchange, repository: string): Promise<Response> {
  await requireAccess(exchange, repository, 'pull')
  const { metadata } = exchange.options
  const last = exchange.url.searchParams.get('last')
  if (last !== null && !isTag(last)) throw new RegistryError('UNSUPPORTED', 'last must be a tag')
  const limit = pageSize(exchange)
  if (!(await metadata.hasRepository(repository))) throw unknownRepository()
  const found =
    limit === 0 ? [] : await metadata.listTags({ repository, after: last ?? undefined, limit: limit + 1 })
  const tags = found.slice(0, limit)
  const headers = new Headers({ 'content-type': 'application/json' })
  const end = tags.at(-1)
  if (found.length > limit && end !== undefined)
    headers.set(
      'link',
      `</v2/${repository}/tags/list?n=${limit}&last=${encodeURIComponent(end)}>; rel="next"`,
    )
  return new Response(JSON.stringify({ name: repository, tags }), { headers })
}

/** Repositories the caller may pull from; a page may be short, the link tells whether more follow. */
export async function listCatalog(exchange: Exchange): Promise<Response> {
  const { options, caller, url } = exchange
  if (caller.subject === undefined) throw challenge(options, url, { scope: 'registry:catalog:*' })
  const limit = pageSize(exchange)
  const shown: string[] = []
  let after = url.searchParams.get('last') ?? undefined
  let isEnd = limit === 0
  for (let seen = 0; !isEnd && shown.length < limit && seen < CATALOG_SCAN_MAX;) {
    const names = await options.metadata.listRepositories({ after, limit: 100 })
    isEnd = names.length < 100
    for (const name of names) {
      if (shown.length === limit) {
        isEnd = false
        break
      }
      after = name
      seen += 1
      if (await mayPull({ ...exchange, caller: { ...caller, access: undefined } }, name)) shown.push(name)
    }
  }
  const headers = new Headers({ 'content-type': 'application/json' })
  if (!isEnd && after !== undefined)
    headers.set('link', `</v2/_catalog?n=${limit}&last=${encodeURIComponent(after)}>; rel="next"`)
  return new Response(JSON.stringify({ repositories: shown }), { headers })
}

/** `n` of the request, at most what a page holds. */
function pageSize(exchange: Exchange): number {
  const text = exchange.url.searchParams.get('n')
  if (text === null) return exchange.limits.tagPageMax
  if (!/^[0-9]{1,64}$/.test(text)) throw new RegistryError('UNSUPPORTED', 'n must be a number from 0')
  return Math.min(Number(text), exchange.limits.tagPageMax)
}
