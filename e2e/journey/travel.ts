/* The journey of a developer and the visitors of the application, the same on every Cluster. */
import { systemClock, waitFor } from '@slipway/kit'
import { expect } from 'vitest'

import type { Developer } from './developer.ts'
import type { Repository } from './repository.ts'
import { sendVisitors, type Answer, type Entrance, type Visitors } from './visitors.ts'

const REQUESTS = 10_000
const WAIT_MS = 120_000
const WATCH_MS = 2_500
const GRAY = { name: 'x-gray', value: '1' }

export type Journey = {
  readonly developer: Developer
  readonly repository: Repository
  /** Where visitors come in; asked once the Workload has a route. */
  readonly entrance: () => Promise<Entrance>
  /** How many have to come at least. */
  readonly requests?: number
  /** How long a gateway may take from confirming a route to following it, in ms; ours takes none. */
  readonly lagMs?: number
}

/**
 * Releases one commit, then the next by header, for a quarter and for everybody, and goes back without a build, while visitors
 * come all the time; none of them may notice.
 * @returns the figures, in words
 */
export async function travel(journey: Journey): Promise<string> {
  const { cli, workload } = journey.developer
  const buildsBefore = (await journey.developer.builds()).length
  const one = await journey.developer.build(journey.repository.commits[0])
  // The first version: one Instance, a person, the rest.
  const steps = ['--steps', '1,person,rest', '--instances', 'web=4']
  const first = cli.run('release', 'start', workload, '--image', one, ...steps)
  await journey.developer.reaches('WaitPerson', 0)
  const visitors = sendVisitors(await journey.entrance(), GRAY)
  try {
    await cli.succeed(['gate', 'approve', workload])
    expect(await first).toMatchObject({ exit: 0 })
    const share = await goForward(journey, visitors)
    const back = await goBack(journey, visitors)
    expect(await journey.developer.builds()).toHaveLength(buildsBefore + 2)
    await waitFor(
      systemClock,
      'all visitors to have come',
      () => visitors.answers.length >= (journey.requests ?? REQUESTS),
      {
        timeoutMs: WAIT_MS,
      },
    )
    await visitors.leave()
    const failed = visitors.answers.filter(({ problem }) => problem !== '')
    expect(failed.slice(0, 10)).toEqual([])
    expect(visitors.answers.filter(({ kind }) => kind === 'stream').length).toBeGreaterThan(0)
    return `${visitors.answers.length} requests, ${failed.length} failed; a share of ${share.toFixed(3)} at 25 %; ${back}`
  } finally {
    await visitors.leave()
  }
}

/** The second version, by header, then for a quarter, then for everybody. @returns the share that was attained at 25 % */
async function goForward(journey: Journey, visitors: Visitors): Promise<number> {
  const { developer, repository } = journey
  const { cli, workload } = developer
  const two = await developer.build(repository.commits[1])
  const untouchedFromMs = nowMs()
  const steps = ['--steps', '1,header x-gray: 1,person,25%,person,rest']
  const second = cli.run('release', 'start', workload, '--image', two, ...steps)
  await developer.reaches('WaitPerson', 0)
  const byHeader = await watch(journey, visitors)
  expect(versionsOf(byHeader.gray)).toEqual(['two'])
  const approvedMs = nowMs()
  expect(versionsOf(visitors.between('short', untouchedFromMs, approvedMs))).toEqual(['one'])
  await cli.succeed(['gate', 'approve', workload])
  await developer.reaches('WaitPerson', 1)
  const byWeight = await watch(journey, visitors)
  const share = byWeight.short.filter(({ version }) => version === 'two').length / byWeight.short.length
  expect(share).toBeGreaterThan(0.2)
  expect(share).toBeLessThan(0.3)
  await cli.succeed(['gate', 'approve', workload])
  expect(await second).toMatchObject({ exit: 0 })
  expect(versionsOf((await watch(journey, visitors)).short)).toEqual(['two'])
  return share
}

/** Back, without a build. @returns how fast, in words */
async function goBack(journey: Journey, visitors: Visitors): Promise<string> {
  const { developer } = journey
  const backMs = nowMs()
  const back = await developer.cli.succeed(['release', 'rollback', developer.workload])
  const endedMs = nowMs()
  expect(versionsOf((await watch(journey, visitors)).short)).toEqual(['one'])
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
  return `the last answer of the new version began ${Math.round(tookMs)} ms after the rollback was asked for, which the CLI saw ended after ${Math.round(endedMs - backMs)} ms`
}

const nowMs = (): number => performance.now()
const versionsOf = (answers: readonly Answer[]): readonly string[] => [
  ...new Set(answers.filter(({ problem }) => problem === '').map(({ version }) => version)),
]

/** What visitors see for a while. */
async function watch(
  { lagMs = 0 }: Journey,
  visitors: Visitors,
): Promise<{ readonly short: readonly Answer[]; readonly gray: readonly Answer[] }> {
  await systemClock.sleep(lagMs)
  const fromMs = nowMs()
  await systemClock.sleep(WATCH_MS)
  return {
    short: visitors.between('short', fromMs, nowMs()),
    gray: visitors.between('gray', fromMs, nowMs()),
  }
}
