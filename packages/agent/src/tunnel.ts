/*
 * Many streams over one connection. Each has a window of its own, so one whose reader sleeps holds up nobody else; a heartbeat
 * finds a connection that is dead without having been closed. Only one end opens streams: the platform. What breaks the rules
 * ends the whole tunnel, since nothing that follows can be trusted.
 */
import type { Duplex } from 'node:stream'

import { type Clock, messageOf, SECOND_MS } from '@slipway/kit'

import { encodeFrame, type Frame, FrameError, frameReader } from './frames.ts'
import { connectionLost, TunnelStream } from './tunnel-stream.ts'

/** A connection that carries whole messages in order. */
export type Carrier = {
  readonly send: (bytes: Buffer, sent?: (error?: Error | null) => void) => void
  /** Ends it at once; what is on its way is lost. */
  readonly close: (why: string) => void
  readonly onMessage: (listener: (bytes: Buffer) => void) => void
  readonly onClose: (listener: (why: string) => void) => void
}

export type TunnelOptions = {
  readonly carrier: Carrier
  readonly clock: Clock
  /** Takes the streams that the other end opens; without it there may be none. */
  readonly onStream?: ((stream: Duplex) => void) | undefined
}

export type Tunnel = {
  /** A new stream to the other end. @throws {Error} when the tunnel is closed or full */
  readonly open: () => TunnelStream
  readonly close: (why: string) => void
  /** Resolves when it ended, with the reason. */
  readonly closed: Promise<string>
  readonly streamCount: () => number
}

/** Streams open at once. */
export const STREAMS_MAX = 1_024
const HEARTBEAT_MS = 5 * SECOND_MS
/** After so long without a sign of life, the other end is gone. */
const SILENCE_MAX_MS = 20 * SECOND_MS

/** Runs a tunnel over a connection until either ends. */
export function openTunnel({ carrier, clock, onStream }: TunnelOptions): Tunnel {
  const streams = new Map<number, TunnelStream>()
  const read = frameReader()
  let lastOpened = 0
  let closedBecause: string | undefined
  let heardAtMs = clock.monotonicMs()
  const { promise: closed, resolve: resolveClosed } = Promise.withResolvers<string>()

  function send(frame: Frame, sent?: (error?: Error | null) => void): void {
    if (closedBecause === undefined) carrier.send(encodeFrame(frame), sent)
    else sent?.(connectionLost(closedBecause))
  }

  function end(why: string): void {
    if (closedBecause !== undefined) return
    closedBecause = why
    heartbeat[Symbol.dispose]()
    for (const stream of streams.values()) stream.destroy(connectionLost(why))
    carrier.close(why)
    resolveClosed(why)
  }

  function add(id: number): TunnelStream {
    const stream = new TunnelStream({
      data: (payload, sent) => send({ kind: 'data', stream: id, payload }, sent),
      window: (credit) => send({ kind: 'window', stream: id, credit }),
      end: () => send({ kind: 'end', stream: id }),
      reset: () => send({ kind: 'reset', stream: id }),
      closed: () => void streams.delete(id),
    })
    // Whoever holds the stream hears of it; nobody may hold it any more.
    stream.on('error', () => undefined)
    streams.set(id, stream)
    lastOpened = id
    return stream
  }

  function accept(id: number): void {
    if (!onStream || id <= lastOpened) throw new FrameError('a stream that may not be opened')
    if (streams.size >= STREAMS_MAX) {
      lastOpened = id
      send({ kind: 'reset', stream: id })
    } else onStream(add(id))
  }

  function take(frame: Frame): void {
    if (frame.kind === 'ping') return send({ kind: 'pong', stream: 0 })
    if (frame.kind === 'pong') return
    if (frame.kind === 'open') return accept(frame.stream)
    if (frame.stream > lastOpened || frame.stream === 0) throw new FrameError('a stream that nobody opened')
    const stream = streams.get(frame.stream)
    // It was closed here while the frame was on its way.
    if (!stream) return
    if (frame.kind === 'data') {
      if (!stream.receive(frame.payload)) throw new FrameError('more than the window allows')
    } else if (frame.kind === 'window') stream.receiveCredit(frame.credit)
    else if (frame.kind === 'end') stream.receiveEnd()
    else stream.destroy(connectionLost('the other end closed the stream'))
  }

  const heartbeat = clock.every(HEARTBEAT_MS, () => {
    if (clock.monotonicMs() - heardAtMs > SILENCE_MAX_MS) end('the other end is silent')
    else send({ kind: 'ping', stream: 0 })
  })
  carrier.onMessage((bytes) => {
    if (closedBecause !== undefined) return
    heardAtMs = clock.monotonicMs()
    try {
      for (const frame of read(bytes)) take(frame)
    } catch (error) {
      end(messageOf(error))
    }
  })
  carrier.onClose(end)

  return {
    open() {
      if (closedBecause !== undefined) throw connectionLost(closedBecause)
      if (streams.size >= STREAMS_MAX) throw new Error(`the tunnel already carries ${STREAMS_MAX} streams`)
      const stream = add(lastOpened + 1)
      send({ kind: 'open', stream: lastOpened })
      return stream
    },
    close: end,
    closed,
    streamCount: () => streams.size,
  }
}
