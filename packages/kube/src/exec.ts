/*
 * Exec over WebSocket, protocol v5.channel.k8s.io: the first byte of each message is its channel. 0 input, 1 output, 2 errors,
 * 3 the final Status, 4 terminal size, 255 "this channel has ended" followed by the channel. Kubernetes speaks it since 1.30.
 */
import { Readable, Writable } from 'node:stream'

import { type Clock, errorOf, isRecord } from '@slipway/kit'
import { WebSocket } from 'ws'

import { errorOfReply, errorOfStatus, KubeError } from './errors.ts'
import type { ExecOptions, ExecSession, TerminalSize } from './kube.ts'
import { parseReply } from './reply.ts'
import { impersonationHeaders } from './requests.ts'
import { connectionError, type Transport } from './transport.ts'

const PROTOCOL = 'v5.channel.k8s.io'
const HANDSHAKE_MS = 30_000
const MESSAGE_MAX_BYTES = 8 * 1024 * 1024
const FRAME_BYTES = 32 * 1024
const REFUSAL_MAX_BYTES = 64 * 1024
/** A terminal may stay silent for hours; this finds out that nobody is there any more. */
const PING_MS = 30_000

const Channel = { stdin: 0, stdout: 1, stderr: 2, status: 3, resize: 4, end: 255 } as const

export type ExecPlace = { readonly transport: Transport; readonly clock: Clock; readonly path: string }

export async function openExec(place: ExecPlace, options: ExecOptions): Promise<ExecSession> {
  const socket = await dial(place, options)
  const output = outputStreams(socket, options.terminal === true)
  const exitCode = exitCodeOf(socket, output)
  // Whoever only wants the output need not look at the exit code.
  exitCode.catch(() => undefined)
  const pings = keepAlive(socket, place.clock)
  const onAbort = (): void => socket.terminate()
  options.signal?.addEventListener('abort', onAbort, { once: true })
  socket.once('close', () => {
    pings[Symbol.dispose]()
    options.signal?.removeEventListener('abort', onAbort)
  })
  socket.resume()
  return {
    stdin: options.stdin === true ? inputStream(socket) : refusingInput(),
    stdout: output.stdout,
    stderr: output.stderr,
    resize: (size) => sendSize(socket, size),
    exitCode,
    async [Symbol.asyncDispose]() {
      if (socket.readyState === WebSocket.CLOSED) return
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
      socket.terminate()
      await closed
    },
  }
}

/** Connects and stops the socket before its first message, so that nothing arrives before somebody listens. */
async function dial({ transport, path }: ExecPlace, options: ExecOptions): Promise<WebSocket> {
  const { url, headers, ...tls } = await transport.socketOptions()
  options.signal?.throwIfAborted()
  const socket = new WebSocket(`${url}${path}?${execQuery(options)}`, PROTOCOL, {
    ...tls,
    headers: { ...headers, ...impersonationHeaders(options.impersonate) },
    handshakeTimeout: options.timeoutMs ?? HANDSHAKE_MS,
    maxPayload: MESSAGE_MAX_BYTES,
    perMessageDeflate: false,
    followRedirects: false,
  })
  return await new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(errorOf(options.signal?.reason))
      socket.terminate()
    }
    options.signal?.addEventListener('abort', onAbort, { once: true })
    const settle = (): void => options.signal?.removeEventListener('abort', onAbort)
    socket.once('unexpected-response', (_, response) => {
      settle()
      void refusalOf(response).then(reject)
      socket.once('error', () => undefined)
    })
    socket.once('error', (error) => {
      settle()
      reject(connectionError(error, 'exec'))
    })
    socket.once('open', () => {
      settle()
      socket.pause()
      // From here on a broken connection shows as `close` without a status.
      socket.on('error', () => undefined)
      resolve(socket)
    })
  })
}

function execQuery(options: ExecOptions): string {
  const query = new URLSearchParams()
  for (const part of options.command) query.append('command', part)
  if (options.container !== undefined) query.set('container', options.container)
  query.set('stdout', 'true')
  if (options.stdin === true) query.set('stdin', 'true')
  // With a terminal, errors come with the output.
  query.set(options.terminal === true ? 'tty' : 'stderr', 'true')
  return query.toString()
}

async function refusalOf(response: {
  readonly statusCode?: number | undefined
  [Symbol.asyncIterator]: () => AsyncIterator<unknown>
}): Promise<KubeError> {
  const parts: Buffer[] = []
  let sizeBytes = 0
  try {
    for await (const part of response) {
      parts.push(part as Buffer)
      sizeBytes += (part as Buffer).length
      if (sizeBytes > REFUSAL_MAX_BYTES) break
    }
  } catch (error) {
    // The status code was there before the text broke off.
    parts.push(Buffer.from(String(error)))
  }
  return errorOfReply(response.statusCode ?? 0, Buffer.concat(parts).toString('utf8'))
}

type Output = {
  readonly stdout: Readable
  readonly stderr: Readable
  /** Calls back once with the message of the status channel, undefined when the connection ended without one. */
  readonly onEnd: (listener: (status: Buffer | undefined) => void) => void
}

function outputStreams(socket: WebSocket, terminal: boolean): Output {
  // Whoever reads slowly slows the command down, not our memory up.
  const read = (): void => socket.resume()
  const stdout = new Readable({ read })
  const stderr = new Readable({ read })
  if (terminal) stderr.push(null)
  let status: Buffer | undefined
  const endings = new Set<Readable>()
  const end = (stream: Readable): void => {
    if (!endings.has(stream) && !(terminal && stream === stderr)) stream.push(null)
    endings.add(stream)
  }
  socket.on('message', (data) => {
    const message = data as Buffer
    const channel = message[0]
    const bytes = message.subarray(1)
    if (channel === Channel.status) status = bytes
    else if (channel === Channel.end && bytes[0] === Channel.stdout) end(stdout)
    else if (channel === Channel.end && bytes[0] === Channel.stderr) end(stderr)
    const target =
      channel === Channel.stdout ? stdout : channel === Channel.stderr && !terminal ? stderr : undefined
    // The first, empty message of each channel only says that it exists.
    if (!target || bytes.length === 0 || endings.has(target)) return
    if (!target.push(bytes)) socket.pause()
  })
  socket.on('close', () => {
    end(stdout)
    end(stderr)
  })
  return { stdout, stderr, onEnd: (listener) => socket.once('close', () => listener(status)) }
}

function exitCodeOf(socket: WebSocket, output: Output): Promise<number> {
  return new Promise((resolve, reject) => {
    output.onEnd((status) => {
      try {
        resolve(exitCodeIn(status))
      } catch (error) {
        reject(errorOf(error))
      }
    })
    if (socket.readyState === WebSocket.CLOSED) reject(lostConnection())
  })
}

/** @throws {KubeError} when the command could not be run or its end is not known */
function exitCodeIn(message: Buffer | undefined): number {
  if (!message) throw lostConnection()
  let status: unknown
  try {
    status = parseReply(message)
  } catch (cause) {
    throw new KubeError(0, 'InvalidReply', 'the command ended with a status that is not JSON', { cause })
  }
  if (!isRecord(status))
    throw new KubeError(0, 'InvalidReply', 'the command ended with a status that is none')
  if (status['status'] === 'Success') return 0
  const error = errorOfStatus(status)
  const code = error.details.causes?.find((cause) => cause.reason === 'ExitCode')?.message
  if (error.reason === 'NonZeroExitCode' && code !== undefined && /^[0-9]{1,10}$/.test(code))
    return Number(code)
  throw error
}

function lostConnection(): KubeError {
  return new KubeError(0, 'ConnectionLost', 'the connection ended before the command did')
}

function inputStream(socket: WebSocket): Writable {
  return new Writable({
    write(chunk: Buffer, _, done) {
      sendInput(socket, chunk, done)
    },
    final(done) {
      if (socket.readyState !== WebSocket.OPEN) done()
      else socket.send(Buffer.from([Channel.end, Channel.stdin]), (error) => done(error ?? null))
    },
  })
}

/** Frame by frame, each after the one before has left, so that no more than one lies in our memory. */
function sendInput(socket: WebSocket, chunk: Buffer, done: (error?: Error | null) => void): void {
  const frame = Buffer.concat([Buffer.from([Channel.stdin]), chunk.subarray(0, FRAME_BYTES)])
  socket.send(frame, (error) => {
    if (error) done(connectionError(error, 'exec input'))
    else if (chunk.length <= FRAME_BYTES) done()
    else sendInput(socket, chunk.subarray(FRAME_BYTES), done)
  })
}

function refusingInput(): Writable {
  return new Writable({
    write: (_, __, done) => done(new KubeError(0, 'InvalidRequest', 'the command was started without input')),
  })
}

function sendSize(socket: WebSocket, size: TerminalSize): void {
  if (socket.readyState !== WebSocket.OPEN) return
  const text = JSON.stringify({ Width: size.columns, Height: size.rows })
  socket.send(Buffer.concat([Buffer.from([Channel.resize]), Buffer.from(text)]))
}

function keepAlive(socket: WebSocket, clock: Clock): Disposable {
  let answered = true
  socket.on('pong', () => (answered = true))
  return clock.every(PING_MS, () => {
    // While paused because nobody reads, a pong cannot be seen.
    if (socket.isPaused) return
    if (!answered) socket.terminate()
    else socket.ping()
    answered = false
  })
}
