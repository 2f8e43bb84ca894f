/*
 * The loop of the agent: dial, greet, carry a tunnel, dial again. A platform of several replicas is dialled until each of them holds
 * a tunnel, for whichever leads must reach the cluster: all stand behind one address, so whom a connection leads to shows when
 * they have greeted, and one to a replica that is held already is left at once. After a failure the agent waits longer each time,
 * spread by chance so that a thousand agents do not come back at one moment. A refusal is said once and then asked about
 * rarely, until the token in its file is another one.
 */
import {
  HOUR_MS,
  messageOf,
  MINUTE_MS,
  type Random,
  retryDelayMs,
  SECOND_MS,
  systemCodeOf,
} from '@slipway/kit'

import { ConnectionClosed } from './carrier.ts'
import { dialPlatform, type Dialling, type Greeted } from './dial.ts'
import { openForwarder, type ApiServer, type Forwarder } from './forward.ts'
import { REFUSED_CODE } from './greeting.ts'

export type AgentOptions = Dialling & {
  /** Read before each attempt, so that a new token is taken up. */
  readonly readToken: () => Promise<string>
  readonly api: ApiServer
  /** Base address of a Gateway that the cluster does not name itself. */
  readonly gatewayUrl?: string | undefined
  readonly random: Random
  readonly log: (event: string, facts?: Readonly<Record<string, unknown>>) => void
}

const RETRY = { firstMs: 500, maxMs: 30 * SECOND_MS }
/** A connection that held so long was a good one: the next failure is the first again. */
const GOOD_MS = 30 * SECOND_MS
const REFUSED_PAUSE_MS = 5 * MINUTE_MS
const TOKEN_CHECK_MS = 5 * SECOND_MS
/** So many connections in a row that led to replicas which are held already: there seem to be no others. */
const SEARCHES = 6
const SEARCH_PAUSE_MS = 500
/** How often others are looked for then, and by how many connections. */
const LOOK_MS = 30 * SECOND_MS
const LOOKS = 3

/** What is known of the platform at the moment. */
type Standing = {
  /** Replicas that hold a tunnel; of a platform that has but one, undefined. */
  readonly held: Set<string | undefined>
  failures: number
  /** Connections in a row that led nowhere new. */
  repeats: number
  refusedToken: string | undefined
  /** Resolves when a tunnel ends. */
  ended: PromiseWithResolvers<void>
}

/** Runs until the signal is aborted; never rejects. */
export async function runAgent(options: AgentOptions): Promise<void> {
  const { clock, signal } = options
  using forwarder = openForwarder({ api: options.api, clock, gatewayUrl: options.gatewayUrl })
  const standing: Standing = {
    held: new Set(),
    failures: 0,
    repeats: 0,
    refusedToken: undefined,
    ended: Promise.withResolvers(),
  }
  while (!signal.aborted) {
    if (standing.refusedToken !== undefined) await untilOtherToken(options, standing.refusedToken)
    standing.refusedToken = undefined
    if (!standing.held.has(undefined)) await tryOnce(options, standing, forwarder)
    if (standing.refusedToken === undefined) await rest(options, standing)
  }
}

async function tryOnce(options: AgentOptions, standing: Standing, forwarder: Forwarder): Promise<void> {
  let token = ''
  try {
    token = await options.readToken()
    const greeted = await dialPlatform(options, token)
    if (standing.held.has(greeted.replica)) {
      greeted.leave()
      standing.repeats += 1
    } else {
      standing.repeats = 0
      void hold({ options, standing, forwarder }, greeted, token)
    }
  } catch (error) {
    standing.failures += 1
    standing.repeats = SEARCHES
    tell(options, standing, error, token)
  }
}

/** Until the tunnel ends. */
async function hold(
  { options, standing, forwarder }: { options: AgentOptions; standing: Standing; forwarder: Forwarder },
  { replica, carry }: Greeted,
  token: string,
): Promise<void> {
  const { clock, log, url } = options
  const startedMs = clock.monotonicMs()
  standing.held.add(replica)
  log('connected', { url, replica })
  try {
    const why = await carry((stream) => forwarder.serve(stream))
    log('disconnected', { why, replica })
  } catch (error) {
    tell(options, standing, error, token)
  }
  standing.held.delete(replica)
  standing.failures = clock.monotonicMs() - startedMs >= GOOD_MS ? 1 : standing.failures + 1
  standing.repeats = 0
  standing.ended.resolve()
  standing.ended = Promise.withResolvers()
}

function tell({ log }: AgentOptions, standing: Standing, error: unknown, token: string): void {
  const isRefused = error instanceof ConnectionClosed && error.code === REFUSED_CODE
  // Said once, though every replica refuses it.
  if (isRefused && standing.refusedToken === token) return
  if (isRefused) standing.refusedToken = token
  log(isRefused ? 'refused' : 'failed', { why: whyOf(error) })
}

const UNTRUSTED =
  /^(?:CERT_|ERR_TLS_CERT|SELF_SIGNED|DEPTH_ZERO_SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET_ISSUER))/u

function whyOf(error: unknown): string {
  const why = messageOf(error)
  return UNTRUSTED.test(systemCodeOf(error) ?? '')
    ? `${why}: the platform's certificate cannot be trusted; apply what "slipway cluster renew-agent --ca <file>" prints, with the certificate of the authority that signed it`
    : why
}

/** Until it is time to dial again, or a tunnel has ended. */
async function rest(options: AgentOptions, standing: Standing): Promise<void> {
  const { random } = options
  const { held, repeats, ended } = standing
  // Tunnels that ended while something else went on have told so to a promise that nobody waited for.
  if (held.size === 0) {
    await pause(options, retryDelayMs(Math.max(0, standing.failures - 1), random, RETRY))
  } else if (held.has(undefined)) await pause(options, HOUR_MS, ended.promise)
  else if (repeats < SEARCHES) await pause(options, SEARCH_PAUSE_MS, ended.promise)
  else {
    await pause(options, LOOK_MS * (0.8 + 0.4 * random()), ended.promise)
    standing.repeats = Math.min(standing.repeats, SEARCHES - LOOKS)
  }
}

async function pause({ clock, signal }: AgentOptions, ms: number, until?: Promise<void>): Promise<void> {
  const over = new AbortController()
  void until?.then(() => over.abort())
  // Aborted, there is nothing to wait for.
  await clock.sleep(ms, AbortSignal.any([signal, over.signal])).catch(() => undefined)
}

async function untilOtherToken(options: AgentOptions, token: string): Promise<void> {
  const untilMs = options.clock.monotonicMs() + REFUSED_PAUSE_MS * (0.8 + 0.4 * options.random())
  while (!options.signal.aborted && options.clock.monotonicMs() < untilMs) {
    await pause(options, TOKEN_CHECK_MS)
    // A file that cannot be read now is read again by the next attempt, which says why.
    if ((await options.readToken().catch(() => token)) !== token) return
  }
}
