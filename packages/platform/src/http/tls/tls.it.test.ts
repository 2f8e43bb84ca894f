import { once } from 'node:events'
import { copyFile, writeFile } from 'node:fs/promises'
import { get } from 'node:https'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'

import { manualClock, systemClock, waitFor } from '@slipway/kit'
import { freePort, testPlatform } from '@slipway/testkit'
import Fastify from 'fastify'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'

import { acceptTls } from './accept.ts'
import { openCertificate } from './certificate.ts'
import { certificateFolder, type CertificateFolder } from './testing.ts'

let cleanup: AsyncDisposableStack
let folder: CertificateFolder
beforeEach(async () => {
  cleanup = new AsyncDisposableStack()
  folder = cleanup.use(await certificateFolder(['127.0.0.1', 'localhost']))
})
afterEach(() => cleanup.disposeAsync())

type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

function ask(url: string, ca: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    get(url, { ca, agent: false }, (response) => {
      let body = ''
      response.on('data', (part: Buffer) => (body += part.toString('utf8')))
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      )
    }).once('error', reject)
  })
}

async function securePlatform(): Promise<{ readonly port: number; readonly origin: string }> {
  const port = await freePort()
  const origin = `https://127.0.0.1:${port}`
  cleanup.use(
    await testPlatform({
      port,
      publicUrl: origin,
      tlsCertificateFile: folder.files.certificate,
      tlsKeyFile: folder.files.key,
    }),
  )
  return { port, origin }
}

test('a platform with a certificate answers over TLS, tells browsers to keep to it, and carries WebSockets', async () => {
  const { origin, port } = await securePlatform()
  const answer = await ask(`${origin}/v1/version`, folder.authority)
  expect(answer).toMatchObject({
    status: 200,
    headers: { 'strict-transport-security': 'max-age=31536000' },
  })
  const registry = await ask(`${origin}/v2/`, folder.authority)
  expect(registry.status).toBe(401)
  expect(String(registry.headers['www-authenticate'])).toContain(`realm="${origin}/v2/token"`)
  const socket = new WebSocket(`wss://127.0.0.1:${port}/v1/agents/connect`, { ca: folder.authority })
  await once(socket, 'open')
  socket.terminate()
})

test('somebody who does not trust the authority gets no answer, and old TLS is refused', async () => {
  const { origin, port } = await securePlatform()
  await using stranger = await certificateFolder(['127.0.0.1'])
  await expect(ask(`${origin}/v1/version`, stranger.authority)).rejects.toThrow(/certificate/u)
  const old = connectTls({
    port,
    host: '127.0.0.1',
    ca: folder.authority,
    maxVersion: 'TLSv1.1',
    minVersion: 'TLSv1',
  })
  const [problem] = (await once(old, 'error').catch((thrown: unknown) => [thrown])) as [Error]
  expect(problem).toBeInstanceOf(Error)
  expect((await ask(`${origin}/v1/version`, folder.authority)).status).toBe(200)
})

test('this machine may speak plain HTTP to the same port', async () => {
  const { port } = await securePlatform()
  const response = await fetch(`http://127.0.0.1:${port}/v1/version`)
  expect(response.status).toBe(200)
  expect(await response.json()).toMatchObject({ version: expect.any(String) as string })
  const large = await fetch(`http://localhost:${port}/v1/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'a', password: 'x'.repeat(100_000) }),
  })
  expect([400, 401]).toContain(large.status)
})

async function smallServer(mayBePlain: (address: string) => boolean) {
  const clock = manualClock(new Date())
  const certificate = await openCertificate(folder.files, {
    clock,
    log: pino({ level: 'silent' }),
    host: '127.0.0.1',
  })
  const server = Fastify({ forceCloseConnections: 'idle' })
  server.get('/', async () => 'here')
  acceptTls(server, {
    certificate,
    clock,
    url: 'https://right.example',
    newRequestId: () => 'req_1',
    mayBePlain,
  })
  const url = await server.listen({ host: '127.0.0.1', port: 0 })
  cleanup.defer(async () => {
    certificate[Symbol.dispose]()
    await server.close()
  })
  return { clock, port: Number(new URL(url).port), server }
}

test('plain HTTP from elsewhere is told the right address', async () => {
  const { port } = await smallServer(() => false)
  const response = await fetch(`http://127.0.0.1:${port}/`)
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({
    error: {
      code: 'tls_needed',
      message: 'Slipway speaks https only to other machines. Use https://right.example.',
    },
  })
  expect(await ask(`https://127.0.0.1:${port}/`, folder.authority)).toMatchObject({
    status: 200,
    body: 'here',
  })
})

test('a browser that comes by plain HTTP is led to the right address, and never elsewhere', async () => {
  const { port } = await smallServer(() => false)
  const visit = async (path: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}${path}`, { headers: { accept: 'text/html' }, redirect: 'manual' })
  const led = await visit('/workloads/a?b=c')
  expect([led.status, led.headers.get('location')]).toEqual([308, 'https://right.example/workloads/a?b=c'])
  const tricky = await visit('//evil.example/%0d%0aset-cookie:a=b')
  expect(tricky.headers.get('location')).toBe('https://right.example//evil.example/%0d%0aset-cookie:a=b')
  expect(tricky.headers.get('set-cookie')).toBeNull()
  const posted = await fetch(`http://127.0.0.1:${port}/`, {
    method: 'POST',
    headers: { accept: 'text/html' },
  })
  expect(posted.status).toBe(400)
})

test('who says nothing, or breaks the handshake off, is cut and holds no close up', async () => {
  const { port, clock, server } = await smallServer(() => true)
  const silent = connect(port, '127.0.0.1')
  await once(silent, 'connect')
  // A connection that came before the others is counted before they are answered.
  expect((await ask(`https://127.0.0.1:${port}/`, folder.authority)).status).toBe(200)
  const cut = once(silent, 'close')
  await clock.advance(20_000)
  await cut
  const half = connect(port, '127.0.0.1')
  half.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00]))
  const garbage = connect(port, '127.0.0.1')
  garbage.write(Buffer.concat([Buffer.of(0x16), Buffer.alloc(200, 0xee)]))
  half.on('error', () => undefined)
  garbage.on('error', () => undefined).resume()
  await once(garbage, 'close')
  const gone = once(half, 'close')
  await server.close()
  await gone
})

test('a new certificate is taken up, and half of one is not', async () => {
  const { port, clock } = await smallServer(() => true)
  await using other = await certificateFolder(['127.0.0.1'])
  const trusts = (ca: string): Promise<boolean> =>
    ask(`https://127.0.0.1:${port}/`, ca).then(
      () => true,
      () => false,
    )
  const key = folder.files.key
  await writeFile(key, 'no key')
  await clock.advance(10_000)
  expect(await trusts(folder.authority)).toBe(true)
  await copyFile(other.files.certificate, folder.files.certificate)
  await copyFile(other.files.key, key)
  await waitFor(
    systemClock,
    'the new certificate',
    async () => {
      await clock.advance(10_000)
      return (await trusts(other.authority)) || undefined
    },
    { timeoutMs: 20_000, everyMs: 50 },
  )
  expect(await trusts(folder.authority)).toBe(false)
})

test.each([
  ['no certificate', 'certificate', 'nonsense'],
  ['no key', 'key', 'nonsense'],
])('the start is refused with %s', async (_, which, content) => {
  const path = which === 'key' ? folder.files.key : folder.files.certificate
  await writeFile(path, content)
  await expect(smallServer(() => true)).rejects.toMatchObject({
    code: 'certificate_unusable',
    params: { path, reason: expect.any(String) as string },
  })
})

test('the key of another certificate is refused', async () => {
  await using other = await certificateFolder(['127.0.0.1'])
  const files = { certificate: folder.files.certificate, key: other.files.key }
  const about = { clock: systemClock, log: pino({ level: 'silent' }), host: '127.0.0.1' }
  await expect(openCertificate(files, about)).rejects.toMatchObject({
    params: { reason: expect.stringContaining('not the key') as string },
  })
})

test('an end that is near and a name that does not fit are told', async () => {
  await folder.renew(['other.example'], 3)
  const lines: string[] = []
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(line) })
  using _certificate = await openCertificate(folder.files, {
    clock: systemClock,
    log,
    host: 'slipway.example',
  })
  expect(lines.join('')).toContain('ends soon')
  expect(lines.join('')).toContain('not for the public address')
})
