/* `slipway release follow`, while the platform is killed under it. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { testDatabase } from '@slipway/db/testing'
import { newMasterKey, systemClock, waitFor } from '@slipway/kit'
import { createClient } from '@slipway/sdk'
import { Client } from 'pg'
import { expect, test } from 'vitest'

import { migrations } from '../../migrations/index.ts'
import { replicaOf, signInFirst } from './process.helper.ts'

const BIN = fileURLToPath(new URL('../../../../cli/bin/slipway.js', import.meta.url))
const RELEASE = `rel_${'1'.repeat(26)}`

test('following a release heals when the platform is killed: every line once, in order, to the end', async () => {
  await using database = await testDatabase({ migrations })
  await using replica = await replicaOf(database, newMasterKey())
  const { url, firstRunToken = '' } = await replica.start()
  const secret = await signInFirst({ url, firstRunToken })
  const postgres = new Client({ connectionString: database.superuserUrl })
  await postgres.connect()
  const api = createClient({ server: url, credentials: { bearer: secret } })
  const organization = await api.createOrganization({ slug: 'acme', name: 'Acme' })
  const project = await api.createProject({ organization: organization.id, slug: 'shop', name: 'Shop' })
  const environment = await api.createEnvironment({ project: project.id, slug: 'test', name: 'Test' })
  const application = await api.createApplication({ project: project.id, slug: 'web' })
  const workload = await api.createWorkload({ application: application.id, environment: environment.id })
  // Nobody drives this Release: its Cluster is not there, and the test writes its journal.
  await postgres.query(
    `insert into release_release select $1, organization_id, project_id, id, 1, 'shop/web@sha256:0', 1, '{"processes":{}}', '', '00000000',
       '[]', $3, null, null, 'Placing', null, 'forward', false, 0, -1, 0, 0, 0, '{"newReady":0,"newWanted":0,"oldReady":0,"oldWanted":0}', null, false, false, now(), now(), 1, 'them', now(), null
     from app_workload where id = $2`,
    [
      RELEASE,
      workload.id,
      JSON.stringify({
        batches: [{ percent: 100, approve: false, soakSeconds: 0 }],
        probe: { path: '/', requests: 5, statusBelow: 500 },
        onFail: 'rollback',
        batchDeadlineSeconds: 600,
      }),
    ],
  )
  let sequence = 0
  const note = async (): Promise<void> => {
    sequence += 1
    await postgres.query(
      `insert into release_event (release_id, organization_id, sequence, at, kind, batch, actor, code, params)
       values ($1, $2, $3, now(), 'note', 0, 'system', $4, '{}')`,
      [RELEASE, organization.id, sequence, `line-${sequence}`],
    )
  }
  await note()
  const child = spawn(process.execPath, [BIN, 'release', 'follow', RELEASE, '--ci', '--server', url], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: replica.folder, SLIPWAY_TOKEN: secret, LANG: 'en_US.UTF-8' },
  })
  let said = ''
  child.stderr.on('data', (part: Buffer) => (said += part.toString('utf8')))
  const exited = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
  const says = (line: string): Promise<unknown> =>
    waitFor(systemClock, `${line}, in ${said}`, () => said.includes(`${line}\n`), { timeoutMs: 60_000 })
  try {
    await says('line-1')
    for (let round = 0; round < 3; round += 1) {
      await note()
      await says(`line-${sequence}`)
      await replica.kill()
      await note()
      await note()
      await replica.start()
      await says(`line-${sequence}`)
    }
    await postgres.query(
      `update release_release set state = 'Done', generation = generation + 1, ended_at = now() where id = $1`,
      [RELEASE],
    )
    expect(await exited, said).toBe(0)
    const lines = said.split('\n').filter((line) => line.includes('line-'))
    expect(lines.map((line) => line.replace(/^.*(line-\d+)$/u, '$1'))).toEqual(
      Array.from({ length: sequence }, (_, index) => `line-${index + 1}`),
    )
    expect(said.match(/is there again/gu)).toHaveLength(3)
  } finally {
    child.kill('SIGKILL')
    await postgres.end()
  }
})
