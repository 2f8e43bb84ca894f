/* `npm run backup` and `npm run restore`: the installation that comes back is the one that was there. */
import { execFile } from 'node:child_process'
import { copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { isRecord, newMasterKey, systemClock, waitFor } from '@slipway/kit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { cliAt } from '../journey/cli.ts'
import { checkout, makeHome } from '../journey/product.ts'
import { beginStart, processesOf, untilAnswer, type Start } from './installation.ts'

const PASSWORD = 'correct horse battery staple'
const cleanup = new AsyncDisposableStack()
let home: string
const at = (...parts: readonly string[]): string => join(home, ...parts)
let started: Start

beforeAll(async () => {
  home = await makeHome()
  cleanup.defer(() => rm(home, { recursive: true, force: true }))
  cleanup.defer(async () => {
    await started.stop()
  })
})
afterAll(() => cleanup.disposeAsync())

const environment = (): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '',
  HOME: home,
  LANG: 'C.UTF-8',
  ...(process.env['npm_config_cache'] === undefined
    ? {}
    : { npm_config_cache: process.env['npm_config_cache'] }),
})
const start = (data: string): Start =>
  beginStart({ checkout, environment: environment(), account: undefined }, ['--data', at(data)])

type Ran = { readonly exit: number; readonly out: string; readonly err: string }

/** Runs one of the two commands as a person does, to its end. */
async function keep(...words: readonly string[]): Promise<Ran> {
  const [command = '', ...more] = words
  try {
    const args = ['run', '--silent', command, '--', ...more]
    const { stdout, stderr } = await promisify(execFile)('npm', args, { cwd: checkout, env: environment() })
    return { exit: 0, out: stdout, err: stderr }
  } catch (thrown) {
    if (!isRecord(thrown) || typeof thrown['code'] !== 'number') throw thrown
    return { exit: thrown['code'], out: String(thrown['stdout']), err: String(thrown['stderr']) }
  }
}

const restore = (from: string, key: string, data: string): Promise<Ran> =>
  keep('restore', at(from), '--master-key', at(key), '--data', at(data))

async function stop(data: string): Promise<void> {
  expect(await started.stop()).toBe(0)
  const isOver = (): boolean => processesOf(at(data)).length === 0
  await waitFor(systemClock, 'nothing to run any more', isOver, { timeoutMs: 60_000 })
}

test('an installation is backed up while it runs, closed to others and without its master key', async () => {
  started = start('first')
  const info = await started.ready()
  expect(await untilAnswer(info.sampleUrl)).toContain('node-web one')
  const cli = cliAt(home, info.url)
  await cli.succeed(
    ['login', '--first-run-token', info.firstRunToken, '--name', 'ada', '--password-stdin'],
    `${PASSWORD}\n`,
  )
  await cli.succeed(['organization', 'create', 'before-the-backup'])
  const { exit, out, err } = await keep('backup', at('backup'), '--data', at('first'))
  expect({ exit, err }).toEqual({ exit: 0, err: '' })
  expect(out).toContain('keys/master.key')
  await cli.succeed(['organization', 'create', 'after-the-backup'])

  expect((await stat(at('backup'))).mode & 0o777).toBe(0o700)
  for (const name of ['backup.json', 'database'])
    expect((await stat(at('backup', name))).mode & 0o777).toBe(0o600)
  expect((await readFile(at('backup', 'database'))).includes('before-the-backup')).toBe(false)
  const key = (await readFile(at('first', 'keys', 'master.key'), 'utf8')).trim()
  expect(await readFile(at('backup', 'backup.json'), 'utf8')).not.toContain(key)
  await copyFile(at('first', 'keys', 'master.key'), at('kept.key'))
})

test('one that is stopped is backed up too, a folder in use and a folder without one are refused', async () => {
  await stop('first')
  expect(await keep('backup', at('second-backup'), '--data', at('first'))).toMatchObject({ exit: 0 })
  expect(processesOf(at('first'))).toEqual([])
  expect(await keep('backup', at('backup'), '--data', at('first'))).toMatchObject({
    exit: 1,
    err: expect.stringContaining('is not empty'),
  })
  expect(await keep('backup', at('third'), '--data', at('nowhere'))).toMatchObject({
    exit: 1,
    err: expect.stringContaining('no installation'),
  })
  expect(await readdir(home)).not.toContain('nowhere')
  expect(await keep('backup')).toMatchObject({ exit: 2, err: expect.stringContaining('npm run backup') })
})

test('another key, no key and a used folder are refused before anything is made', async () => {
  await writeFile(at('wrong.key'), newMasterKey().toString('base64url'))
  expect(await restore('backup', 'wrong.key', 'copy')).toMatchObject({
    exit: 1,
    err: expect.stringContaining('another master key'),
  })
  expect(await restore('backup', 'no.key', 'copy')).toMatchObject({
    exit: 1,
    err: expect.stringContaining('--master-key'),
  })
  expect(await restore('backup', 'kept.key', 'first')).toMatchObject({
    exit: 1,
    err: expect.stringContaining('is not empty'),
  })
  await mkdir(at('empty'))
  expect(await restore('empty', 'kept.key', 'copy')).toMatchObject({
    exit: 1,
    err: expect.stringContaining('not a whole backup'),
  })
  expect(await readdir(home)).not.toContain('copy')
})

test('a backup that was changed restores nothing, no start takes the folder, and the whole one then can', async () => {
  const path = at('second-backup', 'database')
  const bytes = await readFile(path)
  const place = Math.floor(bytes.length / 2)
  bytes.writeUInt8(bytes.readUInt8(place) ^ 1, place)
  await writeFile(path, bytes)
  expect(await restore('second-backup', 'kept.key', 'copy')).toMatchObject({
    exit: 1,
    err: expect.stringContaining('not a whole backup'),
  })
  started = start('copy')
  expect(await started.ended).toBe(1)
  expect(started.errors()).toContain('restore')
  const { exit, err } = await restore('backup', 'kept.key', 'copy')
  expect({ exit, err }).toEqual({ exit: 0, err: '' })
  expect(processesOf(at('copy'))).toEqual([])
})

test('the restored installation has the same people, the same objects and the sample at work', async () => {
  started = start('copy')
  const info = await started.ready()
  expect(await untilAnswer(info.sampleUrl)).toContain('node-web one')
  await rm(at('cli.json'))
  const cli = cliAt(home, info.url)
  await cli.succeed(['login', '--name', 'ada', '--password-stdin'], `${PASSWORD}\n`)
  const { out } = await cli.succeed(['organization', 'list', '--output', 'name'])
  const organizations = out.trim().split('\n')
  expect(organizations).toContain('before-the-backup')
  expect(organizations).not.toContain('after-the-backup')
  expect((await cli.succeed(['build', 'logs', 'sample/hello#1'])).out).toContain('checked')
  // Its repository came along, and is not looked for where the first installation lay.
  expect((await cli.succeed(['source', 'show', 'sample/hello'])).out).toContain(at('copy', 'samples'))
  await stop('copy')
})
