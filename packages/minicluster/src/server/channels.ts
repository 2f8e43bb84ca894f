import { PassThrough, Writable } from 'node:stream'
import { finished } from 'node:stream/promises'

import type { WebSocket } from 'ws'

import type { ExecStreams, TerminalSize } from '../model.ts'
import { objectOf, type JsonObject } from '../schema/json.ts'
import { statusErrorOf, statusObject } from './exchange.ts'

/*
 * The remote command protocol over a WebSocket, `v5.channel.k8s.io` (v4 without the half close): each message begins with
 * the number of its channel. 0 stdin, 1 stdout, 2 stderr, 3 the final Status, 4 terminal sizes; 255 closes the channel
 * that follows it. Source: KEP-4006 and the remotecommand package of the Kubernetes API machinery.
 */
const STDIN = 0
const STDOUT = 1
const STDERR = 2
const ERROR = 3
const RESIZE = 4
const CLOSE = 255
const PIECE_BYTES = 64 * 1024

export type ChannelOptions = {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly terminal: boolean
}

/** Runs a command or attaches to one, over the socket, until it ends or the client leaves. */
export async function runOverChannels(
  socket: WebSocket,
  options: ChannelOptions,
  run: (streams: ExecStreams) => Promise<{ readonly exitCode: number }>,
): Promise<void> {
  const leaving = new AbortController()
  const stdin = options.stdin ? new PassThrough() : undefined
  const sizes = sizeFeed()
  const stdout = outputTo(socket, STDOUT, options.stdout)
  const stderr = options.terminal ? undefined : outputTo(socket, STDERR, options.stderr)
  socket.on('message', (data: Buffer) => receive(data, { socket, stdin, sizes }))
  socket.on('close', () => {
    stdin?.destroy()
    leaving.abort(new Error('the client has gone'))
  })
  socket.on('error', () => socket.terminate())
  const streams: ExecStreams = {
    terminal: options.terminal,
    stdin,
    stdout,
    stderr,
    onResize: sizes.listen,
    signal: leaving.signal,
  }
  const status = await outcomeOf(run, streams)
  stdin?.destroy()
  // Input that nobody read may have paused the socket, which could then not hear the client's goodbye.
  socket.resume()
  if (socket.readyState !== socket.OPEN) return
  socket.send(Buffer.concat([Buffer.of(ERROR), Buffer.from(JSON.stringify(status))]))
  socket.close(1000)
}

async function outcomeOf(
  run: (streams: ExecStreams) => Promise<{ readonly exitCode: number }>,
  streams: ExecStreams,
): Promise<JsonObject> {
  try {
    const { exitCode } = await run(streams)
    // All output goes out before the status, after which clients stop reading.
    await Promise.all(
      [streams.stdout, ...(streams.stderr ? [streams.stderr] : [])].map((one) => finished(one)),
    )
    return exitStatus(exitCode)
  } catch (error) {
    return statusObject(statusErrorOf(error))
  }
}

function exitStatus(exitCode: number): JsonObject {
  if (exitCode === 0) return { metadata: {}, status: 'Success' }
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  }
}

type Inputs = {
  readonly socket: WebSocket
  readonly stdin: PassThrough | undefined
  readonly sizes: SizeFeed
}

function receive(data: Buffer, { socket, stdin, sizes }: Inputs): void {
  const payload = data.subarray(1)
  switch (data[0]) {
    case STDIN:
      if (!stdin || stdin.writableEnded || stdin.destroyed) return
      if (!stdin.write(payload)) {
        socket.pause()
        stdin.once('drain', () => socket.resume())
      }
      return
    case RESIZE:
      sizes.announce(payload)
      return
    case CLOSE:
      if (payload[0] !== STDIN) return
      stdin?.end()
      // A stream that is ending announces no more drain.
      socket.resume()
      return
    default:
      // Clients have nothing to say on the channels of the server.
      socket.close(1002)
  }
}

type SizeFeed = {
  readonly listen: (listener: (size: TerminalSize) => void) => void
  readonly announce: (payload: Buffer) => void
}

function sizeFeed(): SizeFeed {
  const listeners: ((size: TerminalSize) => void)[] = []
  let last: TerminalSize | undefined
  return {
    listen(listener) {
      listeners.push(listener)
      if (last) listener(last)
    },
    announce(payload) {
      const size = readSize(payload)
      if (!size) return
      last = size
      for (const listener of listeners) listener(size)
    },
  }
}

function readSize(payload: Buffer): TerminalSize | undefined {
  try {
    const { Width: columns, Height: rows } = objectOf(JSON.parse(payload.toString('utf8')))
    const isSize = (value: unknown): value is number =>
      Number.isInteger(value) && Number(value) > 0 && Number(value) < 65_536
    return isSize(columns) && isSize(rows) ? { columns, rows } : undefined
  } catch {
    // A size that cannot be read changes nothing.
    return undefined
  }
}

/** A channel to the client as a stream that takes only as much as the client reads. */
function outputTo(socket: WebSocket, channel: number, wanted: boolean): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (!wanted) return done()
      if (socket.readyState !== socket.OPEN) return done(new Error('the client has gone'))
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        const piece = Buffer.concat([Buffer.of(channel), chunk.subarray(at, at + PIECE_BYTES)])
        const isLast = at + PIECE_BYTES >= chunk.length
        socket.send(piece, isLast ? (error) => done(error) : undefined)
      }
      if (chunk.length === 0) done()
    },
  })
}

/** The protocol to speak, of those the client offers. */
export function chooseProtocol(offered: ReadonlySet<string>): string | undefined {
  return ['v5.channel.k8s.io', 'v4.channel.k8s.io'].find((protocol) => offered.has(protocol))
}
