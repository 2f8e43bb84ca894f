import { PassThrough, Readable } from 'node:stream'
import { gunzipSync, gzipSync } from 'node:zlib'

import { systemClock } from '@slipway/kit'
import { sql } from 'kysely'
import { Client } from 'pg'
import { expect, test } from 'vitest'

import { backUp, migrate, protectTable, restoreBackup } from './index.ts'
import type { Migration } from './index.ts'
import { silentLog } from './log.ts'
import { testDatabase } from './testing.ts'
import type { TestDatabase } from './testing.ts'

const base: Migration = {
  id: 1,
  name: 'base',
  async up(db) {
    for (const statement of [
      `create table parent (id text primary key, organization_id text not null, parent_id text references parent,
        note text, upper_note text generated always as (upper(note)) stored)`,
      `create table child (id bigint generated always as identity primary key, parent_id text not null references parent,
        data jsonb, bytes bytea, made_at timestamptz(3), "odd ""name" text[])`,
      'alter table parent add column favourite bigint references child',
      `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'append only'; end $$`,
      'create trigger append_only before update or delete on child for each row execute function refuse()',
      `insert into parent (id, organization_id) values ('seed', 'org_0')`,
    ])
      await sql.raw(statement).execute(db)
    await protectTable(db, 'parent')
  },
}
const later: Migration = {
  id: 2,
  name: 'later',
  up: async (db) =>
    void (await sql`alter table parent add column later integer not null default 7`.execute(db)),
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows as unknown[]
  } finally {
    await client.end()
  }
}

async function fillWithRows(database: TestDatabase, count: number): Promise<void> {
  await query(
    database.ownerUrl,
    `insert into parent (id, organization_id, parent_id, note)
       select 'p' || n, 'org_' || n % 3, case when n > 1 then 'p' || n - 1 end, E'tab\\t line\\n back\\\\slash ä船 ' || n
       from generate_series(1, ${count}) n;
     insert into child (parent_id, data, bytes, made_at, "odd ""name")
       select 'p' || n, jsonb_build_object('n', n, 'text', repeat('x', n % 500)), decode(md5(n::text), 'hex'),
         timestamptz '2026-01-01' + n * interval '1 second', array['a', null, '{,}"' || n]
       from generate_series(1, ${count}) n;
     update parent set favourite = (select min(id) from child) where id = 'p1'`,
  )
}

const hashes = (url: string) =>
  query(
    url,
    `select (select md5(string_agg(t::text, '|' order by t::text)) from parent t) as parent,
      (select md5(string_agg(t::text, '|' order by t::text)) from child t) as child`,
  )

async function backupOf(database: TestDatabase): Promise<Buffer> {
  const stream = new PassThrough()
  const collected = stream.toArray()
  await backUp({ ownerUrl: database.ownerUrl, stream, version: '1.0.0', clock: systemClock })
  return Buffer.concat((await collected) as Buffer[])
}

function restore(database: TestDatabase, bytes: Buffer, migrations: readonly Migration[]) {
  return restoreBackup({
    ownerUrl: database.ownerUrl,
    stream: Readable.from([bytes]),
    migrations,
    clock: systemClock,
    log: silentLog,
  })
}

test('a restored database has the same rows, rules and counters', async () => {
  await using source = await testDatabase({ migrations: [base] })
  await fillWithRows(source, 20_000)
  const bytes = await backupOf(source)
  await using target = await testDatabase()
  expect(await restore(target, bytes, [base])).toMatchObject({ tables: 2, version: '1.0.0' })
  expect(await hashes(target.ownerUrl)).toEqual(await hashes(source.ownerUrl))
  // Counters go on, references and triggers hold again, and row-level security is in place.
  await query(target.ownerUrl, "insert into child (parent_id) values ('p1')")
  expect(await query(target.ownerUrl, 'select max(id)::int as id from child')).toEqual([{ id: 20_001 }])
  await expect(query(target.ownerUrl, "insert into child (parent_id) values ('none')")).rejects.toThrow(
    'foreign key',
  )
  await expect(query(target.ownerUrl, 'delete from child')).rejects.toThrow('append only')
  expect(await query(target.appUrl, 'select id from parent')).toEqual([])
})

test('a backup of an older version is restored and then migrated', async () => {
  await using source = await testDatabase({ migrations: [base] })
  await fillWithRows(source, 10)
  const bytes = await backupOf(source)
  await using target = await testDatabase()
  await restore(target, bytes, [base, later])
  const options = { version: '2', clock: systemClock, log: silentLog }
  expect(await migrate({ ownerUrl: target.ownerUrl, migrations: [base, later], ...options })).toEqual([2])
  expect(await query(target.ownerUrl, "select later from parent where id = 'p3'")).toEqual([{ later: 7 }])
})

test('a backup of a newer version is refused with the version that can restore it', async () => {
  await using source = await testDatabase({ migrations: [base, later] })
  const bytes = await backupOf(source)
  await using target = await testDatabase()
  await expect(restore(target, bytes, [base])).rejects.toMatchObject({
    code: 'backup_newer',
    params: { version: '1.0.0' },
  })
})

test('a database in use is not restored over', async () => {
  await using source = await testDatabase({ migrations: [base] })
  const bytes = await backupOf(source)
  await expect(restore(source, bytes, [base])).rejects.toMatchObject({ code: 'restore_target_not_empty' })
})

test('a backup that was cut short or changed restores nothing, and the database can be used again', async () => {
  await using source = await testDatabase({ migrations: [base] })
  await fillWithRows(source, 3_000)
  const bytes = await backupOf(source)
  const plain = gunzipSync(bytes)
  const changed = Buffer.from(plain)
  const index = changed.indexOf('back')
  changed.write('BACK', index)
  const damaged: Buffer[] = [
    Buffer.alloc(0),
    Buffer.from('no backup'),
    bytes.subarray(0, bytes.length - 10),
    bytes.subarray(0, Math.floor(bytes.length / 2)),
    gzipSync(plain.subarray(0, plain.length - 1)),
    gzipSync(plain.subarray(0, plain.lastIndexOf('{"end"'))),
    gzipSync(Buffer.concat([plain, Buffer.from('{}\n')])),
    gzipSync(changed),
  ]
  await using target = await testDatabase()
  for (const damage of damaged) {
    await expect(restore(target, damage, [base])).rejects.toMatchObject({ code: 'backup_invalid' })
    expect(
      await query(target.ownerUrl, "select 1 from pg_class where relname in ('parent', 'child')"),
    ).toEqual([])
  }
  await restore(target, bytes, [base])
  expect(await hashes(target.ownerUrl)).toEqual(await hashes(source.ownerUrl))
})

test('a restore that was killed keeps the platform from starting and can be run again', async () => {
  await using source = await testDatabase({ migrations: [base] })
  await fillWithRows(source, 10)
  const bytes = await backupOf(source)
  await using target = await testDatabase()
  await query(target.ownerUrl, 'create table restore_unfinished (); create table parent ()')
  const options = { ownerUrl: target.ownerUrl, version: '1', clock: systemClock, log: silentLog }
  await expect(migrate({ ...options, migrations: [base] })).rejects.toMatchObject({
    code: 'restore_unfinished',
  })
  await restore(target, bytes, [base])
  expect(await migrate({ ...options, migrations: [base] })).toEqual([])
  expect(await hashes(target.ownerUrl)).toEqual(await hashes(source.ownerUrl))
})

test('a backup does not see what is written while it runs', async () => {
  await using source = await testDatabase({ migrations: [base] })
  await fillWithRows(source, 5_000)
  const before = await hashes(source.ownerUrl)
  const stream = new PassThrough({ highWaterMark: 1024 })
  const backup = backUp({ ownerUrl: source.ownerUrl, stream, version: '1', clock: systemClock })
  // Its snapshot is taken when the first bytes come; the rest waits for a reader.
  await new Promise((resolve) => stream.once('readable', resolve))
  await query(source.ownerUrl, "insert into parent (id, organization_id) values ('late', 'org_1')")
  const bytes = Buffer.concat((await stream.toArray()) as Buffer[])
  await backup
  await using target = await testDatabase()
  await restore(target, bytes, [base])
  expect(await hashes(target.ownerUrl)).toEqual(before)
})
