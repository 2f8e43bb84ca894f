import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { systemClock, waitFor } from '@slipway/kit'
import {
  makeWorkload,
  pushProgram,
  testCluster,
  testPlatform,
  type TestPlatform,
  type TestWorkload,
} from '@slipway/testkit'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { releasing } from './releasing.helper.ts'

// Real processes start and end with the back-off of a real cluster, on a machine that may have much to do.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

/* Going back when the old version cannot serve. It ends as long as a file is missing, so a test can break and mend it. */
const WAIT = { timeoutMs: 60_000 }
let cluster: Awaited<ReturnType<typeof testCluster>>
let platform: TestPlatform
let operator: string
let folder: string

beforeAll(async () => {
  cluster = await testCluster()
  platform = await testPlatform({ localKubeconfig: cluster.kubeconfigPath })
  operator = await platform.becomeOperator()
  folder = await mkdtemp(join(tmpdir(), 'slipway-return-'))
  // Instances run under uids of their own.
  await chmod(folder, 0o755)
})
afterAll(async () => {
  await platform[Symbol.asyncDispose]()
  await cluster.stop()
  await rm(folder, { recursive: true, force: true })
})

const program = (version: string, marker: string): string => `
const { existsSync } = require('node:fs')
setInterval(() => { if (!existsSync('${marker}')) process.exit(7) }, 20)
const server = require('node:http').createServer((request, response) => response.end('${version}'))
if (existsSync('${marker}')) server.listen(Number(process.env.PORT), process.env.HOST)
process.on('SIGTERM', () => server.close(() => process.exit(0)))
`

/** A release of b waits for a person, and then every Instance of a ends. */
async function breakOldVersion(name: string): Promise<{
  readonly shop: TestWorkload
  readonly release: string
  readonly mend: () => Promise<void>
}> {
  const { start, reaches, until } = releasing(platform, operator)
  const shop = await makeWorkload(platform, operator)
  const [old, fresh] = [join(folder, `${name}-a`), join(folder, `${name}-b`)]
  for (const marker of [old, fresh]) await writeFile(marker, '')
  const push = { secret: operator, repository: shop.repository }
  await pushProgram(platform, { ...push, tag: 'a', program: program('a', old) })
  await pushProgram(platform, { ...push, tag: 'b', program: program('b', fresh) })
  await reaches(await start(shop, 'a', { instances: { web: 2 } }), 'Done')
  const release = await start(shop, 'b', {
    plan: { batches: [{ instances: 1, approve: true }, { percent: 100 }] },
  })
  await reaches(release, 'WaitPerson')
  await rm(old)
  await until(release, 'the old version to end', ({ counts }) => counts.oldReady === 0)
  return { shop, release, mend: () => writeFile(old, '') }
}

test('while the old version is not ready the new one goes on serving, and says why; a person may keep it', async () => {
  const { post, reaches, read, ask } = releasing(platform, operator)
  const { shop, release } = await breakOldVersion('keep')
  await post(`/v1/releases/${release}/abortions`)
  const held = await reaches(release, 'Held')
  expect(held.reason).toMatchObject({
    code: 'return_waits',
    params: { because: 'aborted', oldReady: 0, oldWanted: 2 },
  })
  expect(String(held.reason?.params['oldTrouble'])).toContain('7')
  expect(held).toMatchObject({ weight: 100, counts: { newReady: 1 } })
  for (let index = 0; index < 20; index += 1) expect(await ask(shop)).toBe('b')

  // To try again leads to the same place, and nothing is lost on the way.
  await post(`/v1/releases/${release}/resumptions`)
  expect((await read(release)).state).toBe('RollingBack')
  await reaches(release, 'Held')
  expect(await ask(shop)).toBe('b')

  await post(`/v1/releases/${release}/promotions`)
  const answers = new Set<string>()
  await waitFor(
    systemClock,
    'the new version to serve everything',
    async () => {
      answers.add(await ask(shop))
      return (await read(release)).state === 'Done'
    },
    WAIT,
  )
  expect([...answers]).toEqual(['b'])
  expect((await read(release)).counts).toMatchObject({ newReady: 2, newWanted: 2 })
})

test('a way back that waits goes on by itself when the old version is ready again', async () => {
  const { post, reaches, ask } = releasing(platform, operator)
  const { shop, release, mend } = await breakOldVersion('mend')
  await post(`/v1/workloads/${shop.workloadId}/rollbacks`, {})
  await reaches(release, 'Held')
  const refused = await platform.call('POST', `/v1/releases/${release}/pauses`, { secret: operator })
  expect([refused.status, (refused.body['error'] as { code: string }).code]).toEqual([
    409,
    'release_going_back',
  ])
  await mend()
  const back = await reaches(release, 'RolledBack')
  expect(back.reason).toMatchObject({ code: 'rolled_back' })
  expect(back.counts).toMatchObject({ oldReady: 2, newWanted: 0 })
  expect(await ask(shop)).toBe('a')
})
