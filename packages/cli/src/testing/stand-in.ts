import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request that the stand-in has seen. */
export type Seen = { readonly line: string; readonly body: unknown; readonly bearer: string | undefined }

/** What it answers to `METHOD /path` (query left out): a status and a body, or a function of the request. */
type Reply = { readonly status?: number; readonly body?: unknown }
export type Replies = Readonly<Record<string, Reply | ((seen: Seen, url: URL) => Reply)>>

/** A server that answers as the contract says where no platform is needed. */
export type StandIn = AsyncDisposable & { readonly url: string; readonly seen: Seen[] }

export async function standIn(replies: Replies): Promise<StandIn> {
  const seen: Seen[] = []
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const text = await readBody(request)
    const url = new URL(request.url ?? '/', 'http://localhost')
    const one: Seen = {
      line: `${request.method} ${request.url}`,
      body:
        text === ''
          ? undefined
          : request.headers['content-type'] === 'application/octet-stream'
            ? text
            : JSON.parse(text),
      bearer: /^Bearer (.+)$/u.exec(request.headers.authorization ?? '')?.[1],
    }
    seen.push(one)
    const found = replies[`${request.method} ${url.pathname}`]
    const reply = typeof found === 'function' ? found(one, url) : (found ?? refusal(404, 'not_found'))
    response.writeHead(reply.status ?? 200, { 'content-type': 'application/json', connection: 'close' })
    response.end(reply.body === undefined ? undefined : JSON.stringify(reply.body))
  }
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

/** A refusal as the platform writes it. */
export function refusal(status: number, code: string, params: Readonly<Record<string, string>> = {}): Reply {
  return { status, body: { error: { code, message: `English of ${code}`, params, requestId: 'req_test' } } }
}
