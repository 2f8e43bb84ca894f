import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { createServer, connect as dial, type AddressInfo, type Server } from 'node:net'
import type { Duplex } from 'node:stream'
import { createDeflate, constants } from 'node:zlib'

import { systemClock, waitFor } from '@slipway/kit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { PORT_FORWARD_PROTOCOL } from './port-forward.ts'
import { DICTIONARY, frameReader, type Frame } from './spdy.ts'
import { startTestServer, type TestServer } from './testing.ts'

let cluster: TestServer
let echo: Server
let port = 0

beforeAll(async () => {
  echo = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket))
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  port = (echo.address() as AddressInfo).port
  cluster = await startTestServer({
    async connect(_namespace, _pod, wanted) {
      const socket = dial({ host: '127.0.0.1', port: wanted, allowHalfOpen: true })
      await once(socket, 'connect')
      return socket
    },
  })
  const { registry } = cluster.opened
  const containers = [{ name: 'app', image: 'i:1' }]
  await registry.create(
    'pods',
    { metadata: { name: 'p', namespace: 'default' }, spec: { containers } },
    'test',
  )
  await registry.bind('default', 'p', 'node-1')
})
afterAll(async () => {
  await cluster[Symbol.asyncDispose]()
  echo.close()
})

/** A bare WebSocket, since the library refuses the slash in the name of the protocol. */
async function openSocket(): Promise<Duplex> {
  const request = httpsRequest({
    ...cluster.connection,
    path: '/api/v1/namespaces/default/pods/p/portforward',
    headers: {
      authorization: `Bearer ${cluster.server.adminToken}`,
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': Buffer.alloc(16).toString('base64'),
      'sec-websocket-protocol': PORT_FORWARD_PROTOCOL,
    },
  })
  request.end()
  const [response, socket] = (await once(request, 'upgrade')) as [IncomingMessage, Duplex]
  expect(response.headers['sec-websocket-protocol']).toBe(PORT_FORWARD_PROTOCOL)
  return socket
}

/** A masked binary message; a mask of zeros leaves the bytes as they are. */
function message(bytes: Buffer): Buffer {
  const head = Buffer.alloc(14)
  head.writeUInt8(0x82, 0)
  head.writeUInt8(0x80 | 127, 1)
  head.writeUInt32BE(bytes.length, 6)
  return Buffer.concat([head, bytes])
}

/** Splits what the server sends into messages: opcode and payload. */
function messageReader(): (piece: Buffer) => { opcode: number; payload: Buffer }[] {
  let rest = Buffer.alloc(0)
  return (piece) => {
    rest = Buffer.concat([rest, piece])
    const messages = []
    while (rest.length >= 2) {
      const short = rest.readUInt8(1)
      const headBytes = short === 127 ? 10 : short === 126 ? 4 : 2
      if (rest.length < headBytes) break
      const length = short === 127 ? rest.readUInt32BE(6) : short === 126 ? rest.readUInt16BE(2) : short
      if (rest.length < headBytes + length) break
      messages.push({ opcode: rest.readUInt8(0) & 15, payload: rest.subarray(headBytes, headBytes + length) })
      rest = rest.subarray(headBytes + length)
    }
    return messages
  }
}

/** A client that opens streams as client-go does: one compressed stream for all headers. */
async function open() {
  const socket = await openSocket()
  const readMessages = messageReader()
  const deflate = createDeflate({ dictionary: DICTIONARY })
  const read = frameReader()
  const data = new Map<number, string>()
  const ended = new Set<number>()
  const others: Frame[] = []
  const closeCode = Promise.withResolvers<number>()
  socket.on('data', (piece: Buffer) => {
    for (const { opcode, payload } of readMessages(piece)) {
      if (opcode === 8) closeCode.resolve(payload.readUInt16BE(0))
      if (opcode !== 2) continue
      for (const frame of read(payload)) {
        if (frame.kind !== 'data') {
          others.push(frame)
          continue
        }
        data.set(frame.id, (data.get(frame.id) ?? '') + frame.bytes.toString())
        if (frame.isLast) ended.add(frame.id)
      }
    }
  })
  const sendBytes = (bytes: Buffer): void => void socket.write(message(bytes))
  return {
    sendBytes,
    closeCode: closeCode.promise,
    close: () => void socket.destroy(),
    data,
    ended,
    others,
    async stream(id: number, headers: Record<string, string>, isLast = false) {
      const text = (value: string): Buffer => Buffer.concat([word(value.length), Buffer.from(value)])
      const pairs = Object.entries(headers)
      deflate.write(
        Buffer.concat([word(pairs.length), ...pairs.flatMap(([key, value]) => [text(key), text(value)])]),
      )
      await new Promise<void>((resolve) => deflate.flush(constants.Z_SYNC_FLUSH, resolve))
      const block = deflate.read() as Buffer
      const payload = Buffer.concat([word(id), word(0), Buffer.alloc(2), block])
      sendBytes(Buffer.concat([word(0x80030001), word(((isLast ? 1 : 0) << 24) | payload.length), payload]))
    },
    send(id: number, text: string, isLast = false) {
      const bytes = Buffer.from(text)
      const frame = Buffer.concat([word(id), word(((isLast ? 1 : 0) << 24) | bytes.length), bytes])
      // In two pieces, since frames need not fit messages.
      sendBytes(frame.subarray(0, 5))
      sendBytes(frame.subarray(5))
    },
  }
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0, 0)
  return bytes
}

test('two connections flow at once, both ways, and end in order', async () => {
  const client = await open()
  for (const [request, id] of [
    ['0', 1],
    ['1', 5],
  ] as const) {
    await client.stream(id, { streamtype: 'error', port: `${port}`, requestid: request }, true)
    await client.stream(id + 2, { streamtype: 'data', port: `${port}`, requestid: request })
  }
  const text = 'y'.repeat(200_000)
  client.send(3, text)
  client.send(3, 'end', true)
  client.send(7, 'other', true)
  const isDone = () => [1, 3, 5, 7].every((id) => client.ended.has(id))
  await waitFor(systemClock, 'all streams to end', isDone, { timeoutMs: 20_000 })
  expect(client.data.get(3)).toBe(`${text}end`)
  expect(client.data.get(7)).toBe('other')
  expect(client.data.get(1)).toBe('')
  client.close()
})

test('a port where nothing listens says so on the error stream', async () => {
  const client = await open()
  await client.stream(1, { streamtype: 'error', port: '1', requestid: '0' }, true)
  await client.stream(3, { streamtype: 'data', port: '1', requestid: '0' })
  await waitFor(systemClock, 'the error', () => client.ended.has(1), { timeoutMs: 20_000 })
  expect(client.data.get(1)).toContain('failed to connect to port 1')
  client.close()
})

test('a stream without a port is reset, and a ping is answered', async () => {
  const client = await open()
  await client.stream(1, { streamtype: 'data', requestid: '0' })
  client.sendBytes(Buffer.concat([word(0x80030006), word(4), word(9)]))
  await waitFor(systemClock, 'two frames', () => client.others.length === 2, { timeoutMs: 20_000 })
  expect(client.others).toEqual([
    { kind: 'reset', id: 1 },
    { kind: 'ping', id: 9 },
  ])
  client.close()
})

test.each([
  ['another protocol', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['a frame that is too long', Buffer.from([0, 0, 0, 1, 0, 0xff, 0xff, 0xff])],
  [
    'headers that are not compressed',
    Buffer.concat([word(0x80030001), word(14), word(1), word(0), Buffer.alloc(6, 7)]),
  ],
])('%s ends the session', async (_, bytes) => {
  const client = await open()
  client.sendBytes(bytes)
  expect(await client.closeCode).toBe(1002)
  client.close()
})

test('the dictionary is the one of the specification', () => {
  // Clients name it by this checksum in the stream they send; with another one nothing could be read.
  expect(adler32(DICTIONARY)).toBe('e3c6a7c2')
})

function adler32(bytes: Buffer): string {
  let a = 1
  let b = 0
  for (const byte of bytes) {
    a = (a + byte) % 65_521
    b = (b + a) % 65_521
  }
  return (b * 65_536 + a).toString(16)
}
