/* Readers, while the processes they read from are killed, and with two replicas on one database. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { testDatabase } from '@slipway/db/testing'
import { newMasterKey, systemClock, waitFor } from '@slipway/kit'
import { createClient, watchChanges } from '@slipway/sdk'
import { freePort } from '@slipway/testkit'
import { Client } from 'pg'
import { expect, test } from 'vitest'

import { migrations } from '../../migrations/index.ts'

const MAIN = fileURLToPath(new URL('../../main.ts', import.meta.url))
const PASSWORD = 'a long test password'

type Ready = { readonly url: string; readonly firstRunToken?: string }

async function start(
  environment: Readonly<Record<string, string>>,
): Promise<{ child: ChildProcess; ready: Ready }> {
  const child = spawn(process.execPath, ['--conditions=source', MAIN], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: { PATH: process.env['PATH'], SLIPWAY_LOG_LEVEL: 'fatal', ...environment },
  })
  const [ready] = (await once(child, 'message')) as [Ready]
  return { child, ready }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

test('a reader survives that its server is killed again and again, and hears at one replica what is done at another', async () => {
  await using database = await testDatabase({ migrations })
  const masterKey = newMasterKey().toString('base64')
  const folders = [
    await mkdtemp(join(tmpdir(), 'slipway-test-one-')),
    await mkdtemp(join(tmpdir(), 'slipway-test-two-')),
  ]
  const environments = await Promise.all(
    folders.map(async (folder) => ({
      DATABASE_URL: database.appUrl,
      DATABASE_OWNER_URL: database.ownerUrl,
      SLIPWAY_MASTER_KEY: masterKey,
      SLIPWAY_PORT: String(await freePort()),
      SLIPWAY_DATA: folder,
    })),
  )
  const [one = {}, two = {}] = environments
  let read = await start(one)
  const written = await start(two)
  const stopping = new AbortController()
  const postgres = new Client({ connectionString: database.superuserUrl })
  await postgres.connect()
  try {
    // The second one started last, so its token is the one that counts.
    const writer = createClient({ server: written.ready.url })
    const { secret } = await writer.completeFirstRun({
      token: written.ready.firstRunToken ?? '',
      name: 'admin',
      password: PASSWORD,
      delivery: 'bearer',
    })
    const credentials = { bearer: secret ?? '' }
    const api = createClient({ server: written.ready.url, credentials })
    const organization = await api.createOrganization({ slug: 'acme', name: 'Acme' })
    const project = await api.createProject({ organization: organization.id, slug: 'shop', name: 'Begin' })

    let shown = ''
    let losses = 0
    const show = async (): Promise<void> => {
      const { rows } = await postgres.query<{ name: string }>(
        'select name from tenancy_project where id = $1',
        [project.id],
      )
      shown = rows[0]?.name ?? ''
    }
    const resets: string[] = []
    const ended = (async () => {
      const client = createClient({ server: read.ready.url, credentials })
      for await (const notice of watchChanges(client, {
        topics: [`project:${project.id}`],
        signal: stopping.signal,
      })) {
        if (notice.kind === 'connection' && notice.lost) losses += 1
        if (notice.kind === 'reset') resets.push(notice.reason)
        if (notice.kind === 'reset' || notice.kind === 'change') await show()
      }
    })().catch((thrown: unknown) => thrown)
    const shows = (name: string): Promise<unknown> =>
      waitFor(systemClock, `the reader to show ${name}`, () => shown === name, { timeoutMs: 60_000 })
    await shows('Begin')

    for (let round = 0; round < 3; round += 1) {
      await api.updateProject({ project: project.id, name: `there ${round}` })
      await shows(`there ${round}`)
      await kill(read.child)
      await api.updateProject({ project: project.id, name: `away ${round}` })
      read = await start(one)
      await shows(`away ${round}`)
    }
    expect(losses).toBe(3)
    // It went on from where it was: nothing but the Instances, which are not in the log, was to be read again.
    expect(resets).toEqual(['start', 'resumed', 'resumed', 'resumed'])
    stopping.abort()
    await ended
  } finally {
    stopping.abort()
    await postgres.end()
    await kill(read.child)
    await kill(written.child)
    for (const folder of folders) await rm(folder, { recursive: true, force: true })
  }
})
