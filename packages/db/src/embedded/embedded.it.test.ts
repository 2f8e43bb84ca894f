import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  chmod,
  chown,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { isRecord, systemClock, systemRandom, waitFor } from '@slipway/kit'
import { sql } from 'kysely'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'

import { openDatabase } from '../index.ts'
import { silentLog } from '../log.ts'
import { findBinaries, linkLibraries } from './binaries.ts'
import { isAlive } from './postmaster.ts'
import { startEmbeddedPostgres } from './start.ts'
import type { EmbeddedPostgresOptions } from './start.ts'

const NOBODY = 65_534
const isRoot = process.getuid?.() === 0
const DEADLINE = { timeoutMs: 60_000 }

let folder: string
/** Shared by all tests: what lies here are programs. */
let runtimes: string

beforeAll(async () => {
  runtimes = await mkdtemp(join(tmpdir(), 'slipway-runtimes-'))
  await chmod(runtimes, 0o711)
})

afterAll(async () => {
  await rm(runtimes, { recursive: true, force: true })
})

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-embedded-'))
  await chmod(folder, 0o711)
})

afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

function start(more: Partial<EmbeddedPostgresOptions> = {}) {
  return startEmbeddedPostgres({
    dataFolder: join(folder, 'data'),
    runtimesFolder: runtimes,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    mayCreateAccount: false,
    ...more,
  })
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return (await client.query(text)).rows as unknown[]
  } finally {
    await client.end()
  }
}

type Started = { readonly child: ChildProcess; readonly told: Record<string, unknown> }

/** Starts a server in a process of its own, as `uid`, and returns what it told when it was up or refused. */
async function startInChild(options: {
  readonly endsWithParent: boolean
  readonly uid?: number
}): Promise<Started> {
  const code = `
    const { systemClock, systemRandom } = await import(${JSON.stringify(import.meta.resolve('@slipway/kit'))})
    const { startEmbeddedPostgres } = await import(${JSON.stringify(new URL('start.ts', import.meta.url).href)})
    const log = { info() {}, warn() {}, error() {} }
    try {
      const server = await startEmbeddedPostgres({ dataFolder: ${JSON.stringify(join(folder, 'data'))},
        runtimesFolder: ${JSON.stringify(runtimes)}, clock: systemClock, random: systemRandom, log,
        mayCreateAccount: false, endsWithParent: ${options.endsWithParent} })
      process.send({ pid: server.pid(), ownerUrl: server.ownerUrl, isAdopted: server.isAdopted })
      process.on('disconnect', () => void server.stop())
    } catch (error) {
      process.send({ code: error.code, cause: String(error.cause) })
      process.disconnect()
    }`
  const child = spawn(process.execPath, ['--conditions=source', '--input-type=module', '-e', code], {
    cwd: '/',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  })
  const [told] = (await once(child, 'message')) as [unknown]
  if (!isRecord(told)) throw new Error('the child tells an object')
  return { child, told }
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

test('a new server listens on loopback, has its roles, and keeps what it holds across a restart', async () => {
  const first = await start()
  expect(first.version).toMatch(/^18\./)
  expect(first.isAdopted).toBe(false)
  await query(first.ownerUrl, "create table kept as select 'Ä' as letter")
  expect(
    await query(
      first.superuserUrl,
      `select rolname, rolsuper, rolbypassrls, rolcreaterole, rolcanlogin from pg_roles
        where rolname like 'slipway%' order by 1`,
    ),
  ).toEqual(
    ['slipway_app', 'slipway_owner', 'slipway_system'].map((rolname) => ({
      rolname,
      rolsuper: false,
      rolbypassrls: false,
      rolcreaterole: false,
      rolcanlogin: rolname !== 'slipway_system',
    })),
  )
  await first.stop()
  await first.stop()

  await using second = await start()
  expect(await query(second.ownerUrl, 'select lower(letter) as letter from kept')).toEqual([{ letter: 'ä' }])
  expect(
    await query(
      second.ownerUrl,
      "select array_agg(x order by x) as order from unnest(array['b', 'Z', 'a', 'é']) x",
    ),
  ).toEqual([{ order: ['Z', 'a', 'b', 'é'] }])
  expect(await query(second.superuserUrl, 'show server_encoding')).toEqual([{ server_encoding: 'UTF8' }])
  expect(await query(second.superuserUrl, 'show listen_addresses')).toEqual([
    { listen_addresses: '127.0.0.1' },
  ])
})

test('passwords are drawn anew for every folder, needed, and kept closed', async () => {
  await using server = await start()
  const kept = join(folder, 'data', 'keys', 'postgres.json')
  expect((await stat(kept)).mode & 0o777).toBe(0o600)
  const passwords = JSON.parse(await readFile(kept, 'utf8')) as Record<string, string>
  expect(new Set(Object.values(passwords)).size).toBe(3)
  for (const password of Object.values(passwords)) expect(password.length).toBeGreaterThan(40)
  for (const wrong of ['', 'postgres', passwords['owner'] ?? ''])
    await expect(query(server.superuserUrl.replace(/:[^:@]*@/, `:${wrong}@`), 'select 1')).rejects.toThrow()
  const hashes = await query(
    server.superuserUrl,
    'select rolpassword from pg_authid where rolpassword is not null',
  )
  expect(JSON.stringify(hashes)).toMatch(/SCRAM-SHA-256/)
})

test.runIf(isRoot)(
  'as root the server runs as another account, from programs that are not its own',
  async () => {
    await using server = await start()
    expect((await stat(`/proc/${server.pid()}`)).uid).not.toBe(0)
    expect((await stat(join(folder, 'data', 'postgres'))).mode & 0o777).toBe(0o700)
    const copy = join(runtimes, `postgres-${server.version}`)
    expect(await readlink(`/proc/${server.pid()}/exe`)).toBe(join(copy, 'bin', 'postgres'))
    expect({ uid: (await stat(copy)).uid, mode: (await stat(copy)).mode & 0o777 }).toEqual({
      uid: 0,
      mode: 0o711,
    })
  },
)

test.runIf(isRoot)('an ordinary user starts it too, and root takes the folder over', async () => {
  await chown(folder, NOBODY, NOBODY)
  const { child, told } = await startInChild({ endsWithParent: false, uid: NOBODY })
  expect(told).toMatchObject({ isAdopted: false })
  await query(String(told['ownerUrl']), 'create table kept (id integer)')
  const ended = once(child, 'exit')
  child.disconnect()
  await ended
  await using server = await start()
  expect(await query(server.ownerUrl, 'select * from kept')).toEqual([])
})

test('a server that outlived its parent is adopted, and stopped with its new one', async () => {
  const { child, told } = await startInChild({ endsWithParent: false })
  await query(String(told['ownerUrl']), 'create table kept (id integer)')
  await kill(child)
  const server = await start()
  expect(server.isAdopted).toBe(true)
  expect(server.pid()).toBe(told['pid'])
  expect(await query(server.ownerUrl, 'select * from kept')).toEqual([])
  await server.stop()
  expect(await isAlive(server.pid())).toBe(false)
})

test.runIf(process.platform === 'linux')(
  'where the system can do it, a server ends when its parent is killed',
  async () => {
    const { child, told } = await startInChild({ endsWithParent: true })
    await kill(child)
    await waitFor(
      systemClock,
      'the server to end',
      async () => !(await isAlive(Number(told['pid']))),
      DEADLINE,
    )
  },
)

test('a server that crashes is started again at the same port, and connections heal', async () => {
  await using server = await start()
  await using database = await openDatabase({
    appUrl: server.appUrl,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  })
  const crashed = server.pid()
  const one = () => database.transact('none', (db) => sql`select 1 as one`.execute(db))
  await one()
  process.kill(crashed, 'SIGKILL')
  await waitFor(systemClock, 'another server', () => server.pid() !== crashed, DEADLINE)
  const answer = await waitFor(systemClock, 'an answer', () => one().catch(() => undefined), DEADLINE)
  expect(answer.rows).toEqual([{ one: 1 }])
})

test('a pid file that names a process which is something else does not stop a start', async () => {
  await (await start()).stop()
  const data = join(folder, 'data', 'postgres')
  const { uid, gid } = await stat(data)
  const other = spawn('sleep', ['600'], isRoot ? { uid, gid } : {})
  try {
    const pidFile = join(data, 'postmaster.pid')
    await writeFile(pidFile, `${other.pid}\n${data}\n1767225600\n40123\n\n127.0.0.1\n  1 0\nready\n`, {
      mode: 0o600,
    })
    await chown(pidFile, uid, gid)
    await using server = await start()
    expect(server.isAdopted).toBe(false)
    expect(other.exitCode).toBeNull()
  } finally {
    other.kill('SIGKILL')
  }
})

test('after all processes were killed a start recovers', async () => {
  const { child, told } = await startInChild({ endsWithParent: false })
  await query(String(told['ownerUrl']), 'create table kept as select generate_series(1, 1000) as id')
  await kill(child)
  process.kill(Number(told['pid']), 'SIGKILL')
  await using server = await start()
  expect(server.isAdopted).toBe(false)
  expect(await query(server.ownerUrl, 'select count(*)::int as count from kept')).toEqual([{ count: 1000 }])
})

test('lost passwords are replaced, and the data stays', async () => {
  const first = await start()
  await query(first.ownerUrl, 'create table kept (id integer)')
  await first.stop()
  await rm(join(folder, 'data', 'keys'), { recursive: true })
  await using second = await start()
  expect(second.ownerUrl).not.toBe(first.ownerUrl)
  expect(await query(second.ownerUrl, 'select * from kept')).toEqual([])
})

test('data of another major version is refused and left alone', async () => {
  const data = join(folder, 'data', 'postgres')
  await mkdir(data, { recursive: true })
  await writeFile(join(data, 'PG_VERSION'), '17\n')
  await expect(start()).rejects.toMatchObject({
    code: 'postgres_data_version',
    params: { folder: data, found: 17, wanted: 18 },
  })
  expect(await readdir(data)).toEqual(['PG_VERSION'])
})

test('a folder with something else in it is refused and left alone', async () => {
  const data = join(folder, 'data', 'postgres')
  await mkdir(data, { recursive: true })
  await writeFile(join(data, 'letters.txt'), 'dear')
  await expect(start()).rejects.toMatchObject({ code: 'postgres_data_foreign', params: { folder: data } })
  expect(await readFile(join(data, 'letters.txt'), 'utf8')).toBe('dear')
})

test('a data folder that cannot be entered is refused by name', async () => {
  await writeFile(join(folder, 'data'), 'a file')
  await expect(start()).rejects.toMatchObject({
    code: 'postgres_folder_unreadable',
    params: { folder: join(folder, 'data') },
  })
})

test.runIf(isRoot)('an ordinary user is told which folder is closed to them', async () => {
  await mkdir(join(folder, 'data'), { mode: 0o700 })
  const { told } = await startInChild({ endsWithParent: true, uid: NOBODY })
  expect(told['code']).toBe('postgres_folder_unreadable')
})

test('the links that an install script would have made are made', async () => {
  const { folder: native } = await findBinaries()
  const copy = join(folder, 'native')
  await mkdir(join(copy, 'lib'), { recursive: true })
  await cp(join(native, 'pg-symlinks.json'), join(copy, 'pg-symlinks.json'))
  await linkLibraries(copy)
  await linkLibraries(copy)
  expect(await readdir(join(copy, 'lib'))).toHaveLength(14)
  expect(await readlink(join(copy, 'lib', 'libicuuc.so.60'))).toBe('libicuuc.so.60.2')
})
