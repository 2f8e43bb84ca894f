/* Readers, while the processes they read from are killed, and with two replicas on one database. */
import { testDatabase } from '@slipway/db/testing'
import { newMasterKey, systemClock, waitFor } from '@slipway/kit'
import { createClient, watchChanges } from '@slipway/sdk'
import { Client } from 'pg'
import { expect, test } from 'vitest'

import { migrations } from '../../migrations/index.ts'
import { replicaOf, signInFirst } from './process.helper.ts'

test('a reader survives that its server is killed again and again, and hears at one replica what is done at another', async () => {
  await using database = await testDatabase({ migrations })
  const masterKey = newMasterKey()
  await using reading = await replicaOf(database, masterKey)
  await using writing = await replicaOf(database, masterKey)
  const { url } = await reading.start()
  // The second one started last, so its token is the one that counts.
  const written = await writing.start()
  const credentials = { bearer: await signInFirst(written) }
  const api = createClient({ server: written.url, credentials })
  const organization = await api.createOrganization({ slug: 'acme', name: 'Acme' })
  const project = await api.createProject({ organization: organization.id, slug: 'shop', name: 'Begin' })

  const postgres = new Client({ connectionString: database.superuserUrl })
  await postgres.connect()
  const stopping = new AbortController()
  let shown = ''
  let losses = 0
  const resets: string[] = []
  const show = async (): Promise<void> => {
    const { rows } = await postgres.query<{ name: string }>(
      'select name from tenancy_project where id = $1',
      [project.id],
    )
    shown = rows[0]?.name ?? ''
  }
  const ended = (async () => {
    const topics = [`project:${project.id}`]
    const client = createClient({ server: url, credentials })
    for await (const notice of watchChanges(client, { topics, signal: stopping.signal })) {
      if (notice.kind === 'connection' && notice.lost) losses += 1
      if (notice.kind === 'reset') resets.push(notice.reason)
      if (notice.kind === 'reset' || notice.kind === 'change') await show()
    }
  })().catch((thrown: unknown) => thrown)
  const shows = (name: string): Promise<unknown> =>
    waitFor(systemClock, `the reader to show ${name}`, () => shown === name, { timeoutMs: 60_000 })
  try {
    await shows('Begin')
    for (let round = 0; round < 3; round += 1) {
      await api.updateProject({ project: project.id, name: `there ${round}` })
      await shows(`there ${round}`)
      await reading.kill()
      await api.updateProject({ project: project.id, name: `away ${round}` })
      await reading.start()
      await shows(`away ${round}`)
    }
    expect(losses).toBe(3)
    // It went on from where it was: nothing but the Instances, which are not in the log, was to be read again.
    expect(resets).toEqual(['start', 'resumed', 'resumed', 'resumed'])
  } finally {
    stopping.abort()
    await ended
    await postgres.end()
  }
})
