/*
 * `npm start` for other machines: TLS by an authority of its own, which the command line is told of once, and by which the
 * embedded cluster pulls and builds. The address is one of loopback that counts as another machine's.
 */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { freePort } from '@slipway/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { makeAuthority } from '../../tools/kubernetes/certificates.ts'
import { cliAt } from '../journey/cli.ts'
import { checkout } from '../journey/product.ts'
import { beginStart, untilAnswer, type RunInfo, type Start } from './installation.ts'

const ADDRESS = '127.0.0.2'
const PASSWORD = 'a long secure password'

let folder = ''
let started: Start
let info: RunInfo
let authority = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-secure-'))
  // PostgreSQL and applications run under accounts of their own.
  await chmod(folder, 0o755)
  const port = String(await freePort())
  const environment = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/', LANG: 'C.UTF-8' }
  const address = ['--listen', ADDRESS, '--port', port, '--public-url', `https://${ADDRESS}:${port}`]
  const data = join(folder, 'data')
  started = beginStart({ checkout, environment, account: undefined }, ['--data', data, ...address])
  info = await started.ready()
  authority = join(data, 'keys', 'authority.crt')
})
afterAll(async () => {
  await started?.stop()
  await rm(folder, { recursive: true, force: true })
})

test('the command line trusts the authority it is told of, and remembers it', async () => {
  const cli = cliAt(folder, info.url)
  expect(info.url).toMatch(/^https:/u)
  const login = ['login', '--first-run-token', info.firstRunToken, '--name', 'admin', '--password-stdin']
  await cli.succeed([...login, '--ca', authority], PASSWORD)
  expect((await cli.succeed(['whoami'])).out).toContain('admin')
  expect((await cli.succeed(['doctor'])).out).toMatch(/Certificate +ok +valid until \d{4}-/u)
})

test('without the authority, or with another one, it is said what to do', async () => {
  const stranger = cliAt(join(folder, 'data'), info.url)
  const unknown = await stranger.run('whoami')
  expect(unknown.exit).toBe(1)
  expect(unknown.err).toContain('made by an authority that this computer does not know')
  expect(unknown.err).toContain('--ca <file>')
  const other = join(folder, 'other.crt')
  await writeFile(other, makeAuthority('somebody else').certificate)
  expect((await stranger.run('whoami', '--ca', other)).err).toContain('--ca <file>')
  const absent = await stranger.run('whoami', '--ca', join(folder, 'absent.crt'))
  expect(absent).toMatchObject({
    exit: 2,
    err: expect.stringContaining('absent.crt given with --ca') as string,
  })
})

test('the embedded cluster builds and pulls over TLS: the sample answers', async () => {
  expect(await untilAnswer(info.sampleUrl)).toContain('node-web one')
})
