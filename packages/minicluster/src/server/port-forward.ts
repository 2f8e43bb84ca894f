import type { Duplex } from 'node:stream'

import { errorOf, serialQueue } from '@slipway/kit'
import type { WebSocket } from 'ws'

import { frameReader, frameWriter, headerReader, type Frame, type FrameWriter } from './spdy.ts'

/*
 * Port-forward as kubectl speaks it: SPDY frames inside a WebSocket. For each connection the client opens two streams with
 * the same request id: `error`, on which we say why it did not work, and `data`. When one direction of the data ends, so
 * does that direction of the connection to the pod; the error stream ends last. Source: the portforward package of client-go.
 */
export const PORT_FORWARD_PROTOCOL = 'SPDY/3.1+portforward.k8s.io'
const STREAMS_MAX = 512
const PIECE_BYTES = 32 * 1024
const EARLY_MAX_BYTES = 8 * 1024 * 1024

type Connect = (port: number) => Promise<Duplex>
type Pair = { errorId?: number; dataId?: number; readonly port: number }
type DataStream = {
  readonly errorId: number
  target: Duplex | undefined
  readonly early: Buffer[]
  earlyBytes: number
  ended: boolean
}

type Session = {
  readonly socket: WebSocket
  readonly writer: FrameWriter
  readonly connect: Connect
  readonly pairs: Map<string, Pair>
  readonly streams: Map<number, DataStream>
}

/** Serves port-forward on the socket until the client leaves. */
export function forwardPorts(socket: WebSocket, connect: Connect): void {
  const session: Session = { socket, writer: frameWriter(), connect, pairs: new Map(), streams: new Map() }
  const readFrames = frameReader()
  const headers = headerReader()
  const queue = serialQueue()
  socket.on('message', (data: Buffer) => {
    // One after another: header blocks depend on each other, and data must not overtake the opening of its stream.
    queue
      .run(async () => {
        for (const frame of readFrames(data)) {
          if (frame.kind === 'open') openStream(session, frame.id, await headers.read(frame.block))
          else handleFrame(session, frame)
        }
      })
      .catch(() => socket.close(1002))
  })
  socket.on('error', () => socket.terminate())
  socket.on('close', () => {
    headers[Symbol.dispose]()
    for (const { target } of session.streams.values()) target?.destroy()
    session.streams.clear()
  })
}

function openStream(session: Session, id: number, headers: ReadonlyMap<string, string>): void {
  const { socket, writer, pairs, streams } = session
  const port = Number(headers.get('port'))
  const type = headers.get('streamtype')
  const isPort = Number.isInteger(port) && port > 0 && port < 65_536
  if (!isPort || (type !== 'error' && type !== 'data') || streams.size + pairs.size >= STREAMS_MAX) {
    socket.send(writer.reset(id))
    return
  }
  socket.send(writer.reply(id))
  const key = headers.get('requestid') ?? ''
  const pair = pairs.get(key) ?? { port }
  pairs.set(key, pair)
  if (type === 'error') pair.errorId = id
  else pair.dataId = id
  if (pair.errorId === undefined || pair.dataId === undefined) return
  pairs.delete(key)
  void startForwarding(session, { dataId: pair.dataId, errorId: pair.errorId, port })
}

async function startForwarding(
  session: Session,
  { dataId, errorId, port }: { dataId: number; errorId: number; port: number },
): Promise<void> {
  const stream: DataStream = { errorId, target: undefined, early: [], earlyBytes: 0, ended: false }
  session.streams.set(dataId, stream)
  try {
    const target = await session.connect(port)
    // The client may have given up while we dialled.
    if (session.socket.readyState !== session.socket.OPEN || !session.streams.has(dataId)) {
      target.destroy()
      return
    }
    attach(session, dataId, stream, target)
  } catch (error) {
    finish(session, dataId, `failed to connect to port ${port}: ${errorOf(error).message}`)
  }
}

function attach(session: Session, dataId: number, stream: DataStream, target: Duplex): void {
  const { socket, writer } = session
  stream.target = target
  target.on('data', (chunk: Buffer) => {
    target.pause()
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
      const isEnd = at + PIECE_BYTES >= chunk.length
      const frame = writer.data(dataId, chunk.subarray(at, at + PIECE_BYTES), false)
      // Only as fast as the client reads.
      socket.send(frame, isEnd ? () => target.resume() : undefined)
    }
  })
  target.on('end', () => finish(session, dataId))
  target.on('error', (error) => finish(session, dataId, `error copying from the pod: ${error.message}`))
  target.on('close', () => finish(session, dataId))
  for (const bytes of stream.early.splice(0)) target.write(bytes)
  if (stream.ended) target.end()
}

/** Ends the data stream and then the error stream, with a message if there is something to say. */
function finish({ socket, writer, streams }: Session, dataId: number, message = ''): void {
  const stream = streams.get(dataId)
  if (!stream) return
  streams.delete(dataId)
  if (socket.readyState === socket.OPEN) {
    socket.send(writer.data(dataId, Buffer.alloc(0), true))
    socket.send(writer.data(stream.errorId, Buffer.from(message), true))
  }
  // What was sent to the pod still goes out; the pod has nothing more to say.
  if (stream.target?.writableEnded === false) stream.target.end()
}

function handleFrame(session: Session, frame: Exclude<Frame, { kind: 'open' }>): void {
  switch (frame.kind) {
    case 'data': {
      const stream = session.streams.get(frame.id)
      if (stream) receive(session.socket, stream, frame.bytes, frame.isLast)
      return
    }
    case 'reset':
      session.streams.get(frame.id)?.target?.destroy()
      finish(session, frame.id)
      return
    case 'ping':
      session.socket.send(session.writer.ping(frame.id))
      return
    case 'goAway':
      session.socket.close(1000)
      return
    default:
  }
}

function receive(socket: WebSocket, stream: DataStream, bytes: Buffer, isLast: boolean): void {
  const { target } = stream
  if (isLast) stream.ended = true
  if (!target) {
    // The pod is still being dialled.
    stream.early.push(bytes)
    stream.earlyBytes += bytes.length
    if (stream.earlyBytes > EARLY_MAX_BYTES) socket.close(1008)
    return
  }
  if (target.destroyed || target.writableEnded) return
  if (bytes.length > 0 && !target.write(bytes)) {
    socket.pause()
    const resume = (): void => {
      target.off('drain', resume)
      target.off('close', resume)
      socket.resume()
    }
    target.on('drain', resume)
    target.on('close', resume)
  }
  if (isLast) {
    target.end()
    socket.resume()
  }
}
