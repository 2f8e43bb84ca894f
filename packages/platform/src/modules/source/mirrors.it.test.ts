import { chmod, mkdtemp, readdir, rm, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { envelopeOf, newMasterKey, systemClock } from '@slipway/kit'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

import { checkSettings } from '../../settings.ts'
import { credentialsOwner, mirrorNameOf } from './credentials.ts'
import { openMirrors, packsOf } from './mirrors.ts'
import type { Source } from './model.ts'
import { openRepositories, type Repositories } from './repositories.ts'
import { gitServer, testRepository, type GitServer, type TestRepository } from './testing.ts'

const resources = new AsyncDisposableStack()
const envelope = envelopeOf(newMasterKey())
const signal = AbortSignal.timeout(600_000)
let repository: TestRepository
let server: GitServer
let data: string
let repositories: Repositories

beforeAll(async () => {
  repository = resources.use(await testRepository())
  await repository.commit({ 'index.html': 'one' })
  server = resources.use(await gitServer(dirname(repository.folder)))
})
afterAll(() => resources.disposeAsync())

beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-mirrors-'))
  data = folder
  resources.defer(() => rm(folder, { recursive: true, force: true }))
  repositories = opened()
})

function opened(): Repositories {
  const settings = checkSettings({
    databaseUrl: 'postgres://nobody',
    databaseOwnerUrl: 'postgres://nobody',
    masterKey: newMasterKey().toString('base64'),
    dataFolder: data,
    localSourceRoots: dirname(repository.folder),
    outboundAllow: '127.0.0.0/8:*',
  })
  return openRepositories({ settings, clock: systemClock, envelope })
}

function sourceOf(applicationId: string, url: string, token?: string): Source {
  const source: Source = {
    applicationId,
    organizationId: 'org',
    projectId: 'prj',
    url,
    defaultBranch: null,
    credentials: null,
    version: 1,
    updatedAt: systemClock.now(),
  }
  return token === undefined
    ? source
    : {
        ...source,
        credentials: {
          kind: 'token',
          username: 'ci',
          sealed: envelope.seal(token, credentialsOwner(source)),
        },
      }
}

const mirrorFolders = (): Promise<string[]> => readdir(join(data, 'sources/mirrors'))
const packsFolder = async (): Promise<string> =>
  join(data, 'sources/mirrors', (await mirrorFolders())[0] ?? '', 'objects/pack')

test('Applications built from one repository share its mirror, and the second fetches nothing', async () => {
  const url = `${server.url}/repository`
  const { commit } = await repositories.resolve(sourceOf('a', url), undefined, signal)
  await repositories.tree(sourceOf('a', url), commit, signal)
  const before = server.requests()
  await repositories.tree(sourceOf('b', url), commit, signal)
  expect(server.requests()).toBe(before)
  expect(await mirrorFolders()).toHaveLength(1)
})

test('who gives other credentials gets a mirror of its own', () => {
  const names = [sourceOf('a', 'https://g/x'), sourceOf('b', 'https://g/x', 'one')].map((source) =>
    mirrorNameOf({ envelope }, source),
  )
  const others = [sourceOf('c', 'https://g/x', 'two'), sourceOf('d', 'https://g/y', 'one')].map((source) =>
    mirrorNameOf({ envelope }, source),
  )
  expect(new Set([...names, ...others]).size).toBe(4)
  expect(mirrorNameOf({ envelope }, sourceOf('e', 'https://g/x', 'one'))).toBe(names[1])
})

test('a mirror fetches what is new and nothing else', async () => {
  const source = sourceOf('a', `${server.url}/repository`)
  const large = Buffer.from(Array.from({ length: 2_000_000 }, (_, index) => (index * index) % 251))
  const first = await repository.commit({ 'large.bin': large.toString('latin1') })
  await repositories.tree(source, first, signal)
  const before = (await packsOf(dirname(dirname(await packsFolder())))).sizeBytes
  const second = await repository.commit({ 'index.html': 'two' })
  await repositories.tree(source, second, signal)
  const after = (await packsOf(dirname(dirname(await packsFolder())))).sizeBytes
  expect(after - before).toBeGreaterThan(0)
  expect(after - before).toBeLessThan(20_000)
})

test('of a commit only its own history is fetched, not every branch', async () => {
  const main = await repository.git('rev-parse', 'HEAD')
  await repository.git('checkout', '--quiet', '--orphan', 'heavy')
  const heavy = await repository.commit({ 'heavy.txt': 'heavy' })
  await repository.git('checkout', '--quiet', 'main')
  const source = sourceOf('a', repository.folder)
  await repositories.tree(source, main, signal)
  const folder = dirname(dirname(await packsFolder()))
  const mirrors = openMirrors({ clock: systemClock }, join(data, 'sources'))
  const has = await mirrors.git({ args: ['cat-file', '-e', heavy], folder, timeoutMs: 10_000 })
  expect(has.code).not.toBe(0)
  expect((await repositories.tree(source, heavy, signal)).names).toContain('heavy.txt')
})

test.each<[what: string, damage: (folder: string) => Promise<void>]>([
  [
    'with half a pack',
    async (folder) => {
      const packs = join(folder, 'objects/pack')
      for (const name of await readdir(packs)) {
        if (!name.endsWith('.pack')) continue
        // git makes them read-only.
        await chmod(join(packs, name), 0o600)
        await truncate(join(packs, name), 20)
      }
    },
  ],
  ['with a lock that nobody holds', (folder) => writeFile(join(folder, 'packed-refs.lock'), '')],
  ['whose configuration was half written', (folder) => writeFile(join(folder, 'config'), '[core')],
  ['that was never finished', (folder) => rm(join(folder, 'HEAD'))],
])('a mirror %s is made anew', async (_, damage) => {
  const source = sourceOf('a', repository.folder)
  const old = await repository.commit({ 'index.html': 'old' })
  await repositories.tree(source, old, signal)
  await damage(dirname(dirname(await packsFolder())))
  const fresh = await repository.commit({ 'index.html': `fresh ${_}` })
  expect((await repositories.tree(source, fresh, signal)).names).toContain('index.html')
  expect(await repositories.log(source, fresh, { skip: 0, count: 1 }, signal)).toMatchObject([{ id: fresh }])
})

test('what an earlier life left of a call, keys among it, goes at the next one', async () => {
  const temporary = join(data, 'sources/temporary')
  await repositories.resolve(sourceOf('a', repository.folder), undefined, signal)
  await writeFile(join(data, 'sources/temporary'), 'a key').catch(() => undefined)
  await opened().resolve(sourceOf('a', repository.folder), undefined, signal)
  expect(await readdir(temporary).catch(() => 'gone')).toBe('gone')
})

test('tidying removes what nobody used for long, and packs anew what many fetches left', async () => {
  const source = sourceOf('a', repository.folder)
  const mirrors = openMirrors({ clock: systemClock }, join(data, 'sources'))
  let commit = ''
  for (let index = 0; index < 22; index += 1) {
    commit = await repository.commit({ 'index.html': `number ${index}` })
    await repositories.tree(source, commit, signal)
  }
  const folder = dirname(dirname(await packsFolder()))
  expect((await packsOf(folder)).packs).toBeGreaterThan(20)
  {
    using held = mirrors.hold(mirrorNameOf({ envelope }, source))
    await mirrors.tidy()
    expect(held).toBeDefined()
    expect((await packsOf(folder)).packs).toBeGreaterThan(20)
  }
  await mirrors.tidy()
  expect((await packsOf(folder)).packs).toBe(1)
  expect((await repositories.tree(source, commit, signal)).commit).toBe(commit)
  await utimes(join(folder, 'slipway-used'), new Date(0), new Date(0))
  await mirrors.tidy()
  expect(await mirrorFolders()).toEqual([])
  await repositories.tree(source, commit, signal)
  await repositories.forget(source)
  expect(await mirrorFolders()).toEqual([])
})
