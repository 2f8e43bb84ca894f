import { mkdtemp, rm } from 'node:fs/promises'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'

import { systemClock, waitFor } from '@slipway/kit'

import type { NodeAgent } from '../model.ts'
import { openRegistry, type OpenRegistry } from '../registry/index.ts'
import { startServer, type ApiServer } from './server.ts'

type Reply = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** The body as JSON; fields of it are looked up freely by tests. */
  readonly body: Readonly<Record<string, never>>
}

type Call = {
  readonly method?: string
  readonly body?: unknown
  readonly type?: string
  readonly accept?: string
  readonly token?: string | null
  readonly headers?: Readonly<Record<string, string>>
}

export type TestServer = AsyncDisposable & {
  readonly server: ApiServer
  /** What the server logged as errors. */
  readonly problems: readonly string[]
  readonly opened: OpenRegistry
  readonly call: (path: string, call?: Call) => Promise<Reply>
  /** Opens a watch; `events` grows as they come. */
  readonly watch: (path: string, call?: Call) => Promise<TestWatch>
  /** Options for a raw connection with the administrator's token. */
  readonly connection: RequestOptions & { readonly headers: { readonly authorization: string } }
}

type TestWatch = Disposable & {
  readonly status: number
  readonly events: readonly WatchEvent[]
  readonly ended: () => boolean
  /** Waits until there are this many events. */
  readonly until: (count: number) => Promise<readonly WatchEvent[]>
}

export type WatchEvent = {
  readonly type: string
  readonly object: Readonly<Record<string, never>>
  readonly raw: string
}

/** An API server of its own for a test, with namespaces `default` and `other` and one node agent that echoes. */
export async function startTestServer(agent: Partial<NodeAgent> = {}): Promise<TestServer> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'slipway-server-'))
  const opened = await openRegistry({ dataFolder, clock: systemClock, log: () => undefined })
  for (const name of ['default', 'other'])
    await opened.registry.create('namespaces', { metadata: { name } }, 'test')
  const agents = [{ ...silentAgent(), ...agent }]
  const problems: string[] = []
  const server = await startServer({
    registry: opened,
    agents: () => agents,
    dataFolder,
    port: 0,
    clock: systemClock,
    log: (level, message, fields) =>
      void (level === 'error' && problems.push(`${message} ${JSON.stringify(fields)}`)),
    metrics: () => 'extra_metric 1\n',
  })
  const connection = {
    host: '127.0.0.1',
    port: server.port,
    ca: server.caPem,
    headers: { authorization: `Bearer ${server.adminToken}` },
  }
  return {
    problems,
    server,
    opened,
    connection,
    call: (path, call = {}) => send(connection, path, call),
    watch: (path, call = {}) => openWatch(connection, path, call),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await opened[Symbol.asyncDispose]()
      await rm(dataFolder, { recursive: true })
    },
  }
}

function silentAgent(): NodeAgent {
  return {
    nodeName: 'node-1',
    logs: (_, options) => Promise.resolve(Readable.from([JSON.stringify(options)])),
    exec: () => Promise.resolve({ exitCode: 0 }),
    attach: () => Promise.resolve({ exitCode: 0 }),
    connect: () => Promise.reject(new Error('nothing listens')),
    nodeUsage: () => Promise.resolve({ cpuCores: 0.25, memoryBytes: 1024 * 1024, at: new Date() }),
    podUsage: () => Promise.resolve([]),
  }
}

function optionsOf(
  connection: TestServer['connection'],
  path: string,
  call: Call,
): RequestOptions & { readonly headers: Record<string, string | number> } {
  const token =
    call.token === undefined
      ? connection.headers.authorization
      : call.token === null
        ? ''
        : `Bearer ${call.token}`
  return {
    ...connection,
    path,
    method: call.method ?? (call.body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(token === '' ? {} : { authorization: token }),
      ...(call.body === undefined ? {} : { 'content-type': call.type ?? 'application/json' }),
      ...(call.accept === undefined ? {} : { accept: call.accept }),
      ...call.headers,
    },
  }
}

function bytesOf(body: unknown): Buffer | undefined {
  if (body === undefined || Buffer.isBuffer(body)) return body
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
}

function send(connection: TestServer['connection'], path: string, call: Call): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  const bytes = bytesOf(call.body)
  const options = optionsOf(connection, path, call)
  if (bytes) options.headers['content-length'] = bytes.length
  const request = httpsRequest(options, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('error', reject)
    response.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      const isJson = response.headers['content-type']?.startsWith('application/json') && text !== ''
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        text,
        body: (isJson ? JSON.parse(text) : {}) as Reply['body'],
      })
    })
  })
  request.on('error', reject)
  request.end(bytes)
  return promise
}

function openWatch(connection: TestServer['connection'], path: string, call: Call): Promise<TestWatch> {
  const { promise, resolve, reject } = Promise.withResolvers<TestWatch>()
  const events: WatchEvent[] = []
  let rest = ''
  let ended = false
  const request = httpsRequest(optionsOf(connection, path, call), (response) => {
    response.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n')
      rest = lines.pop() ?? ''
      for (const raw of lines) events.push({ ...(JSON.parse(raw) as WatchEvent), raw })
    })
    response.on('close', () => (ended = true))
    response.on('error', () => (ended = true))
    resolve({
      status: response.statusCode ?? 0,
      events,
      ended: () => ended,
      async until(count) {
        await waitFor(systemClock, `${count} events`, () => events.length >= count, {
          timeoutMs: 20_000,
          everyMs: 5,
        })
        return events
      },
      [Symbol.dispose]: () => void request.destroy(),
    })
  })
  request.on('error', reject)
  request.end()
  return promise
}
