import { manualClock, seededRandom, systemClock, systemRandom, waitFor } from '@slipway/kit'
import { sql } from 'kysely'
import { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

import {
  afterKey,
  checkMigrated,
  isUniqueViolation,
  jsonb,
  notify,
  onCommit,
  openDatabase,
  protectTable,
} from './index.ts'
import type { Database, DatabaseOptions, Migration, Scope } from './index.ts'
import { silentLog } from './log.ts'
import { rowSecurityProblems, testDatabase } from './testing.ts'
import type { TestDatabase } from './testing.ts'

type Tables = {
  readonly thing: {
    readonly id: string
    readonly organization_id: string
    readonly data: unknown
    readonly count: number
  }
  readonly open_thing: { readonly id: number }
}

const migrations: readonly Migration[] = [
  {
    id: 1,
    name: 'things',
    async up(db) {
      await sql`create table thing (id text primary key, organization_id text not null,
        data jsonb not null default 'null', count bigint not null default 0)`.execute(db)
      await sql`create table open_thing (id integer primary key)`.execute(db)
      await protectTable(db, 'thing')
    },
  },
]

let server: TestDatabase
let database: Database<Tables>

function open(options: Partial<DatabaseOptions> = {}): Promise<Database<Tables>> {
  const defaults = { appUrl: server.appUrl, clock: systemClock, random: systemRandom, log: silentLog }
  return openDatabase<Tables>({ ...defaults, ...options })
}

async function onServer(text: string, url = server.superuserUrl): Promise<unknown[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows as unknown[]
  } finally {
    await client.end()
  }
}

const endConnections = (name: string) =>
  onServer(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = '${name}'`,
  )

beforeAll(async () => {
  server = await testDatabase({ migrations })
  database = await open()
})

beforeEach(async () => {
  await database.transactAsSystem((db) => db.deleteFrom('thing').execute())
  await database.transactAsSystem((db) => db.deleteFrom('open_thing').execute())
})

afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

function insert(id: string, organization: string, scope: Scope = 'all'): Promise<unknown> {
  return database.transact(scope, (db) =>
    db
      .insertInto('thing')
      .values({ id, organization_id: organization, data: jsonb(null), count: 0 })
      .execute(),
  )
}

async function idsIn(scope: Scope): Promise<string[]> {
  const rows = await database.transact(scope, (db) =>
    db.selectFrom('thing').select('id').orderBy('id').execute(),
  )
  return rows.map((row) => row.id)
}

test('a scope sees the rows of its organizations only', async () => {
  await insert('a', 'org_1')
  await insert('b', 'org_2')
  expect(await idsIn({ organizations: ['org_1'] })).toEqual(['a'])
  expect(await idsIn({ organizations: ['org_1', 'org_2'] })).toEqual(['a', 'b'])
  expect(await idsIn({ organizations: [] })).toEqual([])
  expect(await idsIn('none')).toEqual([])
  expect(await idsIn('all')).toEqual(['a', 'b'])
})

test('a scope cannot write rows of another organization, nor move its own there', async () => {
  await expect(insert('a', 'org_2', { organizations: ['org_1'] })).rejects.toThrow('row-level security')
  await insert('a', 'org_1')
  await expect(
    database.transact({ organizations: ['org_1'] }, (db) =>
      db.updateTable('thing').set({ organization_id: 'org_2' }).execute(),
    ),
  ).rejects.toThrow('row-level security')
  const deleted = await database.transact({ organizations: ['org_2'] }, (db) =>
    db.deleteFrom('thing').executeTakeFirst(),
  )
  expect(deleted.numDeletedRows).toBe(0n)
})

test('an id that could widen the list of a scope is refused', async () => {
  for (const id of ['*', 'a,b', '', 'a b', "a'"])
    await expect(database.transact({ organizations: [id] }, () => Promise.resolve())).rejects.toThrow(
      'plain word',
    )
})

test('the scope does not stay on the connection', async () => {
  await insert('a', 'org_1')
  await using single = await open({ connectionsMax: 1 })
  await single.transact('all', (db) => db.selectFrom('thing').selectAll().execute())
  await single.transactAsSystem((db) => db.selectFrom('thing').selectAll().execute())
  expect(await single.transact('none', (db) => db.selectFrom('thing').selectAll().execute())).toEqual([])
})

test('the system role sees everything, and only inside transactAsSystem', async () => {
  await insert('a', 'org_1')
  const role = sql<{ role: string }>`select current_user as role`
  expect(
    await database.transactAsSystem(async (db) => [
      (await role.execute(db)).rows[0]?.role,
      await db.selectFrom('thing').select('id').execute(),
    ]),
  ).toEqual(['slipway_system', [{ id: 'a' }]])
  expect((await database.transact('none', (db) => role.execute(db))).rows[0]?.role).toBe('slipway_app')
})

test.each([
  ['the superuser', () => server.superuserUrl, 'SUPERUSER'],
  ['the owner', () => server.ownerUrl, 'OWNER'],
])('opening as %s is refused', async (_, url, reason) => {
  await expect(open({ appUrl: url() })).rejects.toMatchObject({
    code: 'database_role_unsafe',
    params: { reason },
  })
})

test('a wrong password and a server that is not there are told apart', async () => {
  await expect(open({ appUrl: server.appUrl.replace(/:[^:@]*@/, ':wrong@') })).rejects.toMatchObject({
    code: 'database_login_refused',
  })
  await expect(open({ appUrl: server.appUrl.replace(/:[0-9]+\//, ':1/') })).rejects.toMatchObject({
    code: 'database_unavailable',
    status: 503,
  })
})

test('a dry run returns its result, leaves nothing and runs no hooks', async () => {
  const ran: string[] = []
  const result = await database.transact(
    'all',
    async (db) => {
      onCommit(db, () => void ran.push('hook'))
      await db.insertInto('open_thing').values({ id: 1 }).execute()
      return (await db.selectFrom('open_thing').selectAll().execute()).length
    },
    { dryRun: true },
  )
  expect(result).toBe(1)
  expect(ran).toEqual([])
  expect(await database.transact('none', (db) => db.selectFrom('open_thing').selectAll().execute())).toEqual(
    [],
  )
})

test('a read-only transaction refuses writes', async () => {
  await expect(
    database.transact('all', (db) => db.insertInto('open_thing').values({ id: 1 }).execute(), {
      readOnly: true,
    }),
  ).rejects.toThrow('read-only')
})

test('hooks run after the commit, in order, and one that fails stops nothing', async () => {
  const seen: unknown[] = []
  await database.transact('all', async (db) => {
    onCommit(db, async () => {
      const rows = await database.transact('none', (own) =>
        own.selectFrom('open_thing').selectAll().execute(),
      )
      seen.push(rows.length)
      throw new Error('the hook fails')
    })
    onCommit(db, () => void seen.push('second'))
    await db.insertInto('open_thing').values({ id: 1 }).execute()
  })
  expect(seen).toEqual([1, 'second'])
})

test('what throws is rolled back, its hooks with it', async () => {
  const ran: string[] = []
  await expect(
    database.transact('all', async (db) => {
      onCommit(db, () => void ran.push('hook'))
      await db.insertInto('open_thing').values({ id: 1 }).execute()
      throw new Error('changed my mind')
    }),
  ).rejects.toThrow('changed my mind')
  expect(await database.transact('none', (db) => db.selectFrom('open_thing').selectAll().execute())).toEqual(
    [],
  )
  expect(ran).toEqual([])
})

test('a transaction inside another one is a bug that is told', async () => {
  await expect(
    database.transact('all', () => database.transact('all', () => Promise.resolve(1))),
  ).rejects.toThrow('inside another one')
})

test('a failed statement that was swallowed does not pass as success', async () => {
  await expect(
    database.transact('all', async (db) => {
      await sql`select 1 / 0`.execute(db).catch(() => undefined)
    }),
  ).rejects.toThrow('caught inside its transaction')
})

test('a unique violation is recognised by its constraint', async () => {
  await insert('a', 'org_1')
  const thrown: unknown = await insert('a', 'org_1').catch((error: unknown) => error)
  expect(isUniqueViolation(thrown, 'thing_pkey')).toBe(true)
})

test('two transactions in a deadlock both succeed, one of them in a second attempt', async () => {
  await insert('a', 'org_1')
  await insert('b', 'org_1')
  let attempts = 0
  let arrived = 0
  let bothHold: () => void = () => undefined
  const both = new Promise<void>((resolve) => (bothHold = resolve))
  const bump = (first: string, second: string) =>
    database.transact('all', async (db) => {
      attempts += 1
      const add = (id: string) =>
        db
          .updateTable('thing')
          .set((eb) => ({ count: eb('count', '+', 1) }))
          .where('id', '=', id)
          .execute()
      await add(first)
      arrived += 1
      if (arrived === 2) bothHold()
      await both
      await add(second)
    })
  await Promise.all([bump('a', 'b'), bump('b', 'a')])
  expect(attempts).toBe(3)
  const rows = await database.transact('all', (db) => db.selectFrom('thing').select('count').execute())
  expect(rows).toEqual([{ count: 2 }, { count: 2 }])
})

test('conflicts that do not end are given up after five attempts', async () => {
  const clock = { ...manualClock(), sleep: () => Promise.resolve() }
  await using own = await open({ clock, random: seededRandom(1) })
  let attempts = 0
  await expect(
    own.transact('all', async (db) => {
      attempts += 1
      await sql`do $$ begin raise exception using errcode = '40001'; end $$`.execute(db)
    }),
  ).rejects.toMatchObject({ code: 'database_busy' })
  expect(attempts).toBe(5)
})

test('a lock that does not come is a refusal, not a hang', async () => {
  await insert('a', 'org_1')
  await using hasty = await open({ lockTimeoutMs: 50 })
  const holder = new Client({ connectionString: server.superuserUrl })
  await holder.connect()
  await holder.query('begin')
  await holder.query('update thing set count = 1')
  await expect(
    hasty.transact('all', (db) => db.updateTable('thing').set({ count: 2 }).execute()),
  ).rejects.toMatchObject({ code: 'database_busy', retryAfterSeconds: 1 })
  await holder.end()
})

test('when all connections are taken for long the next caller is refused', async () => {
  await using single = await open({ connectionsMax: 1, connectionWaitMs: 50 })
  let release: () => void = () => undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  const first = single.transact('none', () => held)
  await expect(single.transact('none', () => Promise.resolve())).rejects.toMatchObject({
    code: 'database_busy',
  })
  release()
  await first
})

test('a statement that takes too long is a refusal', async () => {
  await expect(
    database.transact('none', (db) => sql`select pg_sleep(30)`.execute(db), { statementTimeoutMs: 50 }),
  ).rejects.toMatchObject({ code: 'database_busy' })
})

test('a connection lost in the middle is unavailable, and the next transaction works', async () => {
  await using own = await open({ name: 'victim' })
  await expect(
    own.transact('none', async (db) => {
      await endConnections('victim')
      await sql`select 1`.execute(db)
    }),
  ).rejects.toMatchObject({ code: 'database_unavailable', status: 503, retryAfterSeconds: 1 })
  expect((await own.transact('none', (db) => sql`select 1 as one`.execute(db))).rows).toEqual([{ one: 1 }])
})

test('connections that died while idle are not noticed by anybody', async () => {
  await using own = await open({ name: 'idle victim' })
  await own.transact('none', (db) => sql`select 1`.execute(db))
  await endConnections('idle victim')
  expect((await own.transact('none', (db) => sql`select 1 as one`.execute(db))).rows).toEqual([{ one: 1 }])
})

test('text that PostgreSQL cannot store is a refusal', async () => {
  await expect(insert('a\0b', 'org_1')).rejects.toMatchObject({ code: 'text_not_storable', status: 400 })
  await expect(
    database.transact('all', (db) =>
      db
        .insertInto('thing')
        .values({ id: 'a', organization_id: 'org_1', data: jsonb('\0'), count: 0 })
        .execute(),
    ),
  ).rejects.toMatchObject({ code: 'text_not_storable' })
})

test('values come back as what they were', async () => {
  const { rows } = await database.transact('none', (db) =>
    sql`select 9007199254740991::bigint as big, array[1, null, 3]::bigint[] as bigs, date '2026-02-28' as day,
      timestamptz '2026-02-28 12:00:00.123+02' as moment, 1.10::numeric as price, ${jsonb([1, { a: null }])} as json`.execute(
      db,
    ),
  )
  expect(rows[0]).toEqual({
    big: Number.MAX_SAFE_INTEGER,
    bigs: [1, null, 3],
    day: '2026-02-28',
    moment: new Date('2026-02-28T10:00:00.123Z'),
    price: '1.10',
    json: [1, { a: null }],
  })
})

test('a bigint that a number cannot hold is an error, not a wrong number', async () => {
  await expect(
    database.transact('none', (db) => sql`select 9007199254740993::bigint as big`.execute(db)),
  ).rejects.toThrow('beyond 2^53')
  expect((await database.transact('none', (db) => sql`select 1 as one`.execute(db))).rows).toEqual([
    { one: 1 },
  ])
})

test.each([
  ['in one direction', ['asc', 'asc'], ['b', 'c', 'd']],
  ['in mixed directions', ['desc', 'asc'], ['b', 'c']],
] as const)('keyset paging %s goes on after the last row', async (_, directions, expected) => {
  for (const [id, organization] of [
    ['a', 'org_2'],
    ['b', 'org_2'],
    ['c', 'org_2'],
    ['d', 'org_3'],
  ] as const)
    await insert(id, organization)
  const columns = [
    { column: 'organization_id', direction: directions[0] },
    { column: 'id', direction: directions[1] },
  ]
  const rows = await database.transact('all', (db) =>
    db
      .selectFrom('thing')
      .select('id')
      .where(afterKey(columns, ['org_2', 'a']))
      .orderBy('organization_id', directions[0])
      .orderBy('id', directions[1])
      .execute(),
  )
  expect(rows.map((row) => row.id)).toEqual(expected)
})

test('a notification arrives when the transaction commits, and not before', async () => {
  const woken: (string | undefined)[] = []
  await using _subscription = await database.listen('work', (payload) => void woken.push(payload))
  await database.transact('none', (db) => notify(db, 'work', 'dry'), { dryRun: true })
  await database.transact('none', (db) => notify(db, 'work', 'rel_1'))
  await waitFor(systemClock, 'the notification', () => woken.length > 0, { timeoutMs: 20_000 })
  expect(woken).toEqual(['rel_1'])
})

test('after the listening connection was lost everybody is woken to look at everything', async () => {
  await using own = await open({ name: 'ears' })
  const woken: (string | undefined)[] = []
  await using _subscription = await own.listen('work', (payload) => void woken.push(payload))
  await endConnections('ears listen')
  await waitFor(systemClock, 'the reconnect', () => woken.includes(undefined), { timeoutMs: 20_000 })
  await own.transact('none', (db) => notify(db, 'work', 'again'))
  await waitFor(systemClock, 'the notification', () => woken.includes('again'), { timeoutMs: 20_000 })
})

test('the checks of row-level security find what is wrong', async () => {
  expect(await rowSecurityProblems({ ownerUrl: server.ownerUrl, unprotected: ['open_thing'] })).toEqual([])
  expect(await rowSecurityProblems({ ownerUrl: server.ownerUrl, unprotected: ['thing', 'gone'] })).toEqual([
    'gone is listed as unprotected and does not exist',
    'open_thing has no row-level security',
    'thing is listed as unprotected and has row-level security',
  ])
  await onServer('create policy loose on thing to slipway_app using (true)', server.ownerUrl)
  expect(await rowSecurityProblems({ ownerUrl: server.ownerUrl, unprotected: ['open_thing'] })).toEqual([
    'thing policy loose does not read the scope',
  ])
  await onServer('drop policy loose on thing', server.ownerUrl)
})

test('a process without the owner sees whether migrations are missing', async () => {
  const more: Migration = { id: 2, name: 'more', up: async (db) => void (await sql`select 1`.execute(db)) }
  await database.transact('none', (db) => checkMigrated(db, migrations))
  await expect(
    database.transact('none', (db) => checkMigrated(db, [...migrations, more])),
  ).rejects.toMatchObject({
    code: 'migration_missing',
  })
  await expect(database.transact('none', (db) => checkMigrated(db, []))).rejects.toMatchObject({
    code: 'database_newer',
    params: { version: 'test' },
  })
})
