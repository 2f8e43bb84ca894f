import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { testDatabase } from '@slipway/db/testing'
import { newMasterKey, systemClock, waitFor } from '@slipway/kit'
import { startMinicluster, type Minicluster } from '@slipway/minicluster'
import { freePort, testPlatform, type TestPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { migrations } from '../../migrations/index.ts'
import { startPlatform } from '../../platform.ts'
import { checkSettings } from '../../settings.ts'
import { testRepository, type TestRepository } from '../source/testing.ts'

type Answer = Awaited<ReturnType<TestPlatform['call']>>
type Build = {
  readonly id: string
  readonly number: number
  readonly state: string
  readonly image: string | null
  readonly reason: { readonly code: string; readonly params: Record<string, unknown> } | null
  readonly isolation: string | null
}

const resources = new AsyncDisposableStack()
let cluster: Minicluster
let platform: TestPlatform
let operator: string
let project: string

beforeAll(async () => {
  // Not below /tmp, which a build has for itself.
  const folder = await mkdtemp('/var/tmp/slipway-build-')
  resources.defer(() => rm(folder, { recursive: true, force: true }))
  await chmod(folder, 0o711)
  cluster = resources.use(
    await startMinicluster({
      dataFolder: join(folder, 'cluster'),
      apiPort: 0,
      gatewayPort: 0,
      clock: systemClock,
      log: () => undefined,
    }),
  )
  platform = resources.use(
    await testPlatform({ localKubeconfig: cluster.kubeconfigPath, localSourceRoots: tmpdir() }),
  )
  operator = await platform.becomeOperator()
  const organization = await made('/v1/organizations', { slug: 'acme', name: 'Acme' })
  project = await made(`/v1/organizations/${organization}/projects`, { slug: 'shop', name: 'Shop' })
}, 120_000)
afterAll(() => resources.disposeAsync(), 60_000)

async function made(path: string, body: unknown): Promise<string> {
  return String((await platform.call('POST', path, { secret: operator, body })).body['id'])
}

let applications = 0

/** An Application whose source is a repository with these files. */
async function applicationOf(
  files: Readonly<Record<string, string>>,
): Promise<{ id: string; slug: string; repository: TestRepository }> {
  const repository = resources.use(await testRepository())
  await repository.commit(files)
  const slug = `app-${(applications += 1)}`
  const id = await made(`/v1/projects/${project}/applications`, { slug })
  const set = await platform.call('PUT', `/v1/applications/${id}/source`, {
    secret: operator,
    body: { url: repository.folder },
  })
  expect(set.status).toBe(200)
  return { id, slug, repository }
}

async function start(application: string, body: unknown = {}): Promise<Answer> {
  return platform.call('POST', `/v1/applications/${application}/builds`, { secret: operator, body })
}

async function read(id: string): Promise<Build> {
  return (await platform.call('GET', `/v1/builds/${id}`, { secret: operator })).body as unknown as Build
}

const over = new Set(['Succeeded', 'Failed', 'Cancelled'])

async function finished(id: string, timeoutMs = 90_000): Promise<Build> {
  return waitFor(
    systemClock,
    `the end of ${id}`,
    async () => {
      const build = await read(id)
      return over.has(build.state) ? build : undefined
    },
    { timeoutMs, everyMs: 500 },
  )
}

/** The log once it is complete: the follower's stream ends then. */
async function log(id: string): Promise<string> {
  const build = await read(id)
  if (over.has(build.state)) {
    const follow = await fetch(new URL(`/v1/builds/${id}/follow`, platform.url), {
      headers: { authorization: `Bearer ${operator}` },
    })
    await follow.text()
  }
  const response = await fetch(new URL(`/v1/builds/${id}/log`, platform.url), {
    headers: { authorization: `Bearer ${operator}` },
  })
  return response.text()
}

async function build(
  files: Readonly<Record<string, string>>,
): Promise<{ build: Build; application: string }> {
  const { id } = await applicationOf(files)
  const started = await start(id)
  expect(started.status).toBe(202)
  return { build: await finished(String(started.body['id'])), application: id }
}

test('a Node application without dependencies becomes an Image with its start command', async () => {
  const { build: done, application } = await build({
    'package.json': '{"name":"web","scripts":{"start":"node server.js"}}',
    'server.js': 'console.log("hello")',
  })
  expect([done.state, done.reason]).toEqual(['Succeeded', null])
  const images = await platform.call('GET', `/v1/applications/${application}/images`, { secret: operator })
  expect(images.body['items']).toMatchObject([
    {
      reference: done.image,
      tags: ['build-1'],
      buildId: done.id,
      base: 'host/node',
      template: { processes: { web: { command: ['node', 'server.js'], port: 8080 } } },
    },
  ])
  expect(done.isolation).not.toBeNull()
  const text = await log(done.id)
  expect(text).toContain('building as node')
  expect(text).toContain('sending the package')
})

test('build.sh makes the package, and its output is in the log in order', async () => {
  const { build: done } = await build({
    'slipway.yaml': 'version: 1\nbuild: {language: static, output: dist}',
    'build.sh':
      '#!/bin/sh\nset -e\necho one\nmkdir dist\necho two >&2\necho "$SLIPWAY_COMMIT" > dist/index.html\nenv | grep -c SLIPWAY_BUILD_ || true\n',
  })
  expect([done.state, done.reason]).toEqual(['Succeeded', null])
  const text = await log(done.id)
  expect(text).toMatch(/ one\n[^]* two\n[^]* 0\n/u)
})

test('build.sh with Windows line ends and without a shebang runs all the same', async () => {
  const { build: done } = await build({
    'slipway.yaml': 'version: 1\nbuild: {language: static}',
    'build.sh': 'echo made > index.html\r\ntest "$(cat index.html)" = made\r\n',
  })
  expect([done.state, done.reason]).toEqual(['Succeeded', null])
})

describe('a build that fails says why', () => {
  const fails: [name: string, files: Readonly<Record<string, string>>, code: string, more: string][] = [
    [
      'build.sh that fails',
      { 'package.json': '{}', 'server.js': '', 'build.sh': 'echo oh no\nexit 7\n' },
      'build_command_failed',
      '7',
    ],
    ['nothing to detect', { 'README.md': 'x' }, 'build_nothing_detected', ''],
    ['no start command', { 'package.json': '{}', 'lib.js': '' }, 'build_command_missing', 'web'],
    ['a broken slipway.yaml', { 'slipway.yaml': 'version: 1\ntypo: 1' }, 'app_manifest_invalid', 'typo'],
    [
      'build.sh that hangs',
      {
        'index.html': '',
        'build.sh': 'sleep 600\n',
        'slipway.yaml': 'version: 1\nbuild: {timeoutSeconds: 10}',
      },
      'build_timeout',
      '10',
    ],
    [
      'a package with a link out of its folder',
      { 'index.html': '', 'build.sh': 'ln -s ../../../etc/passwd secret\n' },
      'build_package_refused',
      'secret',
    ],
    [
      'an output that is not there',
      { 'index.html': '', 'build.sh': 'true\n', 'slipway.yaml': 'version: 1\nbuild: {output: dist}' },
      'build_command_failed',
      'dist',
    ],
    [
      'a base that is not there',
      {
        'package.json': '{}',
        'server.js': '',
        'slipway.yaml': 'version: 1\nbuild: {base: "base/nothing:1"}',
      },
      'build_base_missing',
      'base/nothing',
    ],
    [
      'a build that forks for ever',
      {
        'package.json': '{}',
        'server.js': '',
        'build.sh': 'i=0\nwhile [ $i -lt 3000 ]; do sleep 300 & i=$((i+1)); done\nwait\n',
        'slipway.yaml': 'version: 1\nbuild: {timeoutSeconds: 60}',
      },
      'build_too_many_processes',
      '',
    ],
  ]
  test.each(fails)('%s', async (_, files, code, more) => {
    const { build: done } = await build(files)
    expect([done.state, done.reason?.code]).toEqual(['Failed', code])
    expect(JSON.stringify(done.reason?.params)).toContain(more)
  })
})

test('what prints without end is cut in the log and goes on', async () => {
  const { build: done } = await build({
    'index.html': '',
    'build.sh': 'yes 0123456789012345678901234567890123456789 | head -c 40000000\necho done\n',
  })
  expect(done.state).toBe('Succeeded')
  const text = await log(done.id)
  expect(text.length).toBeLessThan(30_000_000)
  expect(text).toContain('the rest was left out')
})

test('a cancelled build ends within seconds and leaves nothing running', async () => {
  const { id } = await applicationOf({
    'index.html': '',
    'build.sh': 'trap "" TERM\nsleep 500 &\nsleep 500\n',
  })
  const started = String((await start(id)).body['id'])
  await waitFor(systemClock, 'the script', async () => (await log(started)).includes('running sh build.sh'), {
    timeoutMs: 60_000,
  })
  const cancelled = await platform.call('POST', `/v1/builds/${started}/cancellations`, { secret: operator })
  expect(cancelled.status).toBe(202)
  expect((await finished(started, 20_000)).state).toBe('Cancelled')
  const again = await platform.call('POST', `/v1/builds/${started}/cancellations`, { secret: operator })
  expect([again.status, (again.body['error'] as { code: string }).code]).toEqual([409, 'build_ended'])
})

test('a commit or branch that is not there is refused at once', async () => {
  const { id } = await applicationOf({ 'index.html': '' })
  const answer = await start(id, { ref: 'nothing' })
  expect([answer.status, (answer.body['error'] as { code: string }).code]).toEqual([422, 'ref_unknown'])
  expect((await platform.call('GET', `/v1/applications/${id}/builds`, { secret: operator })).body).toEqual({
    items: [],
  })
})

test('an older commit is built as it was, and a signed address works for its build and once', async () => {
  const { id, repository } = await applicationOf({ 'index.html': 'one' })
  const first = await repository.git('rev-parse', 'HEAD')
  await repository.commit({ 'index.html': 'two' })
  const started = await start(id, { ref: first })
  const done = await finished(String(started.body['id']))
  expect(done.state).toBe('Succeeded')
  const forged = `/v1/builds/${done.id}/source?attempt=1&expires=9999999999&signature=${'a'.repeat(43)}`
  expect((await platform.call('GET', forged)).status).toBe(403)
})

test('the log is followed live and resumes where it was left', async () => {
  const { id } = await applicationOf({ 'index.html': '', 'build.sh': 'echo alpha\nsleep 1\necho omega\n' })
  const started = String((await start(id)).body['id'])
  const follow = async (headers: Record<string, string>): Promise<string> => {
    const response = await fetch(new URL(`/v1/builds/${started}/follow`, platform.url), {
      headers: { authorization: `Bearer ${operator}`, ...headers },
    })
    return response.text()
  }
  const whole = await follow({})
  expect(whole.indexOf('alpha')).toBeGreaterThan(0)
  expect(whole.indexOf('omega')).toBeGreaterThan(whole.indexOf('alpha'))
  expect(whole).toContain('"state":"Succeeded"')
  const ids = [...whole.matchAll(/id: ([0-9]+)\nevent: line\ndata: .*alpha/gu)]
  const rest = await follow({ 'last-event-id': ids.at(-1)?.[1] ?? '0' })
  expect(rest).not.toContain('alpha')
  expect(rest).toContain('omega')
})

test('a platform that ends in the middle of a build finds it again and finishes it, its log whole', async () => {
  const database = resources.use(await testDatabase({ migrations }))
  const dataFolder = await mkdtemp('/var/tmp/slipway-restart-')
  resources.defer(() => rm(dataFolder, { recursive: true, force: true }))
  const settings = checkSettings({
    databaseUrl: database.appUrl,
    databaseOwnerUrl: database.ownerUrl,
    masterKey: newMasterKey().toString('base64'),
    port: await freePort(),
    dataFolder,
    soleReplica: 'true',
    logLevel: 'fatal',
    localKubeconfig: cluster.kubeconfigPath,
    localSourceRoots: tmpdir(),
  })
  const first = await startPlatform(settings)
  const request = async (method: string, path: string, secret: string, body?: unknown) => {
    const response = await fetch(new URL(path, first.url), {
      method,
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return (await response.json()) as Record<string, unknown>
  }
  const opened = await request('POST', '/v1/first-run', '', {
    token: first.firstRunToken,
    name: 'admin',
    password: 'a long test password',
    delivery: 'bearer',
  })
  const secret = String(opened['secret'])
  const make = async (path: string, body: unknown) =>
    String((await request('POST', path, secret, body))['id'])
  const organization = await make('/v1/organizations', { slug: 'acme', name: 'Acme' })
  const own = await make(`/v1/organizations/${organization}/projects`, { slug: 'restart', name: 'R' })
  const application = await make(`/v1/projects/${own}/applications`, { slug: 'web' })
  const repository = resources.use(await testRepository())
  await repository.commit({
    'index.html': '',
    'build.sh': 'for i in 1 2 3 4 5 6 7 8; do echo "line $i"; sleep 0.5; done\n',
  })
  await request('PUT', `/v1/applications/${application}/source`, secret, { url: repository.folder })
  const id = await make(`/v1/applications/${application}/builds`, {})
  const text = async (): Promise<string> => {
    const headers = { authorization: `Bearer ${secret}` }
    return (await fetch(new URL(`/v1/builds/${id}/log`, first.url), { headers })).text()
  }
  await waitFor(systemClock, 'the first lines', async () => (await text()).includes('line 2'), {
    timeoutMs: 30_000,
  })
  await first[Symbol.asyncDispose]()
  await using second = await startPlatform(settings)
  expect(second.url).toBe(first.url)
  const state = await waitFor(
    systemClock,
    'the end',
    async () => {
      const build = await request('GET', `/v1/builds/${id}`, secret)
      return over.has(String(build['state'])) ? build['state'] : undefined
    },
    { timeoutMs: 60_000 },
  )
  expect(state).toBe('Succeeded')
  await waitFor(systemClock, 'the last line', async () => (await text()).includes('sending the package'), {
    timeoutMs: 30_000,
  })
  const lines = (await text()).match(/line [0-9]/gu)
  expect(lines).toEqual(['1', '2', '3', '4', '5', '6', '7', '8'].map((number) => `line ${number}`))
}, 120_000)
