import { Agent } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

import { systemClock, waitFor } from '@slipway/kit'
import { afterAll, expect, test } from 'vitest'

import { openStage, type Question } from './testing.ts'

const stage = await openStage()
afterAll(() => stage[Symbol.asyncDispose]())
const { registry, gateway, ask, talk, listen, addPod, addService, addRoute } = stage

test('an unknown host is answered 404 with one sentence, as a page for browsers', async () => {
  const plain = await ask({ host: 'nobody.test' })
  expect(plain.status).toBe(404)
  expect(plain.body).toBe('404 Not Found: No application answers at this address.\n')
  const page = await ask({ host: 'nobody.test', headers: { accept: 'text/html' } })
  expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
})

test('a route without a ready instance is answered 503, one to a missing Service 500, and says so in its conditions', async () => {
  await addService('empty')
  await addRoute('empty', [{ backendRefs: [{ name: 'empty', port: 80 }] }])
  expect((await ask({ host: 'empty.test' })).status).toBe(503)
  await addRoute('broken', [{ backendRefs: [{ name: 'missing', port: 80 }] }])
  expect((await ask({ host: 'broken.test' })).status).toBe(500)
  const conditions = registry.get('httproutes', 'default', 'broken')?.status?.parents[0]?.conditions
  expect(conditions?.map(({ type, status, reason }) => [type, status, reason])).toEqual([
    ['Accepted', 'True', 'Accepted'],
    ['ResolvedRefs', 'False', 'BackendNotFound'],
  ])
})

test('the application sees who asks as the gateway says it, and nothing a client claims about that', async () => {
  const server = await listen((request, response) => response.end(JSON.stringify(request.headers)))
  await addService('seen')
  await addPod('seen', 'seen-1', server)
  await addRoute('seen', [
    {
      backendRefs: [{ name: 'seen', port: 80 }],
      filters: [
        {
          type: 'RequestHeaderModifier',
          requestHeaderModifier: { set: [{ name: 'x-version', value: '2' }] },
        },
        {
          type: 'ResponseHeaderModifier',
          responseHeaderModifier: { add: [{ name: 'x-served', value: 'yes' }] },
        },
      ],
    },
  ])
  const answer = await ask({
    host: 'seen.test',
    headers: {
      'x-forwarded-for': '6.6.6.6',
      'x-forwarded-user': 'root',
      forwarded: 'for=6.6.6.6',
      'x-real-ip': '6.6.6.6',
      connection: 'x-secret',
      'x-secret': 'for this hop',
      'x-version': '1',
    },
  })
  const headers = JSON.parse(answer.body) as Record<string, string>
  expect(answer.body).not.toContain('6.6.6.6')
  expect(headers).toMatchObject({
    host: 'seen.test',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-host': 'seen.test',
    'x-forwarded-proto': 'http',
    'x-forwarded-port': String(gateway.port),
    forwarded: 'for=127.0.0.1;host="seen.test";proto=http',
    'x-version': '2',
  })
  expect(headers).not.toHaveProperty('x-forwarded-user')
  expect(headers).not.toHaveProperty('x-secret')
  expect(answer.headers['x-served']).toBe('yes')
})

test('weights are exact: 25 % are 25 of every 100 requests', async () => {
  for (const name of ['old', 'new']) {
    const server = await listen((_, response) => response.end(name))
    await addService(name)
    await addPod(name, `${name}-1`, server)
  }
  await addRoute('split', [
    {
      backendRefs: [
        { name: 'old', port: 80, weight: 75 },
        { name: 'new', port: 80, weight: 25 },
      ],
    },
  ])
  const agent = new Agent({ keepAlive: true })
  for (let round = 0; round < 3; round += 1) {
    let count = 0
    for (let index = 0; index < 100; index += 1)
      if ((await ask({ host: 'split.test', agent })).body === 'new') count += 1
    expect(count).toBe(25)
  }
  agent.destroy()
  expect(gateway.metricsText()).toContain(
    'slipway_gateway_requests_total{namespace="default",route="split",backend="new",code="2xx"} 75',
  )
})

test('a Gateway of its own is bound at its port and serves any host name there', async () => {
  const server = await listen((_, response) => response.end('own'))
  await addService('own')
  await addPod('own', 'own-1', server)
  const probe = await listen(() => undefined)
  const port = (probe.address() as AddressInfo).port
  await new Promise((resolve) => probe.close(resolve))
  await registry.create(
    'gateways',
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: { name: 'own', namespace: 'default' },
      spec: { gatewayClassName: 'slipway', listeners: [{ name: 'http', port, protocol: 'HTTP' }] },
    },
    'test',
  )
  await addRoute('own', [{ backendRefs: [{ name: 'own', port: 80 }] }], {
    parent: { name: 'own' },
    hosts: [],
  })
  const programmed = () =>
    registry
      .get('gateways', 'default', 'own')
      ?.status?.conditions?.some(({ type, status }) => type === 'Programmed' && status === 'True')
  await waitFor(systemClock, 'Programmed', programmed, { timeoutMs: 10_000, everyMs: 5 })
  expect((await ask({ host: `127.0.0.1:${port}`, port })).body).toBe('own')
  const listener = registry.get('gateways', 'default', 'own')?.status?.listeners?.[0]
  expect(listener?.attachedRoutes).toBe(1)
  await registry.remove('gateways', 'default', 'own')
  await waitFor(
    systemClock,
    'the port free',
    () =>
      ask({ port }).then(
        () => false,
        () => true,
      ),
    { timeoutMs: 10_000, everyMs: 10 },
  )
})

test('a WebSocket upgrade becomes one pipe in both directions', async () => {
  const server = await listen((_, response) => response.end())
  server.on('upgrade', (_, socket: Socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
    socket.pipe(socket)
  })
  await addService('echo')
  await addPod('echo', 'echo-1', server)
  await addRoute('echo', [{ backendRefs: [{ name: 'echo', port: 80 }] }])
  const socket = connect(gateway.port, '127.0.0.1')
  let received = ''
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('utf8')))
  socket.write('GET / HTTP/1.1\r\nHost: echo.test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
  await waitFor(systemClock, '101', () => received.includes('101'), { timeoutMs: 10_000, everyMs: 2 })
  socket.write('hello')
  await waitFor(systemClock, 'the echo', () => received.endsWith('\r\n\r\nhello'), {
    timeoutMs: 10_000,
    everyMs: 2,
  })
  socket.destroy()
})

test('an application that does not answer in time is cut off with 504, one that breaks off with a closed connection', async () => {
  const server = await listen((request, response) => {
    if (request.url === '/break') {
      response.writeHead(200, { 'content-length': 100 })
      response.write('half')
      setImmediate(() => response.destroy())
    }
  })
  await addService('slow')
  await addPod('slow', 'slow-1', server)
  await addRoute('slow', [{ backendRefs: [{ name: 'slow', port: 80 }], timeouts: { request: '50ms' } }])
  expect((await ask({ host: 'slow.test' })).status).toBe(504)
  await expect(ask({ host: 'slow.test', path: '/break' })).rejects.toThrow()
})

test('a request body goes through whole, however large, and is sent again when small and repeatable', async () => {
  let attempts = 0
  const server = await listen((request, response) => {
    attempts += 1
    if (request.url === '/again' && attempts === 1) {
      request.socket.destroy()
      return
    }
    let size = 0
    request.on('data', (chunk: Buffer) => (size += chunk.length))
    request.on('end', () => response.end(String(size)))
  })
  const second = await listen((request, response) => {
    request.resume()
    request.on('end', () => response.end('second'))
  })
  await addService('upload')
  await addPod('upload', 'upload-1', server)
  await addRoute('upload', [{ backendRefs: [{ name: 'upload', port: 80 }] }])
  const big = Buffer.alloc(8 * 1024 * 1024, 1)
  expect((await ask({ host: 'upload.test', method: 'POST', body: big })).body).toBe(String(big.length))
  attempts = 0
  await addPod('upload', 'upload-2', second)
  const answers = await Promise.all(
    [1, 2].map(() => ask({ host: 'upload.test', method: 'PUT', path: '/again', body: 'small' })),
  )
  expect(answers.map(({ status }) => status)).toEqual([200, 200])
})

test('answers without a body, trailers, old clients and early answers pass through unharmed', async () => {
  const server = await listen((request, response) => {
    if (request.url === '/none') response.writeHead(204).end()
    else if (request.url === '/same') response.writeHead(304, { etag: '"1"' }).end()
    else if (request.url === '/trailers') {
      response.writeHead(200, { trailer: 'x-sum' })
      response.write('part')
      response.addTrailers({ 'x-sum': '7' })
      response.end()
    } else if (request.url === '/early') response.writeHead(413).end('too large')
    else response.end(request.method)
  })
  await addService('plain')
  await addPod('plain', 'plain-1', server)
  await addRoute('plain', [{ backendRefs: [{ name: 'plain', port: 80 }] }])
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const to = (question: Question) => ask({ host: 'plain.test', agent, ...question })
  expect((await to({ path: '/none' })).status).toBe(204)
  expect((await to({ path: '/same' })).status).toBe(304)
  expect(await to({ method: 'HEAD' })).toMatchObject({ status: 200, body: '' })
  expect((await to({ method: 'DELETE' })).body).toBe('DELETE')
  expect((await to({ path: '/early', method: 'POST', body: Buffer.alloc(4 * 1024 * 1024) })).status).toBe(413)
  expect((await to({ method: 'OPTIONS' })).body).toBe('OPTIONS')
  agent.destroy()

  const trailers = await talk('GET /trailers HTTP/1.1\r\nHost: plain.test\r\nConnection: close\r\n\r\n')
  expect(trailers).toMatch(/4\r\npart\r\n0\r\nx-sum: 7\r\n\r\n$/i)
  const old = await talk('GET / HTTP/1.0\r\nHost: plain.test\r\n\r\n')
  expect(old).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nGET$/)
  const waiting = await talk(
    'POST / HTTP/1.1\r\nHost: plain.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok',
  )
  expect(waiting).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/)
})

test('what is no proper request is refused without reaching an application', async () => {
  const refused: [request: string, answer: RegExp][] = [
    ['GET / HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['NONSENSE\r\n\r\n', /^HTTP\/1\.1 400 /],
    [`GET / HTTP/1.1\r\nHost: plain.test\r\nX: ${'a'.repeat(40_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    [
      'POST / HTTP/1.1\r\nHost: plain.test\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n',
      /^HTTP\/1\.1 400 /,
    ],
    [
      'GET / HTTP/1.1\r\nHost: plain.test\r\nHost: other.test\r\nConnection: close\r\n\r\n',
      /^HTTP\/1\.1 (400|404|200) /,
    ],
    ['GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 40[04] /],
  ]
  for (const [request, answer] of refused) expect(await talk(request, '\r\n\r\n')).toMatch(answer)
})

test('an instance is told when the client goes away', async () => {
  let closed = false
  const server = await listen((_, response) => {
    response.write('first')
    response.on('close', () => (closed = true))
  })
  await addService('gone')
  await addPod('gone', 'gone-1', server)
  await addRoute('gone', [{ backendRefs: [{ name: 'gone', port: 80 }] }])
  await talk('GET / HTTP/1.1\r\nHost: gone.test\r\n\r\n', 'first')
  await waitFor(systemClock, 'the end', () => closed, { timeoutMs: 10_000, everyMs: 5 })
})
