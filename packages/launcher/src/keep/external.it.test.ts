/* Backup and restore of an installation whose database is a PostgreSQL of one's own, between two of its databases. */
import { chmod, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { openDatabase } from '@slipway/db'
import { testDatabase, type TestDatabase } from '@slipway/db/testing'
import { systemClock, systemRandom } from '@slipway/kit'
import { testPlatform, type TestPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { openDataFolder, type DataFolder } from '../data-folder.ts'
import { openMasterKey } from '../master-key.ts'
import type { Environment } from '../parts.ts'
import { backUpInstallation } from './backup.ts'
import { runKeep, type KeepCommand } from './index.ts'
import { restoreInstallation, type RestoreReport } from './restore.ts'

const cleanup = new AsyncDisposableStack()
let home: string
let first: TestDatabase
let second: TestDatabase
let folder: DataFolder

const at = (name: string): string => join(home, name)
const environmentOf = ({ appUrl, ownerUrl }: TestDatabase): Readonly<Record<string, string>> => ({
  DATABASE_URL: appUrl,
  DATABASE_OWNER_URL: ownerUrl,
})
const shared = (): { checkout: string; version: string } => ({ checkout: home, version: '0.1.0' })

async function start(database: TestDatabase, place: string): Promise<TestPlatform> {
  return testPlatform({
    databaseUrl: database.appUrl,
    databaseOwnerUrl: database.ownerUrl,
    masterKey: (await readFile(join(place, 'keys', 'master.key'), 'utf8')).trim(),
    dataFolder: place,
    soleReplica: 'false',
  })
}

const restore = (into: string, database: TestDatabase): Promise<RestoreReport> =>
  restoreInstallation({
    ...shared(),
    from: at('backup'),
    masterKeyPath: join(folder.keysFolder, 'master.key'),
    dataFolder: at(into),
    environment: environmentOf(database),
  })

/** What the commands print. */
const said = (command: KeepCommand, argv: readonly string[], environment: Environment): Promise<string> =>
  runKeep({ ...shared(), command, argv, environment, language: 'en' })

async function nameBlob({ appUrl }: TestDatabase, digest: string): Promise<void> {
  type Tables = {
    readonly image_blob: { readonly digest: string; readonly state: string; readonly size_bytes: number }
  }
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  await using database = await openDatabase<Tables>({
    appUrl,
    log,
    clock: systemClock,
    random: systemRandom,
  })
  await database.transact('all', (db) =>
    db.insertInto('image_blob').values({ digest, state: 'live', size_bytes: 7 }).execute(),
  )
}

async function slugsOf(platform: TestPlatform): Promise<string[]> {
  const session = await platform.call('POST', '/v1/sessions', {
    body: { name: 'admin', password: 'a long test password', delivery: 'bearer' },
  })
  const answer = await platform.call('GET', '/v1/organizations', { secret: String(session.body['secret']) })
  return (answer.body['items'] as { slug: string }[]).map(({ slug }) => slug)
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'slipway-keep-'))
  cleanup.defer(() => rm(home, { recursive: true, force: true }))
  // Root's programs run under accounts that must get in.
  await chmod(home, 0o755)
  first = cleanup.use(await testDatabase())
  second = cleanup.use(await testDatabase())
  await mkdir(at('first'))
  folder = await openDataFolder({ checkoutFolder: home, dataFolder: at('first'), version: '0.1.0' })
  await openMasterKey(folder)
})
afterAll(() => cleanup.disposeAsync())

test('what runs on it is backed up while it runs, with everything up to that moment', async () => {
  await using platform = await start(first, folder.path)
  const secret = await platform.becomeOperator()
  const create = (slug: string) =>
    platform.call('POST', '/v1/organizations', { secret, body: { slug, name: slug } })
  await create('before')
  // A blob whose bytes were lost, or lie in a bucket.
  await nameBlob(first, `sha256:${'0'.repeat(64)}`)
  const report = await backUpInstallation({
    ...shared(),
    to: at('backup'),
    dataFolder: folder.path,
    environment: environmentOf(first),
  })
  expect(report.tables).toBeGreaterThan(20)
  expect(report.bucket).toBeUndefined()
  await create('after')
  expect(await slugsOf(platform)).toEqual(['after', 'before'])
})

test('a database that holds something is not restored into, and stays as it is', async () => {
  await expect(restore('copy', first)).rejects.toMatchObject({ code: 'restore_target_not_empty' })
  await using platform = await start(first, folder.path)
  expect(await slugsOf(platform)).toEqual(['after', 'before'])
})

test('an empty one gets the rows, the restore that was refused before is run again, and no server is started', async () => {
  const { blobs } = await restore('copy', second)
  expect(blobs).toEqual({ place: at('copy/registry/blobs'), absent: 1 })
  expect(await readdir(at('copy'))).not.toContain('postgres')
  await using platform = await start(second, at('copy'))
  expect(await slugsOf(platform)).toEqual(['before'])
  expect(platform.firstRunToken).toBe('')
})

test('the application’s role alone cannot make a backup: rows would be missing without a word', async () => {
  const weak = { ...environmentOf(second), DATABASE_OWNER_URL: second.appUrl }
  const backup = backUpInstallation({
    ...shared(),
    to: at('weak'),
    dataFolder: at('copy'),
    environment: weak,
  })
  await expect(backup).rejects.toThrow()
  expect(await readdir(at('weak'))).not.toContain('backup.json')
})

test('a backup says that a bucket is no part of it, a restore what is not there, or that it could not look', async () => {
  const bucket = {
    SLIPWAY_S3_ENDPOINT: 'http://127.0.0.1:9',
    SLIPWAY_S3_BUCKET: 'images',
    SLIPWAY_S3_PREFIX: 'a/',
  }
  const backup = [at('bucket'), '--data', at('copy')]
  expect(await said('backup', backup, { ...environmentOf(second), ...bucket })).toContain(
    'NOT in this backup: the image parts in the bucket http://127.0.0.1:9/images/a/',
  )
  const key = ['--master-key', join(folder.keysFolder, 'master.key')]
  {
    await using third = await testDatabase()
    const answer = await said('restore', [at('bucket'), '--data', at('third'), ...key], environmentOf(third))
    expect(answer).toContain(`1 image parts that the database names are not in ${at('third/registry/blobs')}`)
  }
  await using fourth = await testDatabase()
  const environment = { ...environmentOf(fourth), ...bucket }
  const answer = await said('restore', [at('bucket'), '--data', at('fourth'), ...key], environment)
  expect(answer).toContain('restored what Slipway 0.1.0 backed up')
  expect(answer).toMatch(/could not be found out: .*SLIPWAY_S3_ACCESS_KEY/u)
})
