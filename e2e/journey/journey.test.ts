import { freePort } from '@slipway/testkit'
import { systemClock, waitFor } from '@slipway/kit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { settleIn, WORKLOAD, type Developer } from './developer.ts'
import { makeHome, removeHome, startProduct, type Product } from './product.ts'
import { makeRepository, type Repository } from './repository.ts'
import { sendVisitors, type Answer, type Visitors } from './visitors.ts'

const REQUESTS = 10_000
const WAIT_MS = 120_000
const WATCH_MS = 2_500
const GRAY = { name: 'x-gray', value: '1' }

let home: string
let product: Product
let repository: Repository
let developer: Developer
let visitors: Visitors | undefined

beforeAll(async () => {
  home = await makeHome()
  repository = await makeRepository(home)
  product = await startProduct(home, {
    platform: await freePort(),
    gateway: await freePort(),
    cluster: await freePort(),
  })
  developer = await settleIn(product, home)
  await developer.nameSource(repository)
})
afterAll(async () => {
  await visitors?.leave()
  await product.stop()
  await removeHome(home)
})

const nowMs = (): number => performance.now()
const versionsOf = (answers: readonly Answer[]): readonly string[] => [
  ...new Set(answers.filter(({ problem }) => problem === '').map(({ version }) => version)),
]

/** What visitors see for a while. */
async function watch(): Promise<{ readonly short: readonly Answer[]; readonly gray: readonly Answer[] }> {
  const fromMs = nowMs()
  await systemClock.sleep(WATCH_MS)
  const seen = visitors
  return {
    short: seen?.between('short', fromMs, nowMs()) ?? [],
    gray: seen?.between('gray', fromMs, nowMs()) ?? [],
  }
}

test(
  'from a commit through canaries to everybody and back, and no visitor notices',
  { timeout: 280_000 },
  async () => {
    const { cli } = developer
    const one = await developer.build(repository.commits[0])

    // The first version: one Instance, a person, the rest.
    const first = cli.run(
      'release',
      'start',
      WORKLOAD,
      '--image',
      one,
      '--steps',
      '1,person,rest',
      '--instances',
      'web=4',
    )
    await developer.reaches('WaitPerson', 0)
    const address = await developer.address()
    visitors = sendVisitors(address, GRAY)
    await cli.succeed(['gate', 'approve', WORKLOAD])
    expect(await first).toMatchObject({ exit: 0 })

    // The second one, by header, then for a quarter, then for everybody.
    const two = await developer.build(repository.commits[1])
    const untouchedFromMs = nowMs()
    const second = cli.run(
      'release',
      'start',
      WORKLOAD,
      '--image',
      two,
      '--steps',
      '1,header x-gray: 1,person,25%,person,rest',
    )
    await developer.reaches('WaitPerson', 0)
    const byHeader = await watch()
    expect(versionsOf(byHeader.gray)).toEqual(['two'])
    const approvedMs = nowMs()
    expect(versionsOf(visitors.between('short', untouchedFromMs, approvedMs))).toEqual(['one'])
    await cli.succeed(['gate', 'approve', WORKLOAD])
    await developer.reaches('WaitPerson', 1)
    const byWeight = await watch()
    const share = byWeight.short.filter(({ version }) => version === 'two').length / byWeight.short.length
    expect(share).toBeGreaterThan(0.2)
    expect(share).toBeLessThan(0.3)
    await cli.succeed(['gate', 'approve', WORKLOAD])
    expect(await second).toMatchObject({ exit: 0 })
    expect(versionsOf((await watch()).short)).toEqual(['two'])

    // Back, without a build.
    const backMs = nowMs()
    const back = await cli.succeed(['release', 'rollback', WORKLOAD])
    const endedMs = nowMs()
    expect(versionsOf((await watch()).short)).toEqual(['one'])
    const last = visitors
      .between('short', backMs, nowMs())
      .filter(({ version }) => version === 'two')
      .at(-1)
    const tookMs = (last?.startedMs ?? backMs) - backMs
    expect(back.err).toContain('100 %')
    expect((await developer.releases())[0]).toMatchObject({
      state: 'Done',
      fromId: expect.stringMatching(/^rel_/u) as string,
    })
    expect(await developer.builds()).toHaveLength(2)

    await waitFor(
      systemClock,
      'all visitors to have come',
      () => (visitors?.answers.length ?? 0) >= REQUESTS,
      {
        timeoutMs: WAIT_MS,
      },
    )
    await visitors.leave()
    const failed = visitors.answers.filter(({ problem }) => problem !== '')
    expect(failed.slice(0, 10)).toEqual([])
    expect(visitors.answers.filter(({ kind }) => kind === 'stream').length).toBeGreaterThan(0)
    process.stderr.write(
      `${visitors.answers.length} requests, ${failed.length} failed; a share of ${share.toFixed(3)} at 25 %; the last answer of the new version began ${Math.round(tookMs)} ms after the rollback was asked for, which the CLI saw ended after ${Math.round(endedMs - backMs)} ms\n`,
    )
  },
)
