/*
 * The loop of the agent: dial, greet, carry the tunnel, dial again. After a failure it waits longer each time, spread by chance so
 * that a thousand agents do not come back at one moment. A refusal is said once and then asked about rarely, until the token
 * in its file is another one.
 */
import {
  type Clock,
  messageOf,
  MINUTE_MS,
  type Random,
  retryDelayMs,
  SECOND_MS,
  systemCodeOf,
} from '@slipway/kit'
import { WebSocket } from 'ws'

import { ConnectionClosed, conversationOver, MESSAGE_MAX_BYTES } from './carrier.ts'
import { openForwarder, type ApiServer } from './forward.ts'
import { encodeGreeting, GREETING_MS, isWelcome, REFUSED_CODE } from './greeting.ts'
import { openTunnel } from './tunnel.ts'

export type AgentOptions = {
  /** `ws://` or `wss://` address of the platform's door for agents. */
  readonly url: string
  readonly version: string
  /** Read before each attempt, so that a new token is taken up. */
  readonly readToken: () => Promise<string>
  readonly api: ApiServer
  /** Base address of a Gateway that the cluster does not name itself. */
  readonly gatewayUrl?: string | undefined
  readonly clock: Clock
  readonly random: Random
  readonly log: (event: string, facts?: Readonly<Record<string, unknown>>) => void
  readonly signal: AbortSignal
}

const RETRY = { firstMs: 500, maxMs: 30 * SECOND_MS }
/** A connection that held so long was a good one: the next failure is the first again. */
const GOOD_MS = 30 * SECOND_MS
const REFUSED_PAUSE_MS = 5 * MINUTE_MS
const TOKEN_CHECK_MS = 5 * SECOND_MS

/** Runs until the signal is aborted; never rejects. */
export async function runAgent(options: AgentOptions): Promise<void> {
  const { clock, random, log, signal } = options
  using forwarder = openForwarder({ api: options.api, clock, gatewayUrl: options.gatewayUrl })
  let failures = 0
  while (!signal.aborted) {
    const startedMs = clock.monotonicMs()
    let token = ''
    let isRefused = false
    try {
      token = await options.readToken()
      const why = await connectOnce(options, token, (stream) => forwarder.serve(stream))
      log('disconnected', { why })
    } catch (error) {
      isRefused = error instanceof ConnectionClosed && error.code === REFUSED_CODE
      log(isRefused ? 'refused' : 'failed', { why: whyOf(error) })
    }
    if (signal.aborted) break
    if (clock.monotonicMs() - startedMs >= GOOD_MS) failures = 0
    const delayMs = retryDelayMs(failures, random, RETRY)
    failures += 1
    await (isRefused ? untilOtherToken(options, token) : pause(options, delayMs))
  }
}

const UNTRUSTED =
  /^(?:CERT_|ERR_TLS_CERT|SELF_SIGNED|DEPTH_ZERO_SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET_ISSUER))/u

function whyOf(error: unknown): string {
  const why = messageOf(error)
  return UNTRUSTED.test(systemCodeOf(error) ?? '')
    ? `${why}: the platform's certificate cannot be trusted; apply what "slipway cluster renew-agent --ca <file>" prints, with the certificate of the authority that signed it`
    : why
}

/** Resolves with the reason when a tunnel that stood has ended. @throws {Error} when none came about, or it was cut by a refusal */
async function connectOnce(
  { url, version, clock, log, signal }: AgentOptions,
  token: string,
  onStream: Parameters<typeof openTunnel>[0]['onStream'],
): Promise<string> {
  const socket = new WebSocket(url, {
    handshakeTimeout: GREETING_MS,
    maxPayload: MESSAGE_MAX_BYTES,
    perMessageDeflate: false,
    followRedirects: false,
  })
  const talk = conversationOver(socket)
  const onAbort = (): void => socket.terminate()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await opened(socket)
    talk.say(encodeGreeting({ token, version }))
    if (!isWelcome(await withinGreeting(clock, talk.next)))
      throw new Error('what answers there is no platform of this kind')
    log('connected', { url })
    const tunnel = openTunnel({ carrier: talk.carrier(), clock, onStream })
    const why = await tunnel.closed
    const closed = await talk.closed
    if (closed.code === REFUSED_CODE) throw closed
    return why
  } finally {
    signal.removeEventListener('abort', onAbort)
    socket.terminate()
  }
}

function opened(socket: WebSocket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  socket.once('open', resolve)
  socket.on('error', reject)
  return promise
}

/** Runs `wait` with a signal that is aborted when the time for greetings is over. */
export async function withinGreeting<T>(clock: Clock, wait: (late: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController()
  using _deadline = clock.after(GREETING_MS, () => late.abort())
  return await wait(late.signal)
}

async function pause({ clock, signal }: AgentOptions, ms: number): Promise<void> {
  // Aborted, there is nothing to wait for.
  await clock.sleep(ms, signal).catch(() => undefined)
}

async function untilOtherToken(options: AgentOptions, token: string): Promise<void> {
  const untilMs = options.clock.monotonicMs() + REFUSED_PAUSE_MS * (0.8 + 0.4 * options.random())
  while (!options.signal.aborted && options.clock.monotonicMs() < untilMs) {
    await pause(options, TOKEN_CHECK_MS)
    // A file that cannot be read now is read again by the next attempt, which says why.
    if ((await options.readToken().catch(() => token)) !== token) return
  }
}
