/* The database goes away and comes back; the process is told to end in the middle of requests. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { testDatabase } from '@slipway/db/testing'
import { newMasterKey, systemClock, waitFor } from '@slipway/kit'
import { freePort } from '@slipway/testkit'
import { expect, test } from 'vitest'

import { migrations } from '../migrations/index.ts'
import { codeOf, openSocket, readToEnd } from './wire.helper.ts'
import { startWorld } from './world.helper.ts'

type Relay = AsyncDisposable & {
  readonly url: string
  /** Cuts all connections and refuses new ones. */
  readonly cut: () => Promise<void>
  readonly mend: () => Promise<void>
}

/** Stands between the platform and its database. */
async function relayTo(databaseUrl: string): Promise<Relay> {
  const target = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    return socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
  }
  const server = createServer((socket) => {
    const upstream = keep(connect(Number(target.port), target.hostname))
    keep(socket).pipe(upstream).pipe(socket)
    socket.on('close', () => upstream.destroy())
    upstream.on('close', () => socket.destroy())
  })
  const listen = async (port: number): Promise<void> => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  await listen(0)
  const { port } = server.address() as AddressInfo
  const cut = async (): Promise<void> => {
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
  }
  const url = new URL(databaseUrl)
  url.host = `127.0.0.1:${port}`
  return {
    url: url.href,
    cut,
    mend: () => listen(port),
    [Symbol.asyncDispose]: () => (server.listening ? cut() : Promise.resolve()),
  }
}

test('without its database the platform says so, and goes on by itself when it is back', async () => {
  await using database = await testDatabase({ migrations })
  await using relay = await relayTo(database.appUrl)
  await using world = await startWorld({
    settings: { databaseUrl: relay.url, databaseOwnerUrl: database.ownerUrl, logLevel: 'fatal' },
    superuserUrl: database.superuserUrl,
  })
  const { platform, operator } = world
  const answers: { status: number; code: unknown; retryAfter: string | null }[] = []
  const over = new AbortController()
  const load = Array.from({ length: 8 }, async (_, worker) => {
    for (let index = 0; !over.signal.aborted; index += 1) {
      const isWrite = (worker + index) % 2 === 0
      const answer = await platform.call(
        isWrite ? 'PATCH' : 'GET',
        `/v1/organizations/${world.ids['organization'] ?? ''}`,
        {
          secret: operator,
          ...(isWrite ? { body: { name: `Name ${index}` } } : {}),
        },
      )
      answers.push({
        status: answer.status,
        code: codeOf(answer.body),
        retryAfter: answer.headers.get('retry-after'),
      })
      await world.database.query('delete from http_rate')
    }
  })
  const seen = (status: number): Promise<unknown> => {
    const from = answers.length
    return waitFor(
      systemClock,
      `an answer with ${status}`,
      () => answers.slice(from).some((one) => one.status === status),
      {
        timeoutMs: 60_000,
      },
    )
  }
  await seen(200)
  for (let outage = 0; outage < 2; outage += 1) {
    await relay.cut()
    await seen(503)
    expect((await platform.call('GET', '/v1/health')).status).toBe(503)
    await systemClock.sleep(1_500)
    await relay.mend()
    await seen(200)
  }
  over.abort()
  await Promise.all(load)
  const others = answers.filter(
    ({ status, code, retryAfter }) =>
      status !== 200 &&
      !(
        status === 503 &&
        (code === 'database_unavailable' || code === 'database_busy') &&
        retryAfter !== null
      ),
  )
  expect(others).toEqual([])
  // The connection that was made again wakes every reconciler: this row is long out of date for one of them.
  await world.database.query(`insert into http_rate values ('left over', 1, 1)`)
  await relay.cut()
  await relay.mend()
  const left = `select 1 from http_rate where key = 'left over'`
  await waitFor(
    systemClock,
    'the housekeeping to go on',
    async () => (await world.database.query(left)).rows.length === 0,
    { timeoutMs: 60_000, everyMs: 250 },
  )
  const chain = await platform.call(
    'GET',
    `/v1/audit-chains/${world.ids['organization'] ?? ''}/verification`,
    {
      secret: operator,
    },
  )
  expect(chain.body).toMatchObject({ intact: true })
})

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url))

test('told to end, the process answers what it has begun, cuts what would never end, and leaves with 0', async () => {
  await using database = await testDatabase({ migrations })
  const dataFolder = await mkdtemp(join(tmpdir(), 'slipway-test-end-'))
  const port = await freePort()
  const url = `http://localhost:${port}`
  const child = spawn(process.execPath, ['--conditions=source', MAIN], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: database.appUrl,
      DATABASE_OWNER_URL: database.ownerUrl,
      SLIPWAY_MASTER_KEY: newMasterKey().toString('base64'),
      SLIPWAY_PORT: String(port),
      SLIPWAY_DATA: dataFolder,
      SLIPWAY_LOG_LEVEL: 'fatal',
    },
  })
  try {
    const exited = once(child, 'exit')
    await once(child, 'message')
    const body = '{"name":"nobody","password":"wrong wrong wrong"}'
    const begun = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const socket = await openSocket(url)
        const going = new Promise((resolve) => socket.once('data', resolve))
        socket.write(
          `POST /v1/sessions HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/json\r\n` +
            `Content-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`,
        )
        // The server has the request once it asks for the rest of it.
        expect(String(await going)).toMatch(/^HTTP\/1\.1 100 /u)
        return socket
      }),
    )
    const idle = await openSocket(url)
    const idleEnd = readToEnd(idle)
    child.kill('SIGTERM')
    await idleEnd
    const answers = await Promise.all(
      begun.map((socket) => {
        const end = readToEnd(socket)
        socket.write(body)
        return end
      }),
    )
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 (?:401|429) [^]*"code":"/u)
    expect(await exited).toEqual([0, null])
  } finally {
    child.kill('SIGKILL')
    await rm(dataFolder, { recursive: true, force: true })
  }
})

test('a stream that the platform ends does not look as if there were nothing more', async () => {
  const world = await startWorld()
  const socket = await openSocket(world.platform.url)
  const first = new Promise((resolve) => socket.once('data', resolve))
  const ended = readToEnd(socket)
  socket.write(
    `GET /v1/releases/${world.ids['release'] ?? ''}/follow HTTP/1.1\r\nHost: ${new URL(world.platform.url).host}\r\n` +
      `Authorization: Bearer ${world.operator}\r\n\r\n`,
  )
  await first
  await world[Symbol.asyncDispose]()
  const text = await ended
  expect(text).toContain('event: release')
  expect(text.endsWith('0\r\n\r\n')).toBe(false)
})
