import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { systemClock, type Clock } from '@slipway/kit'
import { afterEach, describe, expect, test } from 'vitest'

import { eventParser, readEvents } from './events.ts'
import type { Prepared } from './prepare.ts'
import type { Transport } from './send.ts'
import { openSocket } from './socket.ts'
import { download, upload } from './transfer.ts'

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

async function serve(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  const server = createServer(handler)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

const hasty: Clock = { ...systemClock, sleep: () => new Promise((resolve) => setImmediate(resolve)) }

function toServer(server: Server, method = 'GET'): [Transport, Prepared] {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const transport: Transport = {
    server: url,
    fetch: globalThis.fetch,
    clock: hasty,
    random: () => 0,
    headers: { authorization: 'Bearer x' },
    cookies: false,
    timeoutMs: 10_000,
    attemptsMax: 1,
  }
  return [transport, { method, url: new URL('/v1/x', url), body: undefined }]
}

describe('events', () => {
  const parts: [what: string, chunks: string[], expected: unknown[]][] = [
    ['one event', ['data: 1\n\n'], [{ id: '', name: 'message', data: '1' }]],
    ['cut anywhere', ['da', 'ta: 1', '\n', '\ndata: 2\n\n'], [{ data: '1' }, { data: '2' }]],
    [
      'CRLF cut between its halves',
      ['data: 1\r', '\n\r', '\ndata: 2\r\n\r\n'],
      [{ data: '1' }, { data: '2' }],
    ],
    ['several data lines', ['data: a\ndata:b\n\n'], [{ data: 'a\nb' }]],
    ['comments and unknown fields', [': ping\n\nretry: 5\n\n'], []],
    [
      'an id stays for the next events',
      ['id: 7\nevent: line\ndata: a\n\ndata: b\n\n'],
      [
        { id: '7', name: 'line' },
        { id: '7', name: 'message' },
      ],
    ],
  ]
  test.each(parts)('%s', (_, chunks, expected) => {
    const parser = eventParser()
    expect(chunks.flatMap((chunk) => parser.feed(chunk))).toMatchObject(expected)
  })

  test('resume after a lost connection with the last id seen, without loss or repetition', async () => {
    const asked: unknown[] = []
    const server = await serve((request, response) => {
      asked.push(request.headers['last-event-id'])
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const from = Number(request.headers['last-event-id'] ?? 0)
      for (let id = from + 1; id <= Math.min(from + 2, 5); id += 1)
        response.write(`id: ${id}\ndata: ${id}\n\n`)
      if (from + 2 >= 5) response.end()
      else setImmediate(() => response.destroy())
    })
    const seen: unknown[] = []
    for await (const event of readEvents(...toServer(server), {})) seen.push(event.data)
    expect(seen).toEqual([1, 2, 3, 4, 5])
    expect(asked[0]).toBeUndefined()
    expect(asked.at(-1)).toBe('4')
  })

  test('a refusal before or after the first event ends the stream', async () => {
    const body = JSON.stringify({ error: { code: 'not_found', message: '', params: {}, requestId: 'r' } })
    const before = await serve((_, response) => response.writeHead(404).end(body))
    await expect(readEvents(...toServer(before), {}).next()).rejects.toMatchObject({
      code: 'not_found',
      status: 404,
    })
    const after = await serve((_, response) =>
      response.writeHead(200).end(`data: 1\n\nevent: error\ndata: ${body}\n\n`),
    )
    const events = readEvents(...toServer(after), {})
    await events.next()
    await expect(events.next()).rejects.toMatchObject({ code: 'not_found' })
  })

  test('a server that stays away ends the stream', async () => {
    const server = await serve((_, response) => response.destroy())
    await expect(readEvents(...toServer(server), {}).next()).rejects.toMatchObject({
      code: 'server_unreachable',
    })
  })

  test('leaving the loop closes the connection', async () => {
    let closed = (): void => undefined
    const closing = new Promise<void>((resolve) => (closed = resolve))
    const server = await serve((_, response) => {
      response.on('close', closed)
      response.writeHead(200).write('data: 1\n\n')
    })
    for await (const event of readEvents(...toServer(server), {})) {
      expect(event.data).toBe(1)
      break
    }
    await closing
  })
})

describe('transfers', () => {
  test('a download tells its size and a name without any folder', async () => {
    const server = await serve((_, response) =>
      response
        .writeHead(200, {
          'content-length': '5',
          'content-disposition': "attachment; filename*=UTF-8''..%2Fa%20b.log",
        })
        .end('hello'),
    )
    const file = await download(...toServer(server), {})
    expect(file).toMatchObject({ sizeBytes: 5, fileName: 'a b.log' })
    expect(await new Response(file.stream).text()).toBe('hello')
  })

  test('an upload streams its bytes and returns the answer', async () => {
    const server = await serve((request, response) => {
      let sizeBytes = 0
      request.on('data', (chunk: Buffer) => (sizeBytes += chunk.length))
      request.on('end', () => response.end(JSON.stringify({ sizeBytes })))
    })
    const content = new Blob(['x'.repeat(100_000)]).stream()
    expect(await upload(...toServer(server, 'POST'), content, {})).toEqual({ sizeBytes: 100_000 })
  })
})

describe('a socket', () => {
  /** The least of RFC 6455 that a server needs: the handshake and unmasked frames below 126 bytes. */
  function acceptSockets(server: Server, greet: string): void {
    server.on('upgrade', (request, socket) => {
      socket.resume()
      const accept = createHash('sha1')
        .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
        .digest('base64')
      socket.write(
        `HTTP/1.1 101 ok\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
      )
      const text = `${greet} ${request.headers.authorization}`
      socket.write(Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]))
      socket.end(Buffer.concat([Buffer.from([0x88, 5, 0x0f, 0xa1]), Buffer.from('bye')]))
    })
  }

  test('carries the credentials, gives what arrives and tells why it closed', async () => {
    const server = await serve(() => undefined)
    acceptSockets(server, 'hello')
    const socket = await openSocket(...toServer(server), {})
    const seen: unknown[] = []
    for await (const message of socket) seen.push(message)
    expect(seen).toEqual(['hello Bearer x'])
    expect(await socket.closed).toEqual({ code: 4001, reason: 'bye' })
  })

  test('a refused handshake tells the reason', async () => {
    const body = JSON.stringify({
      error: {
        code: 'permission_missing',
        message: '',
        params: { permission: 'instance:exec' },
        requestId: 'r',
      },
    })
    const server = await serve((_, response) => response.writeHead(403, { connection: 'close' }).end(body))
    await expect(openSocket(...toServer(server), {})).rejects.toMatchObject({
      code: 'permission_missing',
      status: 403,
    })
  })
})
