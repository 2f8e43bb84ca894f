import { localError } from './error.ts'
import type { Prepared } from './prepare.ts'
import { sendForJson, type Transport } from './send.ts'
import type { CallOptions } from './types.ts'

/** A connection both ways. Iterating gives what arrives, in order, until either side closes. */
export type Socket = AsyncIterable<string | Uint8Array> &
  Disposable & {
    readonly send: (message: string | Uint8Array<ArrayBuffer>) => void
    /** Bytes handed to `send` that have not left yet; wait while this grows. */
    readonly waitingBytes: () => number
    readonly close: (code?: number, reason?: string) => void
    /** Why it closed: 1000 in good order, 1006 when the connection was lost, otherwise what the server says. */
    readonly closed: Promise<{ readonly code: number; readonly reason: string }>
  }

/** Messages that may wait unread, in bytes, before the connection is given up. */
const UNREAD_LIMIT_BYTES = 64 * 1024 * 1024

/**
 * Opens a WebSocket. In Node the credentials travel as a header, in browsers as the cookie.
 * @throws {ApiError} what the server refuses with; `server_unreachable` when it cannot be reached
 */
export async function openSocket(
  transport: Transport,
  request: Prepared,
  options: CallOptions,
): Promise<Socket> {
  const url = new URL(request.url)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  // Node's WebSocket takes headers in the place of protocols, which the browsers' type does not know; a browser's would take
  // the object for a protocol's name.
  const headers: unknown = { headers: { ...transport.headers } }
  const socket = transport.cookies ? new WebSocket(url) : new WebSocket(url, headers as string[])
  socket.binaryType = 'arraybuffer'
  const opened = await openingOf(socket, transport, options)
  if (opened) return wrap(socket, transport.server, options.signal)
  options.signal?.throwIfAborted()
  // A failed handshake tells a program nothing; the same request without the upgrade is answered with the reason.
  await sendForJson(transport, request, options)
  throw localError('server_unreachable', { server: transport.server })
}

function openingOf(socket: WebSocket, transport: Transport, options: CallOptions): Promise<boolean> {
  return new Promise((resolve) => {
    const deadline = transport.clock.after(options.timeoutMs ?? transport.timeoutMs, () => finish(false))
    const abort = (): void => finish(false)
    const finish = (open: boolean): void => {
      deadline[Symbol.dispose]()
      options.signal?.removeEventListener('abort', abort)
      if (!open) socket.close()
      resolve(open)
    }
    if (options.signal?.aborted) finish(false)
    options.signal?.addEventListener('abort', abort, { once: true })
    socket.addEventListener('open', () => finish(true), { once: true })
    socket.addEventListener('error', () => finish(false), { once: true })
  })
}

function wrap(socket: WebSocket, server: string, signal: AbortSignal | undefined): Socket {
  const unread: (string | Uint8Array)[] = []
  let unreadBytes = 0
  let overflowed = false
  let isClosed = false
  let wake: (() => void) | undefined

  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.addEventListener('close', (event) => {
      isClosed = true
      signal?.removeEventListener('abort', onAbort)
      resolve({ code: event.code, reason: event.reason })
      wake?.()
    })
  })
  const onAbort = (): void => socket.close()
  signal?.addEventListener('abort', onAbort, { once: true })
  socket.addEventListener('message', (event) => {
    // `binaryType` above leaves only these two.
    const data = event.data as string | ArrayBuffer
    const message = typeof data === 'string' ? data : new Uint8Array(data)
    unread.push(message)
    unreadBytes += message.length
    // The protocol has no way to slow the other side down, so a reader that stopped ends the connection.
    if (unreadBytes > UNREAD_LIMIT_BYTES) {
      overflowed = true
      socket.close(4000, 'reader too slow')
    }
    wake?.()
  })

  async function* messages(): AsyncGenerator<string | Uint8Array, void, undefined> {
    for (;;) {
      const message = unread.shift()
      if (message !== undefined) {
        unreadBytes -= message.length
        yield message
      } else if (overflowed) throw localError('stream_overflow', { server })
      else if (isClosed) return
      else
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    }
  }

  return {
    send: (message) => socket.send(message),
    waitingBytes: () => socket.bufferedAmount,
    close: (code = 1000, reason = '') => socket.close(code, reason),
    closed,
    [Symbol.asyncIterator]: messages,
    [Symbol.dispose]: () => socket.close(),
  }
}
