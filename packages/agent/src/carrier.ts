import { WebSocket } from 'ws'

import type { Carrier } from './tunnel.ts'

/** Largest WebSocket message that is taken, in bytes; a frame is far smaller. */
export const MESSAGE_MAX_BYTES = 64 * 1024
/** A close carries a reason of at most 123 bytes. */
const REASON_MAX = 120
/** Messages that may come before somebody takes them. */
const QUEUE_MAX = 256

/** A WebSocket whose first messages are asked for one by one, and that then carries a tunnel. Nothing is lost in between. */
export type Conversation = {
  /** @throws {Error} when it closes first, or the signal is aborted */
  readonly next: (signal: AbortSignal) => Promise<Buffer>
  readonly say: (text: string) => void
  /** Ends it with a code and a reason of at most 120 characters. */
  readonly refuse: (code: number, why: string) => void
  /** From now on all messages go to the tunnel. */
  readonly carrier: () => Carrier
  /** Resolves when it is closed. */
  readonly closed: Promise<ConnectionClosed>
}

export class ConnectionClosed extends Error {
  override readonly name = 'ConnectionClosed'
  readonly code: number

  constructor(code: number, reason: string) {
    super(reason === '' ? `closed with ${code}` : reason)
    this.code = code
  }
}

/** Call it before the WebSocket can have received anything. */
export function conversationOver(socket: WebSocket): Conversation {
  const early: Buffer[] = []
  let take: ((bytes: Buffer) => void) | undefined
  const { promise: closed, resolve } = Promise.withResolvers<ConnectionClosed>()
  socket.on('error', () => undefined)
  socket.on('close', (code, reason) => resolve(new ConnectionClosed(code, reason.toString('utf8'))))
  socket.on('message', (data) => {
    const bytes = bytesOf(data)
    if (take) take(bytes)
    else if (early.push(bytes) > QUEUE_MAX) socket.terminate()
  })

  function deliver(to: (bytes: Buffer) => void): void {
    take = to
    while (early.length > 0) {
      // Whoever asked for one message has it by now, and the rest is for the next.
      if (take === undefined) return
      take(early.shift() ?? Buffer.alloc(0))
    }
  }

  return {
    async next(signal) {
      const { promise, resolve: got, reject } = Promise.withResolvers<Buffer>()
      const onAbort = (): void => reject(new Error('nothing was said in time'))
      signal.addEventListener('abort', onAbort, { once: true })
      if (signal.aborted) onAbort()
      void closed.then(reject)
      deliver((bytes) => {
        take = undefined
        got(bytes)
      })
      return await promise.finally(() => {
        take = undefined
        signal.removeEventListener('abort', onAbort)
      })
    },
    say: (text) => socket.send(text),
    refuse: (code, why) => socket.close(code, why.slice(0, REASON_MAX)),
    carrier: () => ({
      send(bytes, sent) {
        socket.send(bytes, { binary: true }, (error) => sent?.(error))
      },
      close() {
        if (socket.readyState !== WebSocket.CLOSING) socket.terminate()
      },
      onMessage: deliver,
      onClose: (listener) => void closed.then(({ message }) => listener(message)),
    }),
    closed,
  }
}

function bytesOf(data: WebSocket.RawData): Buffer {
  if (Buffer.isBuffer(data)) return data
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)
}
