import { pageOf, systemClock, systemRandom } from '@slipway/kit'
import { sql, type Generated } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { openDatabase, type Database } from './database.ts'
import { countUpTo, newestFirst } from './lists.ts'
import { silentLog } from './log.ts'
import { testDatabase } from './testing.ts'

type Tables = { thing: { id: string; kind: Generated<string>; created_at: Date } }
const cleanup = new AsyncDisposableStack()
let database: Database<Tables>

beforeAll(async () => {
  const create = `create table thing (id text primary key, kind text not null default 'a', created_at timestamptz(3) not null)`
  const grant = 'grant all on thing to slipway_app'
  const migrations = [
    {
      id: 1,
      name: 'things',
      up: async (db: Parameters<ReturnType<typeof sql>['execute']>[0]) => {
        for (const text of [create, grant]) await sql.raw(text).execute(db)
      },
    },
  ]
  const { appUrl } = cleanup.use(await testDatabase({ migrations }))
  const shared = { clock: systemClock, random: systemRandom, log: silentLog }
  database = cleanup.use(await openDatabase<Tables>({ appUrl, ...shared }))
  // Several of one moment, so that the id has to decide.
  const things = Array.from({ length: 7 }, (_, index) => ({
    id: `t${index}`,
    created_at: new Date(Math.floor(index / 3) * 1_000),
  }))
  await database.transact('all', (db) => db.insertInto('thing').values(things).execute())
})
afterAll(() => cleanup.disposeAsync())

test('pages of two lead through all rows, newest first, each once', async () => {
  const seen: string[] = []
  let cursor: string | undefined
  do {
    const rows = await database.transact('all', (db) =>
      newestFirst(db.selectFrom('thing').selectAll(), { limit: 2, cursor }).execute(),
    )
    const page = pageOf(
      rows,
      2,
      ({ id }) => id,
      (one) => [one.created_at.toISOString(), one.id],
    )
    seen.push(...page.items)
    cursor = page.cursor
  } while (cursor !== undefined)
  expect(seen).toEqual(['t6', 't5', 't4', 't3', 't2', 't1', 't0'])
})

test('counting stops at the most, and counts only what the query gives', async () => {
  const count = (kind: string, most: number): Promise<number> =>
    database.transact('all', (db) =>
      countUpTo(db, db.selectFrom('thing').selectAll().where('kind', '=', kind), most),
    )
  expect(await Promise.all([count('a', 100), count('a', 3), count('b', 3)])).toEqual([7, 3, 0])
})
