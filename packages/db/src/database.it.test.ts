import { systemClock, systemRandom } from '@slipway/kit'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { jsonb, openDatabase, protectTable } from './index.ts'
import type { Database, Migration } from './index.ts'
import { silentLog } from './log.ts'
import { testDatabase } from './testing.ts'
import type { TestDatabase } from './testing.ts'

type Tables = {
  readonly thing: {
    readonly id: string
    readonly organization_id: string
    readonly data: unknown
  }
}

const migrations: readonly Migration[] = [
  {
    id: 1,
    name: 'things',
    async up(db) {
      await sql`create table thing (id text primary key, organization_id text not null, data jsonb not null)`.execute(
        db,
      )
      await protectTable(db, 'thing')
    },
  },
]

let server: TestDatabase
let database: Database<Tables>

beforeAll(async () => {
  server = await testDatabase({ migrations })
  database = await openDatabase<Tables>({
    appUrl: server.appUrl,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  })
})

afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

test('a scope sees the rows of its organizations only', async () => {
  await database.transact('all', (db) =>
    db
      .insertInto('thing')
      .values([
        { id: 'a', organization_id: 'org_1', data: jsonb([1, 'two']) },
        { id: 'b', organization_id: 'org_2', data: jsonb({}) },
      ])
      .execute(),
  )
  const ids = async (scope: Parameters<typeof database.transact>[0]) =>
    (await database.transact(scope, (db) => db.selectFrom('thing').select('id').orderBy('id').execute())).map(
      (row) => row.id,
    )
  expect(await ids({ organizations: ['org_1'] })).toEqual(['a'])
  expect(await ids({ organizations: ['org_1', 'org_2'] })).toEqual(['a', 'b'])
  expect(await ids({ organizations: [] })).toEqual([])
  expect(await ids('none')).toEqual([])
  expect(await ids('all')).toEqual(['a', 'b'])
})
