/*
 * A command in an Instance, between a browser and its Cluster. Both sides send messages whose first byte is a channel, as
 * Kubernetes does in v5.channel.k8s.io; ends and sizes are JSON of our own. Neither side is read faster than the other takes.
 */
import { AppError, isRecord, messageOf, parseJson, SECOND_MS, type Clock } from '@slipway/kit'
import type { ExecSession, TerminalSize } from '@slipway/kube'
import type { RawData, WebSocket } from 'ws'

const Channel = { stdin: 0, stdout: 1, stderr: 2, status: 3, resize: 4, end: 255 } as const
/** Keeps proxies, which close what is silent for 60 s, from ending a terminal. */
const PING_MS = 20 * SECOND_MS
const SIZE_MAX = 1_000
const CLOSED_IN_ORDER = 1_000

/** Carries until the command or the socket ends; the session is the caller's to dispose. */
export async function carryTerminal(socket: WebSocket, session: ExecSession, clock: Clock): Promise<void> {
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  using pings = keepAlive(socket, clock)
  socket.on('message', (data, isBinary) =>
    takeMessage(socket, session, isBinary ? bufferOf(data) : undefined),
  )
  const outputs = Promise.all([
    carryOutput(socket, session.stdout, Channel.stdout),
    carryOutput(socket, session.stderr, Channel.stderr),
  ])
  // A reader that left breaks the outputs; what counts is that it left.
  outputs.catch(() => undefined)
  await Promise.race([gone, finish(socket, session, outputs)])
  pings[Symbol.dispose]()
}

async function finish(socket: WebSocket, session: ExecSession, outputs: Promise<unknown>): Promise<void> {
  const end = await session.exitCode.then(
    (exitCode) => ({ exitCode }),
    (thrown: unknown) => ({ error: { code: codeOf(thrown), message: messageOf(thrown).slice(0, 500) } }),
  )
  await outputs.catch(() => undefined)
  await send(socket, Channel.status, Buffer.from(JSON.stringify(end)))
  socket.close(CLOSED_IN_ORDER)
}

function codeOf(thrown: unknown): string {
  return thrown instanceof AppError ? thrown.code : 'instance_command_refused'
}

async function carryOutput(socket: WebSocket, output: AsyncIterable<Buffer>, channel: number): Promise<void> {
  for await (const chunk of output) await send(socket, channel, chunk)
}

/** Resolves when the message has left, so that a slow reader holds the command back and not our memory. */
function send(socket: WebSocket, channel: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    if (socket.readyState !== socket.OPEN) return resolve()
    socket.send(Buffer.concat([Buffer.from([channel]), bytes]), (error) =>
      error ? reject(error) : resolve(),
    )
  })
}

function takeMessage(socket: WebSocket, session: ExecSession, message: Buffer | undefined): void {
  const bytes = message?.subarray(1)
  if (message === undefined || bytes === undefined) return
  switch (message[0]) {
    case Channel.stdin:
      if (session.stdin.writable && !session.stdin.write(bytes)) {
        socket.pause()
        session.stdin.once('drain', () => socket.resume())
        session.stdin.once('close', () => socket.resume())
      }
      return
    case Channel.resize: {
      const size = sizeOf(bytes)
      if (size) session.resize(size)
      return
    }
    case Channel.end:
      session.stdin.end()
      return
    default:
    // A channel of a newer client: nothing that could be done about it.
  }
}

function sizeOf(bytes: Buffer): TerminalSize | undefined {
  try {
    const value = parseJson(bytes.toString('utf8'))
    const columns = isRecord(value) ? value['columns'] : undefined
    const rows = isRecord(value) ? value['rows'] : undefined
    return isSize(columns) && isSize(rows) ? { columns, rows } : undefined
  } catch {
    // A size that cannot be read leaves the terminal as it is.
    return undefined
  }
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= SIZE_MAX
}

function bufferOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)
}

function keepAlive(socket: WebSocket, clock: Clock): Disposable {
  let answered = true
  socket.on('pong', () => (answered = true))
  return clock.every(PING_MS, () => {
    // While it is paused because the command does not read, a pong cannot be seen.
    if (socket.isPaused) return
    if (!answered) return socket.terminate()
    answered = false
    socket.ping()
  })
}
