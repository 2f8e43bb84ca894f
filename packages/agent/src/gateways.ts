/*
 * Before anybody reaches a new version, the platform asks it for an answer through the Gateway. Where the platform has no way to
 * the Gateway, the agent asks on its behalf: a request whose target is a whole address, as a proxy gets it. Only Gateways that the
 * cluster itself names can be asked, and the one that whoever applied the manifest named, so that nobody looks around in the
 * closed network with it; and nothing of the agent's identity goes along.
 */
import { type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http'
import { request as httpsRequest } from 'node:https'

import { type Clock, isRecord, parseJson } from '@slipway/kit'

/** A request that may not be made; the text is for the platform. */
class VisitRefused extends Error {
  override readonly name = 'VisitRefused'
}

export type GatewayVisits = {
  /** Passes a request on to a Gateway. @throws {VisitRefused} */
  readonly visit: (request: IncomingMessage, response: ServerResponse) => Promise<void>
}

const LIST_PATH = '/apis/gateway.networking.k8s.io/v1/gateways?limit=500'
const LIST_MAX_BYTES = 8 * 1024 * 1024
/** How long a list is gone by, in ms. */
const LIST_AGE_MAX_MS = 5_000
const METHODS = new Set(['GET', 'HEAD'])
const OWN_HEADERS = new Set([
  'authorization',
  'connection',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Whether a request is meant for a Gateway: its target is a whole address, not a path of the API server. */
export function isVisit({ url = '' }: Pick<IncomingMessage, 'url'>): boolean {
  return /^https?:\/\//iu.test(url)
}

/**
 * @param ask - asks the API server for a path
 * @param named - a Gateway's base address beside those that the cluster names
 */
export function gatewayVisits(
  clock: Clock,
  ask: (path: string) => Promise<IncomingMessage>,
  named: string | undefined,
): GatewayVisits {
  let known: { readonly endpoints: ReadonlySet<string>; readonly atMs: number } | undefined

  async function endpoints(): Promise<ReadonlySet<string>> {
    if (known && clock.monotonicMs() - known.atMs < LIST_AGE_MAX_MS) return known.endpoints
    const fresh = endpointsOf(await readList(await ask(LIST_PATH)))
    known = { endpoints: fresh, atMs: clock.monotonicMs() }
    return fresh
  }

  async function allows(target: URL): Promise<boolean> {
    if (named !== undefined && URL.parse(named)?.origin === target.origin) return true
    return (await endpoints()).has(endpointOf(target.hostname, portOf(target)))
  }

  return {
    async visit(request, response) {
      const target = URL.parse(request.url ?? '')
      if (!target || !METHODS.has(request.method ?? ''))
        throw new VisitRefused('only GET and HEAD are passed on')
      if (!(await allows(target))) throw new VisitRefused(`${target.host} is no Gateway of this cluster`)
      await passOn(target, request, response)
    },
  }
}

async function passOn(target: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const headers = Object.fromEntries(
    Object.entries(request.headers).filter(([name]) => !OWN_HEADERS.has(name)),
  )
  const { host } = request.headers
  const start = target.protocol === 'https:' ? httpsRequest : httpRequest
  const sent = start(target, {
    method: request.method ?? 'GET',
    headers,
    agent: false,
    ...(host !== undefined && { servername: host.replace(/:\d+$/u, '') }),
  })
  response.once('close', () => {
    sent.destroy()
    resolve()
  })
  sent.once('error', reject)
  sent.once('response', (answer) => {
    const kept = Object.entries(answer.headers).filter(([name]) => !OWN_HEADERS.has(name))
    response.writeHead(answer.statusCode ?? 502, Object.fromEntries(kept))
    answer.once('error', () => response.destroy())
    answer.pipe(response)
  })
  sent.end()
  await promise
}

async function readList(answer: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = []
  let sizeBytes = 0
  for await (const part of answer as AsyncIterable<Buffer>) {
    sizeBytes += part.length
    if (sizeBytes > LIST_MAX_BYTES) throw new VisitRefused('the list of Gateways is too large')
    parts.push(part)
  }
  if (answer.statusCode !== 200)
    throw new VisitRefused(`the API server names no Gateways, but answers ${answer.statusCode}`)
  return parseJson(Buffer.concat(parts).toString('utf8'))
}

/** Address and port of every listener of a list of Gateways. */
export function endpointsOf(list: unknown): ReadonlySet<string> {
  const items = listIn(list, 'items').filter(isRecord)
  return new Set(
    items.flatMap((gateway) => {
      const addresses = listIn(gateway['status'], 'addresses').filter(isRecord)
      const listeners = listIn(gateway['spec'], 'listeners').filter(isRecord)
      return addresses.flatMap(({ value }) =>
        listeners.flatMap(({ port }) =>
          typeof value === 'string' && typeof port === 'number' ? [endpointOf(value, port)] : [],
        ),
      )
    }),
  )
}

const endpointOf = (host: string, port: number): string =>
  `${host.replace(/^\[(.*)\]$/u, '$1').toLowerCase()} ${port}`

function portOf({ port, protocol }: URL): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)
}

function listIn(value: unknown, field: string): readonly unknown[] {
  const found = isRecord(value) ? value[field] : undefined
  return Array.isArray(found) ? found : []
}
