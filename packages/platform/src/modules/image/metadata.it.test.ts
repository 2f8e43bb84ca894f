import { openDatabase } from '@slipway/db'
import { testDatabase } from '@slipway/db/testing'
import { seededRandom, systemClock } from '@slipway/kit'
import type { Digest } from '@slipway/oci'
import { describeRegistryMetadata } from '@slipway/oci/testing'
import { pino } from 'pino'
import { afterAll, beforeAll } from 'vitest'

import { migrations } from '../../migrations/index.ts'
import type { Tables } from '../../tables.ts'
import { databaseMetadata } from './metadata.ts'
import * as rows from './queries/registry.ts'

/** The whole contract of the registry's metadata, on PostgreSQL. */
const resources = new AsyncDisposableStack()
let database: Awaited<ReturnType<typeof openDatabase<Tables>>>

beforeAll(async () => {
  const { appUrl } = resources.use(await testDatabase({ migrations }))
  database = resources.use(
    await openDatabase<Tables>({
      appUrl,
      clock: systemClock,
      random: seededRandom(1),
      log: pino({ level: 'silent' }),
    }),
  )
})
afterAll(() => resources.disposeAsync())

describeRegistryMetadata('PostgreSQL', async () => {
  const pinned = new Set<string>()
  await database.transact('all', async (db) => {
    await db.deleteFrom('image_repository').execute()
    await db.deleteFrom('image_blob').execute()
    await db.deleteFrom('image_review').execute()
  })
  const metadata = databaseMetadata({
    database,
    async ensureRepository(db, name) {
      await rows.insertRepository(db, {
        name,
        organizationId: '',
        projectId: null,
        applicationId: null,
        createdAt: systemClock.now(),
      })
      return rows.lockRepository(db, name)
    },
    isKept: async (_, repository, digest) => pinned.has(`${repository}@${digest}`),
  })
  return {
    metadata,
    pin: (repository: string, digest: Digest) => void pinned.add(`${repository}@${digest}`),
  }
})
