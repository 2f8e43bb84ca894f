import { type Clock } from '@slipway/kit'
import { WebSocket } from 'ws'

import { conversationOver, MESSAGE_MAX_BYTES } from './carrier.ts'
import { encodeGreeting, GREETING_MS, readWelcome, REFUSED_CODE } from './greeting.ts'
import { openTunnel, type TunnelOptions } from './tunnel.ts'

export type Dialling = {
  /** `ws://` or `wss://` address of the platform's door for agents. */
  readonly url: string
  readonly version: string
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** A connection on which both have greeted. */
export type Greeted = {
  /** Which replica of the platform it leads to; undefined where there is but one. */
  readonly replica: string | undefined
  /** Lets it carry streams until it ends. @returns why it ended @throws {ConnectionClosed} when it was cut by a refusal */
  readonly carry: (onStream: TunnelOptions['onStream']) => Promise<string>
  readonly leave: () => void
}

/** Dials and greets. @throws {Error} when that fails, `ConnectionClosed` with `REFUSED_CODE` when the token is refused */
export async function dialPlatform(
  { url, version, clock, signal }: Dialling,
  token: string,
): Promise<Greeted> {
  const socket = new WebSocket(url, {
    handshakeTimeout: GREETING_MS,
    maxPayload: MESSAGE_MAX_BYTES,
    perMessageDeflate: false,
    followRedirects: false,
  })
  const talk = conversationOver(socket)
  const leave = (): void => socket.terminate()
  signal.addEventListener('abort', leave, { once: true })
  void talk.closed.then(() => signal.removeEventListener('abort', leave))
  try {
    await opened(socket)
    talk.say(encodeGreeting({ token, version }))
    const welcome = readWelcome(await withinGreeting(clock, talk.next))
    if (!welcome) throw new Error('what answers there is no platform of this kind')
    return {
      replica: welcome.replica,
      leave,
      async carry(onStream) {
        const tunnel = openTunnel({ carrier: talk.carrier(), clock, onStream })
        const why = await tunnel.closed
        const closed = await talk.closed
        if (closed.code === REFUSED_CODE) throw closed
        return why
      },
    }
  } catch (error) {
    leave()
    throw error
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
