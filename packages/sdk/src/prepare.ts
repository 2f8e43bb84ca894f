import { must } from '@slipway/kit'

import type { EndpointEntry } from './generated/endpoints.ts'

/** A request as it travels. */
export type Prepared = {
  readonly method: string
  readonly url: URL
  readonly body: string | undefined
}

/**
 * Spreads a flat request over path, query and body by the operation's table entry. Pure.
 * Parameters are escaped, so that an id can never reach another path; `undefined` fields are left out.
 * @throws {TypeError} when a path parameter is missing or is not text or a number
 */
export function prepareRequest(
  server: string,
  entry: EndpointEntry,
  request: Readonly<Record<string, unknown>>,
  dryRun = false,
): Prepared {
  const rest = new Map(Object.entries(request).filter(([, value]) => value !== undefined))
  const path = entry.path.replaceAll(/:([a-zA-Z]+)/gu, (_, name: string) => {
    const value = parameterOf(entry.path, name, rest.get(name))
    rest.delete(name)
    return encodeURIComponent(value)
  })
  const url = new URL(server.replace(/\/+$/u, '') + path)
  for (const name of entry.query) {
    for (const value of queryValuesOf(rest.get(name))) url.searchParams.append(name, value)
    rest.delete(name)
  }
  if (dryRun) url.searchParams.set('dryRun', 'true')
  const carriesBody = entry.body !== undefined && (entry.method !== 'DELETE' || rest.size > 0)
  // A field that no part declares goes into the body or, without one, into the query: the server names it in its refusal.
  if (!carriesBody)
    for (const [name, value] of rest)
      for (const text of queryValuesOf(value)) url.searchParams.append(name, text)
  return {
    method: entry.method,
    url,
    body: carriesBody ? JSON.stringify(Object.fromEntries(rest)) : undefined,
  }
}

function parameterOf(path: string, name: string, value: unknown): string {
  if (typeof value === 'number' || (typeof value === 'string' && value !== '' && !/^\.{1,2}$/u.test(value)))
    return String(value)
  throw new TypeError(`${path} needs a value for "${name}"`)
}

function queryValuesOf(value: unknown): readonly string[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return value.flatMap(queryValuesOf)
  if (value instanceof Date) return [value.toISOString()]
  return [typeof value === 'string' ? value : must(JSON.stringify(value), 'a query value has a JSON form')]
}
