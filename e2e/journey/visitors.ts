/*
 * Visitors of an application, as many browsers and programs come to it: short requests on kept-alive connections, answers that
 * take two seconds, a stream of 20 MB, and testers who send a header. Every answer is kept with its time and version.
 */
import { Agent, request } from 'node:http'

import { systemClock } from '@slipway/kit'

export const STREAM_BYTES = 20 * 1024 * 1024
const SHORT = 6
const SLOW = 2
const PAUSE_MS = 12
/** Longer than anything here takes; a request that hangs is a failed one. */
const TIMEOUT_MS = 60_000

export type Kind = 'short' | 'gray' | 'slow' | 'stream'
export type Answer = {
  readonly kind: Kind
  readonly startedMs: number
  readonly endedMs: number
  /** Empty when the kind does not tell. */
  readonly version: string
  /** Why it counts as failed; empty when it does not. */
  readonly problem: string
}

export type Visitors = {
  readonly answers: readonly Answer[]
  /** Requests of this kind that began and ended within the time. */
  readonly between: (kind: Kind, fromMs: number, untilMs: number) => readonly Answer[]
  /** No new requests; resolves when those under way have ended. */
  readonly leave: () => Promise<void>
}

/** Where visitors come in; with a host, they name it as a browser would that resolved it to the address. */
export type Entrance = { readonly url: string; readonly host?: string }

export function sendVisitors(
  { url, host }: Entrance,
  header: { readonly name: string; readonly value: string },
): Visitors {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const answers: Answer[] = []
  const load = { isOver: false }

  const visit = async (kind: Kind, path: string, headers: Record<string, string> = {}): Promise<void> => {
    const startedMs = performance.now()
    const result = await ask(new URL(path, url), agent, { ...headers, ...(host !== undefined && { host }) })
    answers.push({ kind, startedMs, endedMs: performance.now(), ...judge(kind, result) })
  }
  const again = async (pauseMs: number, once: () => Promise<void>): Promise<void> => {
    while (!load.isOver) {
      await once()
      await systemClock.sleep(pauseMs)
    }
  }
  const all = [
    ...Array.from({ length: SHORT }, () => again(PAUSE_MS, () => visit('short', '/version'))),
    again(PAUSE_MS, () => visit('gray', '/version', { [header.name]: header.value })),
    ...Array.from({ length: SLOW }, () => again(0, () => visit('slow', '/slow'))),
    again(1_000, () => visit('stream', '/stream')),
  ]
  return {
    answers,
    between: (kind, fromMs, untilMs) =>
      answers.filter((one) => one.kind === kind && one.startedMs >= fromMs && one.endedMs <= untilMs),
    async leave() {
      load.isOver = true
      await Promise.all(all)
      agent.destroy()
    },
  }
}

type Result = {
  readonly status: number
  readonly text: string
  readonly bytes: number
  readonly error: string
}

function judge(kind: Kind, { status, text, bytes, error }: Result): Pick<Answer, 'version' | 'problem'> {
  if (error !== '') return { version: '', problem: error }
  if (status !== 200) return { version: '', problem: `HTTP ${status} ${text.slice(0, 100)}` }
  if (kind === 'stream') return { version: '', problem: bytes === STREAM_BYTES ? '' : `${bytes} bytes` }
  if (kind === 'slow') return { version: text.trim().split(' ').at(-1) ?? '', problem: '' }
  return { version: String((JSON.parse(text) as { version: unknown }).version), problem: '' }
}

function ask(url: URL, agent: Agent, headers: Record<string, string>): Promise<Result> {
  return new Promise((resolve) => {
    const fail = (error: Error): void => resolve({ status: 0, text: '', bytes: 0, error: error.message })
    const outgoing = request(url, { agent, headers, timeout: TIMEOUT_MS }, (response) => {
      let text = ''
      let bytes = 0
      response.on('data', (part: Buffer) => {
        bytes += part.length
        if (bytes <= 4_096) text += part.toString('utf8')
      })
      response.on('error', fail)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text, bytes, error: '' }))
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')))
    outgoing.on('error', fail)
    outgoing.end()
  })
}
