/* Starts that cannot go well: each ends with a sentence that says what to do, and leaves nothing running. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { systemClock, waitFor } from '@slipway/kit'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { isRoot, processesOf } from './installation.ts'

const run = promisify(execFile)
const checkout = fileURLToPath(new URL('../../', import.meta.url))
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway refusals '))
  await chmod(folder, 0o755)
})
afterEach(() => rm(folder, { recursive: true, force: true }))

type Outcome = { readonly code: number | null; readonly output: string; readonly errors: string }
type Launch = {
  readonly data?: string
  readonly flags?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** Asks it to stop as soon as it is ready. */
  readonly stops?: boolean
}

const freePorts = ['--port', '0', '--gateway-port', '0', '--cluster-port', '0', '--no-sample']

/** Runs the launcher to its end. */
async function launch({
  data = join(folder, 'data'),
  flags = freePorts,
  environment,
  stops = false,
}: Launch): Promise<Outcome> {
  const main = join(checkout, 'packages/launcher/src/main.ts')
  const child = spawn(process.execPath, ['--conditions=source', main, '--data', data, ...flags], {
    cwd: checkout,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      LANG: 'C',
      INIT_CWD: folder,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8')
    if (stops && output.includes('runFile=')) child.kill('SIGTERM')
  })
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString('utf8')))
  const [code] = (await once(child, 'close')) as [number | null]
  await waitFor(systemClock, 'nothing to run any more', () => processesOf(folder).length === 0, {
    timeoutMs: 60_000,
  })
  return { code, output, errors }
}

/** A data folder that has been started once. */
async function startedOnce(): Promise<string> {
  const data = join(folder, 'data')
  expect(await launch({ data, stops: true })).toMatchObject({ code: 0 })
  return data
}

test('an unknown flag is refused with where help is, in the language of the reader', async () => {
  expect(await launch({ flags: ['--prot', '1'] })).toMatchObject({
    code: 2,
    errors: expect.stringContaining('--help'),
  })
  const chinese = await launch({ flags: ['--port', 'x'], environment: { LANG: 'zh_CN.UTF-8' } })
  expect(chinese).toMatchObject({
    code: 2,
    errors: expect.stringContaining('--port 是 0 到 65535 之间的数字'),
  })
  expect(await readdir(folder)).toEqual([])
})

test.each(['--port', '--gateway-port', '--cluster-port'])(
  'a taken %s is refused by its flag, before anything starts',
  async (flag) => {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const port = String((server.address() as AddressInfo).port)
    const flags = freePorts.map((word, index) => (freePorts[index - 1] === flag ? port : word))
    const { code, errors } = await launch({ flags })
    server.close()
    expect(code).toBe(1)
    expect(errors).toContain(`Port ${port} is taken`)
    expect(errors).toContain(flag)
    expect(errors).not.toContain('database')
  },
)

test('a relative folder with spaces is meant from where the person stands', async () => {
  const { code, output } = await launch({ data: 'my data', stops: true })
  expect(code).toBe(0)
  expect(output).toContain(`runFile=${join(folder, 'my data', 'run.json')}`)
  expect(await readdir(folder)).toEqual(['my data'])
})

test('another master key is told before anything is done with it', async () => {
  const data = await startedOnce()
  const path = join(data, 'keys', 'master.key')
  const key = await readFile(path, 'utf8')
  await writeFile(path, `${'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ'.slice(0, 43)}\n`)
  expect(await launch({ data })).toMatchObject({
    code: 1,
    errors: expect.stringContaining('keys/master.key'),
  })
  await writeFile(path, key)
  expect(await launch({ data, stops: true })).toMatchObject({ code: 0 })
})

test('the data folder of a newer version is refused with that version', async () => {
  const data = await startedOnce()
  await writeFile(join(data, 'slipway.json'), JSON.stringify({ layout: 99, version: '9.9.9' }))
  expect(await launch({ data })).toMatchObject({ code: 1, errors: expect.stringContaining('9.9.9') })
})

test('a folder that holds something else is left alone', async () => {
  await mkdir(join(folder, 'data'))
  await writeFile(join(folder, 'data', 'letter.txt'), 'mine')
  expect(await launch({})).toMatchObject({ code: 1, errors: expect.stringContaining("not Slipway's") })
  expect(await readdir(join(folder, 'data'))).toEqual(['letter.txt'])
})

test('DATABASE_URL alone is refused with what else is needed', async () => {
  const environment = { DATABASE_URL: 'postgres://a:secret@127.0.0.1:1/x' }
  const { code, errors } = await launch({ environment })
  expect(code).toBe(1)
  expect(errors).toContain('DATABASE_OWNER_URL')
  expect(errors).not.toContain('secret')
})

test('a database that does not answer is refused without its password', async () => {
  const url = 'postgres://a:secret@127.0.0.1:1/x'
  const { code, errors } = await launch({ environment: { DATABASE_URL: url, DATABASE_OWNER_URL: url } })
  expect(code).toBe(1)
  expect(errors).toContain('database')
  expect(errors).not.toContain('secret')
})

test('a database that takes connections and says nothing is refused after a while', async () => {
  const sockets = new Set<Socket>()
  const silent = createServer((socket) => sockets.add(socket.on('error', () => undefined)))
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  const url = `postgres://a:secret@127.0.0.1:${port}/x`
  const { code, errors } = await launch({ environment: { DATABASE_URL: url, DATABASE_OWNER_URL: url } })
  for (const socket of sockets) socket.destroy()
  silent.close()
  expect(code).toBe(1)
  expect(errors).toContain('The database does not answer')
  expect(errors).not.toContain('secret')
})

test.runIf(isRoot)(
  'as root a folder that other accounts cannot reach is refused by the folder in the way',
  async () => {
    await mkdir(join(folder, 'closed'), { mode: 0o700 })
    const { code, errors } = await launch({ data: join(folder, 'closed', 'data') })
    expect(code).toBe(1)
    expect(errors).toContain(`chmod o+x ${join(folder, 'closed')}`)
    expect(await readdir(join(folder, 'closed'))).toEqual([])
  },
)

test.runIf(isRoot)('a full disk is told by name', async (context) => {
  const small = join(folder, 'small')
  await mkdir(small)
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=60m,mode=755', 'tmpfs', small])
  } catch {
    context.skip('this container may not mount')
  }
  try {
    const { code, errors } = await launch({ data: join(small, 'data') })
    expect(code).toBe(1)
    expect(errors).toContain('room')
    expect(errors).toContain(small)
  } finally {
    await run('umount', [small])
  }
})

if (!isRoot) console.log('a closed folder and a full disk are not tried: that needs root')
