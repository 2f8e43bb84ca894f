import { randomBytes } from 'node:crypto'

import { MINUTE_MS, type Clock } from '@slipway/kit'

import { StatusError, statusErrors } from '../errors.ts'
import type { AnyObject } from '../model.ts'
import { definitionOf, type ResourceDefinition } from '../registry/resources.ts'
import { parseFieldSelector, parseLabelSelector, type Matcher } from '../registry/selectors.ts'
import type { Store } from '../store/index.ts'

/*
 * Lists in pages. The pages after the first show the same moment as the first: the rest of its result, an array of
 * references to objects that never change, is kept for five minutes under a random name, which is the continue token.
 */
const KEPT_MS = 5 * MINUTE_MS
const KEPT_MAX = 256
const VERSION = /^(?:0|[1-9]\d{0,15})$/

export type Selection = {
  readonly matches: Matcher | undefined
  /** The one name that can match. */
  readonly name: string | undefined
  readonly narrowed: boolean
}

type ListResult = {
  readonly objects: readonly AnyObject[]
  readonly metadata: {
    readonly resourceVersion: string
    readonly continue?: string
    readonly remainingItemCount?: number
  }
}

export type Lists = {
  /** @throws {StatusError} 400, 410 for a token or version that is no longer known, 504 for a version of the future */
  readonly list: (
    definition: ResourceDefinition,
    namespace: string | undefined,
    query: URLSearchParams,
  ) => ListResult
}

type Kept = {
  readonly definition: ResourceDefinition
  readonly namespace: string | undefined
  readonly objects: readonly AnyObject[]
  readonly version: string
  readonly counted: boolean
  readonly untilMs: number
}

export function listsOver(store: Store, clock: Clock): Lists {
  const kept = new Map<string, Kept>()

  function remember(token: string, rest: Kept): void {
    const nowMs = clock.monotonicMs()
    for (const [key, { untilMs }] of kept) if (untilMs <= nowMs || kept.size >= KEPT_MAX) kept.delete(key)
    kept.set(token, rest)
  }

  function page(all: Omit<Kept, 'untilMs'>, limit: number): ListResult {
    const objects = limit > 0 ? all.objects.slice(0, limit) : all.objects
    const remaining = all.objects.length - objects.length
    const metadata = { resourceVersion: all.version }
    if (remaining === 0) return { objects, metadata }
    const token = randomBytes(18).toString('base64url')
    remember(token, { ...all, objects: all.objects.slice(limit), untilMs: clock.monotonicMs() + KEPT_MS })
    return {
      objects,
      metadata: { ...metadata, continue: token, ...(all.counted ? { remainingItemCount: remaining } : {}) },
    }
  }

  return {
    list(definition, namespace, query) {
      const limit = limitOf(query)
      const token = query.get('continue') ?? ''
      if (token !== '') {
        const rest = kept.get(token)
        if (!/^[A-Za-z0-9_-]{24}$/.test(token))
          throw statusErrors.badRequest('continue key is not valid: encoding is not valid')
        if (!rest || rest.untilMs <= clock.monotonicMs()) throw expiredToken()
        if (rest.definition !== definition || rest.namespace !== namespace)
          throw statusErrors.badRequest('continue key is not valid: it belongs to another list')
        return page(rest, limit)
      }
      const selection = parseSelection(definition, query)
      checkVersion(store, definition, query)
      const found =
        selection.name === undefined
          ? store.list(definition.resource, namespace)
          : named(store, definition, namespace, selection.name)
      const { matches } = selection
      return page(
        {
          definition,
          namespace,
          objects: matches ? found.filter(matches) : found,
          version: String(store.version()),
          counted: !selection.narrowed,
        },
        // "Any state" means the watch cache of a real server, which does not page.
        query.get('resourceVersion') === '0' ? 0 : limit,
      )
    },
  }
}

function named(
  store: Store,
  definition: ResourceDefinition,
  namespace: string | undefined,
  name: string,
): readonly AnyObject[] {
  if (definition.namespaced && namespace === undefined)
    return store.list(definition.resource).filter(({ metadata }) => metadata.name === name)
  const object = store.get(definition.resource, namespace, name)
  return object ? [object] : []
}

/** @throws {StatusError} 400 */
export function parseSelection(definition: ResourceDefinition, query: URLSearchParams): Selection {
  const label = parseLabelSelector(query.get('labelSelector') ?? '')
  const field = parseFieldSelector(definition, query.get('fieldSelector') ?? '')
  const matches =
    label && field
      ? (object: AnyObject): boolean => label(object) && field.matches(object)
      : (label ?? field?.matches)
  return { matches, name: field?.name, narrowed: matches !== undefined }
}

function limitOf(query: URLSearchParams): number {
  const text = query.get('limit') ?? '0'
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw statusErrors.badRequest(
    `strconv.ParseInt: parsing ${JSON.stringify(text.slice(0, 32))}: invalid syntax`,
  )
}

/** @throws {StatusError} 400 for what is no version, 504 for one of the future, 410 for an exact one of the past */
function checkVersion(store: Store, definition: ResourceDefinition, query: URLSearchParams): void {
  const version = parseVersion(query.get('resourceVersion'))
  const match = query.get('resourceVersionMatch')
  if (match !== null && version === undefined)
    throw invalidOption(
      'resourceVersionMatch',
      'Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
    )
  if (match !== null && match !== 'Exact' && match !== 'NotOlderThan')
    throw invalidOption(
      'resourceVersionMatch',
      `Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan", ""`,
    )
  if (version === undefined) return
  refuseFuture(store, version)
  if (
    match === 'Exact' &&
    store.changesAfter(definitionOf(definition.resource).resource, version)?.length !== 0
  )
    throw new StatusError(410, 'Expired', `The provided resource version is too old.`)
}

export function invalidOption(field: string, message: string): StatusError {
  return statusErrors.invalid('ListOptions', 'meta.k8s.io', '', [
    { reason: 'FieldValueForbidden', message, field },
  ])
}

/** @throws {StatusError} 400 */
export function parseVersion(text: string | null): number | undefined {
  if (text === null || text === '') return undefined
  if (VERSION.test(text)) return Number(text)
  throw statusErrors.badRequest(
    `Invalid value: ${JSON.stringify(text.slice(0, 64))}: strconv.ParseUint: invalid syntax`,
  )
}

/** @throws {StatusError} 504 */
export function refuseFuture(store: Store, version: number): void {
  if (version <= store.version()) return
  const message = `Too large resource version: ${version}, current: ${store.version()}`
  throw new StatusError(504, 'Timeout', `Timeout: ${message}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  })
}

function expiredToken(): StatusError {
  return new StatusError(
    410,
    'Expired',
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.',
  )
}
