import { isRecord, systemClock, systemRandom, unreachable, type Clock, type Random } from '@slipway/kit'

import { readEvents } from './events.ts'
import { endpoints, type EndpointEntry } from './generated/endpoints.ts'
import { prepareRequest, type Prepared } from './prepare.ts'
import { sendForJson, type Transport } from './send.ts'
import { openSocket } from './socket.ts'
import { download, upload, type UploadContent } from './transfer.ts'
import type { CallOptions, Client, FlatRequest } from './types.ts'

/** How the caller proves who it is: a session's or API token's secret, or the browser's cookie. */
export type Credentials = { readonly bearer: string } | 'cookie'

export type ClientOptions = {
  /** Address of the platform, e.g. `http://localhost:7447`. */
  readonly server: string
  /** Left out: anonymous. */
  readonly credentials?: Credentials | undefined
  /** What the server's log shows as the program; browsers send their own. */
  readonly userAgent?: string
  readonly fetch?: typeof globalThis.fetch
  /** Time for one call with its retries, in milliseconds; 30 s unless said. */
  readonly timeoutMs?: number
  /** How often a repeatable request is sent at most, the first time included; 4 unless said. */
  readonly attemptsMax?: number
  readonly clock?: Clock
  readonly random?: Random
}

const TIMEOUT_MS = 30_000
const ATTEMPTS_MAX = 4

/**
 * A client with one method per operation of the contract; `{...parameters, ...query, ...body}` is given flat.
 * It opens nothing until a method is called, and holds nothing that would have to be closed.
 * @throws {TypeError} when `server` is not an http(s) address
 */
export function createClient(options: ClientOptions): Client {
  const transport = transportOf(options)
  const methods: Record<string, unknown> = {}
  const pages: Record<string, unknown> = {}
  for (const [name, entry] of Object.entries(endpoints) as [string, EndpointEntry][]) {
    methods[name] = methodOf(transport, entry)
    if (entry.query.includes('cursor')) pages[name] = pagesOf(transport, entry)
  }
  const call = (name: string, request: FlatRequest, callOptions: CallOptions = {}): unknown => {
    const entry = Object.hasOwn(endpoints, name) ? endpoints[name as keyof typeof endpoints] : undefined
    if (entry === undefined) return Promise.reject(new TypeError(`there is no operation ${name}`))
    return callJson(transport, entry, request, callOptions)
  }
  // The table is made from the same contract as the type; a test compares them.
  return { ...methods, pages, call } as unknown as Client
}

function transportOf(options: ClientOptions): Transport {
  const url = new URL(options.server)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new TypeError(`${options.server} is not an http or https address`)
  const cookies = options.credentials === 'cookie'
  const headers: Record<string, string> = {}
  if (options.userAgent !== undefined && !cookies) headers['user-agent'] = options.userAgent
  if (typeof options.credentials === 'object')
    headers['authorization'] = `Bearer ${options.credentials.bearer}`
  return {
    server: options.server,
    fetch: options.fetch ?? globalThis.fetch.bind(globalThis),
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    headers,
    cookies,
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    attemptsMax: options.attemptsMax ?? ATTEMPTS_MAX,
  }
}

function methodOf(transport: Transport, entry: EndpointEntry): unknown {
  const prepared = (request: FlatRequest, options: CallOptions): Prepared =>
    prepareRequest(transport.server, entry, request, options.dryRun)
  switch (entry.transport) {
    case 'json':
      return (request: FlatRequest = {}, options: CallOptions = {}) =>
        callJson(transport, entry, request, options)
    case 'sse':
      return (request: FlatRequest = {}, options: CallOptions = {}) =>
        readEvents(transport, prepared(request, options), options)
    case 'websocket':
      return async (request: FlatRequest = {}, options: CallOptions = {}) =>
        openSocket(transport, prepared(request, options), options)
    case 'download':
      return async (request: FlatRequest = {}, options: CallOptions = {}) =>
        download(transport, prepared(request, options), options)
    case 'upload':
      return async (request: FlatRequest, content: UploadContent, options: CallOptions = {}) =>
        upload(transport, prepared(request, options), content, options)
    default:
      return unreachable(entry.transport)
  }
}

async function callJson(
  transport: Transport,
  entry: EndpointEntry,
  request: FlatRequest,
  options: CallOptions,
): Promise<unknown> {
  return sendForJson(transport, prepareRequest(transport.server, entry, request, options.dryRun), options)
}

function pagesOf(transport: Transport, entry: EndpointEntry): unknown {
  return async function* pages(request: FlatRequest = {}, options: CallOptions = {}) {
    let cursor: unknown
    do {
      const page = await callJson(transport, entry, { ...request, cursor }, options)
      yield page
      cursor = isRecord(page) ? page['cursor'] : undefined
    } while (cursor !== undefined)
  }
}

/** The items of pages, one by one. */
export async function* itemsOf<Item>(
  pages: AsyncIterable<{ readonly items: readonly Item[] }>,
): AsyncGenerator<Item, void, undefined> {
  for await (const page of pages) yield* page.items
}
