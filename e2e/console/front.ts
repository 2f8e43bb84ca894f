/* Stands between browser and platform and answers in its place where a test says so: a server that fails, hangs, or is newer. */
import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Answer =
  | 'pass'
  | 'hang'
  | { readonly status: number; readonly type: string; readonly body: string }

/** How the server seems to be. Both left out: as it is. */
export type Rule = {
  readonly answer?: (path: string) => Answer
  /** Changes what a JSON answer holds. */
  readonly change?: (value: unknown) => unknown
}

export type Front = AsyncDisposable & {
  readonly port: number
  readonly behave: (rule: Rule) => void
}

/** @param port - of the platform, on the loopback address */
export async function standInFront(port: number): Promise<Front> {
  let rule: Rule = {}
  const server = createServer((asked, reply) => {
    const answer = rule.answer?.(asked.url ?? '/') ?? 'pass'
    if (answer === 'pass') return passOn(asked, reply, { port, change: rule.change })
    if (answer !== 'hang') reply.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    // It listens on TCP.
    port: (server.address() as AddressInfo).port,
    behave(wanted) {
      rule = wanted
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

type Behind = { readonly port: number; readonly change: Rule['change'] }

function passOn(asked: IncomingMessage, reply: ServerResponse, { port, change }: Behind): void {
  const { 'accept-encoding': _, ...plain } = asked.headers
  const headers = change ? plain : asked.headers
  const sent = request({ host: '127.0.0.1', port, method: asked.method, path: asked.url, headers }, (got) => {
    const isJson = got.headers['content-type']?.startsWith('application/json') === true
    if (!change || !isJson) {
      reply.writeHead(got.statusCode ?? 502, got.headers)
      got.pipe(reply)
      return
    }
    const parts: Buffer[] = []
    got.on('data', (part: Buffer) => parts.push(part))
    got.on('end', () => {
      const { 'content-length': _length, ...rest } = got.headers
      reply.writeHead(got.statusCode ?? 502, rest)
      const text = Buffer.concat(parts).toString('utf8')
      reply.end(text === '' ? '' : JSON.stringify(change(JSON.parse(text))))
    })
  })
  // Whoever went away on either side ends the other one too.
  sent.on('error', () => reply.destroy())
  reply.on('close', () => sent.destroy())
  asked.pipe(sent)
}

/** An answer as of a server that is newer: words and fields that nobody here knows. */
export function newer(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(newer)
  if (typeof value !== 'object' || value === null) return value
  const known = Object.entries(value).map(([name, part]): [string, unknown] => [
    name,
    UNKNOWN.has(name) && typeof part === 'string' ? 'Simmering' : newer(part),
  ])
  // What has no id may be a map, whose names are people's.
  return Object.fromEntries('id' in value ? [...known, ['novelty', { of: ['two', 2] }]] : known)
}

const UNKNOWN: ReadonlySet<string> = new Set(['state', 'health', 'kind', 'runtime'])
