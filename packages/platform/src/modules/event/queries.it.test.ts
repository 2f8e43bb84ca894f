import { openDatabase } from '@slipway/db'
import { testDatabase } from '@slipway/db/testing'
import { must, systemClock, systemRandom } from '@slipway/kit'
import { pino } from 'pino'
import { Client } from 'pg'
import { expect, test } from 'vitest'

import { migrations } from '../../migrations/index.ts'
import type { Tables } from '../../tables.ts'
import type { Cursor } from './model.ts'
import { beginLog, forgetChanges, readNews, type News } from './queries.ts'

test('what is old or too much is forgotten, and only those who have not seen it are told that it is', async () => {
  await using own = await testDatabase({ migrations })
  await using database = await openDatabase<Tables>({
    appUrl: own.appUrl,
    clock: systemClock,
    random: systemRandom,
    log: pino({ level: 'silent' }),
  })
  const writer = new Client({ connectionString: own.superuserUrl })
  await writer.connect()
  const make = (slug: string): Promise<unknown> =>
    writer.query(
      `insert into tenancy_organization (id, slug, name, depth, created_at) values ($1, $2, $2, 0, now())`,
      [`org_${slug}`, slug],
    )
  const news = async (since?: Cursor): Promise<News> =>
    must(await database.transactAsSystem((db) => readNews(db, since, 100)), 'there is a log')
  const idsOf = ({ changes }: News): string[] | undefined => changes?.map(({ change }) => change.id)
  const forget = (before: Date, max: number): Promise<void> =>
    database.transactAsSystem((db) => forgetChanges(db, before, max))
  const longAgo = new Date(0)
  try {
    expect(await database.transactAsSystem((db) => readNews(db, undefined, 100))).toBeUndefined()
    await database.transactAsSystem((db) => beginLog(db, 'evt_1'))
    await database.transactAsSystem((db) => beginLog(db, 'evt_2'))
    const start = await news()
    expect(start).toMatchObject({ log: 'evt_1', changes: undefined })
    await make('a')
    const first = await news(start)
    expect(idsOf(first)).toEqual(['org_a'])
    await make('b')
    await make('c')

    await forget(longAgo, 100)
    expect(idsOf(await news(start))).toEqual(['org_a', 'org_b', 'org_c'])
    await forget(longAgo, 2)
    expect(idsOf(await news(start))).toBeUndefined()
    expect(idsOf(await news(first))).toEqual(['org_b', 'org_c'])
    const last = await news(first)
    await forget(new Date(Date.now() + 60_000), 100)
    expect(idsOf(await news(first))).toBeUndefined()
    // Nothing has happened since: there is nothing that this one could have missed.
    expect(idsOf(await news(last))).toEqual([])
    await forget(new Date(Date.now() + 60_000), 0)
    await make('d')
    expect(idsOf(await news(last))).toEqual(['org_d'])
  } finally {
    await writer.end()
  }
})
