/*
 * HTTPS to one API server: two keep-alive pools (a hundred watches must not starve an ordinary request), a deadline for every
 * request, a limit for every reply, no redirects. A 429 is obeyed within the deadline, a 401 renews the credentials once.
 * An ordinary request ends at its deadline as a whole; a stream has it only until its headers.
 */
import { type Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'

import { type Clock, errorOf, messageOf, systemCodeOf } from '@slipway/kit'

import { dialledPool } from './dialled-pool.ts'
import { errorOfReply, KubeError } from './errors.ts'
import type { ServerFacts } from './kube.ts'
import type { ClusterAccess, Credentials } from './kubeconfig.ts'
import { parseReply } from './reply.ts'
import { type ApiRequest, impersonationHeaders, queryOf } from './requests.ts'

/**
 * Decides whether `host` may be dialled and at which of its addresses, at least one; rejects to refuse. It is asked for every
 * new connection, so a name that turns to another address between the check and the use gains nothing.
 */
export type AddressGuard = (host: string, port: number) => Promise<readonly [string, ...string[]]>

export type TransportOptions = {
  readonly access: ClusterAccess
  readonly clock: Clock
  /** Sent as User-Agent: who this is, for the server's audit log. */
  readonly userAgent: string
  readonly guard?: AddressGuard | undefined
  /** Asked once after a 401; the request is then made again. */
  readonly renewCredentials?: (() => Promise<Credentials>) | undefined
  /** Gives a stream to the server on which plain HTTP is spoken, instead of a TLS connection to its address. May throw. */
  readonly dial?: (() => Duplex) | undefined
}

type Reply = { readonly bytes: Buffer; readonly contentType: string; readonly server: ServerFacts }

export type Transport = Disposable & {
  /** A whole reply. @throws {KubeError} for anything but 2xx */
  readonly send: (request: ApiRequest) => Promise<Reply>
  /** The same, as parsed JSON. */
  readonly sendJson: (request: ApiRequest) => Promise<unknown>
  /** A reply that goes on: resolves at the headers. Destroying the stream ends the connection. @throws {KubeError} */
  readonly open: (request: ApiRequest) => Promise<IncomingMessage>
  /** What a WebSocket needs to reach the same server in the same way. */
  readonly socketOptions: () => Promise<SocketOptions>
}

type SocketOptions = TlsOptions & {
  /** `wss://host[:port][/prefix]`, or `ws:` on a stream that was dialled. */
  readonly url: string
  readonly createConnection?: () => Duplex
  readonly headers: Readonly<Record<string, string>>
}

type TlsOptions = {
  readonly minVersion: 'TLSv1.2'
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly servername?: string
  readonly lookup?: LookupFunction
}

const DEADLINE_MS = 30_000
/** A page of 500 large objects; a list without pages that is larger must be asked for in pages. */
const REPLY_MAX_BYTES = 64 * 1024 * 1024
const ERROR_MAX_BYTES = 64 * 1024
const ATTEMPTS_MAX = 4
/** A server that wants a longer pause gets no second attempt here; the caller knows better what to do meanwhile. */
const RETRY_AFTER_MAX_SECONDS = 10
const CALLS_MAX = 32
const STREAMS_MAX = 512
/** Shorter than any API server keeps an idle connection, so that ours is the side that closes it. */
const IDLE_MS = 60_000
const KEEP_ALIVE_MS = 15_000

type Attempt = ApiRequest & {
  /** The pool of the streams is used, and the deadline ends with the headers. */
  readonly streaming: boolean
}

export function httpsTransport(options: TransportOptions): Transport {
  const server = new URL(options.access.server)
  let connection = connect(options, options.access.credentials)
  let certificateExpiresAt: Date | undefined

  async function exchange(request: Attempt, deadlineMs: number): Promise<IncomingMessage> {
    let renewed = options.renewCredentials === undefined
    for (let attempt = 1; ; attempt += 1) {
      await guardLiteral(server, options.guard)
      const response = await once(request, deadlineMs)
      const code = response.statusCode ?? 0
      if (code >= 200 && code < 300) return response
      const error = errorOfReply(
        code,
        await errorText(response, untilDeadline(request, deadlineMs)),
        response.headers['retry-after'],
      )
      if (code === 401 && !renewed) {
        renewed = true
        connection = connect(options, (await options.renewCredentials?.()) ?? {})
        continue
      }
      const pauseMs = pauseAfter(error, attempt)
      if (pauseMs === undefined || options.clock.monotonicMs() + pauseMs >= deadlineMs) throw error
      await options.clock.sleep(pauseMs, request.signal)
    }
  }

  async function once(request: Attempt, deadlineMs: number): Promise<IncomingMessage> {
    try {
      return await sendOnce(request, deadlineMs)
    } catch (error) {
      // The server closed an idle connection just as it was used: nothing was answered, and reading twice does no harm.
      if (!(error instanceof StaleConnection)) throw error
      if (request.method === 'GET') return await sendOnce(request, deadlineMs)
      throw error.lost
    }
  }

  function sendOnce(request: Attempt, deadlineMs: number): Promise<IncomingMessage> {
    const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body))
    const path = `${server.pathname.replace(/\/$/, '')}${request.path}${queryOf(request.query)}`
    const headers = {
      ...connection.headers,
      ...impersonationHeaders(request.impersonate),
      accept: request.accept ?? 'application/json',
      // Without a length Node sends a DELETE's body unframed, and the server reads it as the next request.
      ...(body && {
        'content-type': request.contentType ?? 'application/json',
        'content-length': body.length,
      }),
    }
    return new Promise((resolve, reject) => {
      const { method } = request
      const { hostname: host, port } = server
      const agent = request.streaming ? connection.streams : connection.calls
      const start = options.dial ? httpRequest : httpsRequest
      const sent = start({ host: unbracketed(host), port: port || 443, method, path, headers, agent })
      const ended = untilDeadline(request, deadlineMs)
      ended.onEnd((reason) => sent.destroy(reason))
      sent.on('response', (response) => {
        ended[Symbol.dispose]()
        if (!sent.reusedSocket) certificateExpiresAt = certificateEndOf(response) ?? certificateExpiresAt
        resolve(response)
      })
      sent.on('socket', (socket) => socket.setKeepAlive(true, KEEP_ALIVE_MS))
      sent.on('error', (error) => {
        ended[Symbol.dispose]()
        const translated =
          ended.reason() ?? connectionError(error, `${method} ${server.origin}${request.path}`)
        const stale =
          sent.reusedSocket && systemCodeOf(error) === 'ECONNRESET' && translated instanceof KubeError
        reject(stale ? new StaleConnection(translated) : translated)
      })
      sent.end(body)
    })
  }

  function untilDeadline(request: ApiRequest, deadlineMs: number): Ending {
    return endingOf(options.clock, request.signal, deadlineMs)
  }

  async function send(request: ApiRequest): Promise<Reply> {
    const deadlineMs = options.clock.monotonicMs() + (request.timeoutMs ?? DEADLINE_MS)
    const response = await exchange({ ...request, streaming: false }, deadlineMs)
    const server = { time: dateOf(response.headers.date), certificateExpiresAt }
    const bytes = await bytesOf(response, REPLY_MAX_BYTES, untilDeadline(request, deadlineMs))
    return { bytes, contentType: response.headers['content-type'] ?? '', server }
  }

  return {
    send,
    async sendJson(request) {
      const { bytes, contentType } = await send(request)
      try {
        return parseReply(bytes)
      } catch (cause) {
        const what = contentType === '' ? 'something' : contentType.slice(0, 100)
        throw new KubeError(0, 'InvalidReply', `${request.path} was answered with ${what} that is not JSON`, {
          cause,
        })
      }
    },
    async open(request) {
      const deadlineMs = options.clock.monotonicMs() + (request.timeoutMs ?? DEADLINE_MS)
      const response = await exchange({ ...request, streaming: true }, deadlineMs)
      const onAbort = (): void => void response.destroy(errorOf(request.signal?.reason))
      request.signal?.addEventListener('abort', onAbort, { once: true })
      response.once('close', () => request.signal?.removeEventListener('abort', onAbort))
      if (request.signal?.aborted) onAbort()
      return response
    },
    async socketOptions() {
      await guardLiteral(server, options.guard)
      const { headers, tls } = connection
      const { dial } = options
      const url = options.access.server.replace(/^https:/, dial ? 'ws:' : 'wss:')
      return dial ? { minVersion: 'TLSv1.2', url, headers, createConnection: dial } : { ...tls, url, headers }
    },
    [Symbol.dispose]() {
      connection.calls.destroy()
      connection.streams.destroy()
    },
  }
}

/** Undefined on a connection that resumes an earlier one's TLS session. */
function certificateEndOf({ socket }: IncomingMessage): Date | undefined {
  return socket instanceof TLSSocket ? dateOf(socket.getPeerX509Certificate()?.validTo) : undefined
}

function dateOf(text: string | undefined): Date | undefined {
  const date = new Date(text ?? Number.NaN)
  return Number.isNaN(date.getTime()) ? undefined : date
}

type Connection = {
  readonly calls: HttpAgent
  readonly streams: HttpAgent
  readonly tls: TlsOptions
  readonly headers: Readonly<Record<string, string>>
}

function connect(options: TransportOptions, credentials: Credentials): Connection {
  const { access } = options
  const { clientCertificate, token } = credentials
  const tls: TlsOptions = {
    minVersion: 'TLSv1.2',
    ...(access.certificateAuthority !== undefined && { ca: access.certificateAuthority }),
    ...(clientCertificate && { cert: clientCertificate.certificate, key: clientCertificate.key }),
    ...(access.tlsServerName !== undefined && { servername: access.tlsServerName }),
    ...(options.guard && {
      lookup: guardedLookup(options.guard, Number(new URL(access.server).port || 443)),
    }),
  }
  const pool = { ...tls, keepAlive: true, timeout: IDLE_MS, scheduling: 'lifo' } as const
  const { dial } = options
  const poolOf = (maxSockets: number, maxFreeSockets: number): HttpAgent =>
    dial ? dialledPool(dial, maxSockets) : new Agent({ ...pool, maxSockets, maxFreeSockets })
  return {
    calls: poolOf(CALLS_MAX, 8),
    streams: poolOf(STREAMS_MAX, 2),
    tls,
    headers: {
      'user-agent': options.userAgent,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
  }
}

function guardedLookup(guard: AddressGuard, port: number): LookupFunction {
  return (host, { all }, callback) => {
    const answer = async (): Promise<void> => {
      let found: Awaited<ReturnType<AddressGuard>>
      try {
        found = await guard(host, port)
      } catch (error) {
        callback(errorOf(error), '', 0)
        return
      }
      if (all === true)
        callback(
          null,
          found.map((address) => ({ address, family: isIP(address) })),
        )
      else callback(null, found[0], isIP(found[0]))
    }
    void answer()
  }
}

/** Node looks no address up that is one already, so the guard must be asked about it here. */
async function guardLiteral(server: URL, guard: AddressGuard | undefined): Promise<void> {
  const host = unbracketed(server.hostname)
  if (!guard || isIP(host) === 0) return
  try {
    await guard(host, Number(server.port || 443))
  } catch (cause) {
    throw new KubeError(0, 'Unreachable', `${host} must not be dialled: ${messageOf(cause)}`, { cause })
  }
}

function unbracketed(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1')
}

/** How long to wait before the same request again, or undefined for "the caller decides". */
function pauseAfter(error: KubeError, attempt: number): number | undefined {
  if (error.code !== 429 || attempt >= ATTEMPTS_MAX) return undefined
  // A 429 without a time is an eviction that a budget forbids, not a server that is busy.
  const seconds = error.retryAfterSeconds
  return seconds === undefined || seconds > RETRY_AFTER_MAX_SECONDS
    ? undefined
    : Math.max(seconds, 0.1) * 1_000
}

class StaleConnection extends Error {
  override readonly name = 'StaleConnection'
  readonly lost: KubeError

  constructor(lost: KubeError) {
    super(lost.message)
    this.lost = lost
  }
}

/** Translates what went wrong below HTTP. */
export function connectionError(error: unknown, what: string): Error {
  if (error instanceof KubeError) return error
  const code = systemCodeOf(error) ?? ''
  const lost = code === 'ECONNRESET' || code === 'EPIPE' || code.startsWith('HPE_')
  const reason = code.startsWith('HPE_') ? 'InvalidReply' : lost ? 'ConnectionLost' : 'Unreachable'
  return new KubeError(0, reason, `${what}: ${messageOf(error)}`, { cause: error })
}

/** One of: the deadline, the caller's signal, or disposal because all went well. */
type Ending = Disposable & {
  readonly onEnd: (listener: (reason: Error) => void) => void
  /** Why it was ended, if it was. */
  readonly reason: () => Error | undefined
}

function endingOf(clock: Clock, signal: AbortSignal | undefined, deadlineMs: number): Ending {
  let reason: Error | undefined
  let listener: ((reason: Error) => void) | undefined
  const end = (why: Error): void => {
    reason ??= why
    dispose()
    listener?.(reason)
  }
  const onAbort = (): void => end(errorOf(signal?.reason))
  const leftMs = Math.max(0, deadlineMs - clock.monotonicMs())
  const timer = clock.after(leftMs, () =>
    end(new KubeError(0, 'DeadlineExceeded', 'the server did not answer in time')),
  )
  const dispose = (): void => {
    timer[Symbol.dispose]()
    signal?.removeEventListener('abort', onAbort)
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  return {
    onEnd(then) {
      listener = then
      if (signal?.aborted) onAbort()
    },
    reason: () => reason,
    [Symbol.dispose]: dispose,
  }
}

/** The text of a refusal, as far as it can be had: the status code says enough. */
async function errorText(response: IncomingMessage, ending: Ending): Promise<string> {
  try {
    return (await bytesOf(response, ERROR_MAX_BYTES, ending)).toString('utf8')
  } catch (error) {
    const reason = ending.reason()
    if (reason) throw reason
    return messageOf(error)
  }
}

async function bytesOf(response: IncomingMessage, maxBytes: number, ending: Ending): Promise<Buffer> {
  const parts: Buffer[] = []
  let sizeBytes = 0
  ending.onEnd((reason) => response.destroy(reason))
  try {
    for await (const part of response) {
      const bytes = part as Buffer
      sizeBytes += bytes.length
      if (sizeBytes > maxBytes)
        throw new KubeError(0, 'InvalidReply', `the reply is larger than ${maxBytes} bytes`)
      parts.push(bytes)
    }
  } catch (error) {
    throw ending.reason() ?? connectionError(error, 'while the reply was read')
  } finally {
    ending[Symbol.dispose]()
  }
  return Buffer.concat(parts, sizeBytes)
}
