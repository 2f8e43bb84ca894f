import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { systemClock } from '@slipway/kit'
import { sql } from 'kysely'
import { Client } from 'pg'
import { expect, test } from 'vitest'

import { migrate } from './index.ts'
import type { Migration } from './index.ts'
import { silentLog } from './log.ts'
import { testDatabase } from './testing.ts'

const make = (id: number, ...statements: string[]): Migration => ({
  id,
  name: `step-${id}`,
  async up(db) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
})
const first = make(1, 'create table one (id integer primary key)', 'insert into one values (1)')
const second = make(2, 'create table two (id integer primary key)', 'alter table one add column note text')

function apply(ownerUrl: string, migrations: readonly Migration[], more: object = {}) {
  return migrate({ ownerUrl, migrations, version: '1.2.3', clock: systemClock, log: silentLog, ...more })
}

async function rows(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows as unknown[]
  } finally {
    await client.end()
  }
}

test('migrations are applied once, in order, and only the missing ones', async () => {
  await using database = await testDatabase()
  expect(await apply(database.ownerUrl, [first])).toEqual([1])
  expect(await apply(database.ownerUrl, [first, second])).toEqual([2])
  expect(await apply(database.ownerUrl, [first, second])).toEqual([])
  expect(await rows(database.ownerUrl, 'select id, name, version from schema_migration order by id')).toEqual(
    [
      { id: 1, name: 'step-1', version: '1.2.3' },
      { id: 2, name: 'step-2', version: '1.2.3' },
    ],
  )
})

test('the application may use new tables and cannot touch the list of migrations or make tables', async () => {
  await using database = await testDatabase({ migrations: [first] })
  expect(await rows(database.appUrl, 'select * from one')).toEqual([{ id: 1 }])
  await expect(rows(database.appUrl, 'delete from schema_migration')).rejects.toThrow('permission denied')
  await expect(rows(database.appUrl, 'create table own ()')).rejects.toThrow('permission denied')
  await expect(rows(database.appUrl, 'truncate one')).rejects.toThrow('permission denied')
})

test('a database that is newer than the code is refused with the version to start', async () => {
  await using database = await testDatabase()
  await apply(database.ownerUrl, [first, second])
  await expect(apply(database.ownerUrl, [first])).rejects.toMatchObject({
    code: 'database_newer',
    params: { id: 2, version: '1.2.3' },
  })
})

test('a migration that was changed after it was applied is refused; its layout may change', async () => {
  await using database = await testDatabase()
  await apply(database.ownerUrl, [make(1, 'create table one (id integer)')])
  await apply(database.ownerUrl, [make(1, '  create table one\n    (id integer)\n')])
  await expect(apply(database.ownerUrl, [make(1, 'create table one (id bigint)')])).rejects.toMatchObject({
    code: 'migration_changed',
    params: { id: 1 },
  })
})

test('a migration that fails leaves nothing of itself and everything before it', async () => {
  await using database = await testDatabase()
  const broken = make(2, 'create table two ()', 'select 1 / 0')
  await expect(apply(database.ownerUrl, [first, broken])).rejects.toThrow('division by zero')
  expect(await rows(database.ownerUrl, "select to_regclass('two') as two")).toEqual([{ two: null }])
  expect(await apply(database.ownerUrl, [first, second])).toEqual([2])
})

test('of several starters at once one migrates and the others wait', async () => {
  await using database = await testDatabase()
  const slow = make(1, 'create table one ()', 'select pg_sleep(0.3)')
  const applied = await Promise.all([1, 2, 3].map(() => apply(database.ownerUrl, [slow])))
  expect(applied.flat()).toEqual([1])
})

test('a starter does not wait for ever for another one', async () => {
  await using database = await testDatabase()
  const holder = new Client({ connectionString: database.ownerUrl })
  await holder.connect()
  await holder.query('select pg_advisory_lock(74470001)')
  await expect(apply(database.ownerUrl, [first], { lockWaitMs: 100 })).rejects.toMatchObject({
    code: 'migration_locked',
  })
  await holder.end()
})

test('killed at any statement nothing is half done, and the next start finishes', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-migrate-'))
  const source = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
  const kit = JSON.stringify(import.meta.resolve('@slipway/kit'))
  const kysely = JSON.stringify(import.meta.resolve('kysely'))
  // The child counts the statements it really sends and kills itself before number `dieAt`; the first pass only records.
  await writeFile(
    join(folder, 'child.ts'),
    `import { systemClock } from ${kit}
     import { sql } from ${kysely}
     import { migrate } from ${source('migrate.ts')}
     const [url, dieAt] = process.argv.slice(2)
     let passes = 0
     let sent = 0
     const run = async (db, text) => {
       if (passes > 2 && ++sent === Number(dieAt)) process.kill(process.pid, 'SIGKILL')
       await sql.raw(text).execute(db)
     }
     const step = (id, ...texts) => ({ id, name: 'step-' + id, up: async (db) => { passes += 1; for (const text of texts) await run(db, text) } })
     const log = { info() {}, warn() {}, error() {} }
     await migrate({ ownerUrl: url, version: '1', clock: systemClock, log, migrations: [
       step(1, 'create table one (id integer primary key)', 'insert into one values (1)', 'insert into one values (2)'),
       step(2, 'create table two (id integer primary key)', 'insert into two select id from one', 'drop table one'),
     ] })
     console.log('done')`,
  )
  const run = async (url: string, dieAt: number) => {
    const child = spawn(
      process.execPath,
      ['--conditions=source', join(folder, 'child.ts'), url, String(dieAt)],
      {
        cwd: fileURLToPath(new URL('.', import.meta.url)),
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    )
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
    return signal ?? code
  }
  try {
    await using database = await testDatabase()
    for (let dieAt = 1; dieAt <= 6; dieAt += 1) {
      await rows(database.ownerUrl, 'drop table if exists one, two, schema_migration')
      expect(await run(database.ownerUrl, dieAt)).toBe('SIGKILL')
      const state = await rows(
        database.ownerUrl,
        `select (select count(*) from schema_migration)::int as applied, to_regclass('one') is not null as one,
          to_regclass('two') is not null as two`,
      )
      expect(state).toEqual([
        dieAt <= 3 ? { applied: 0, one: false, two: false } : { applied: 1, one: true, two: false },
      ])
      expect(await run(database.ownerUrl, 0)).toBe(0)
      expect(await rows(database.ownerUrl, 'select id from two order by id')).toEqual([{ id: 1 }, { id: 2 }])
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
