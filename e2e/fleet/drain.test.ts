/*
 * Draining a node of a real control plane as the account that registration made: a disruption budget is kept and said, what is
 * not ours stays, and a lost node is told with what moved where.
 */
import { readFileSync } from 'node:fs'
import { rm, copyFile } from 'node:fs/promises'
import { join } from 'node:path'

import { systemClock, waitFor } from '@slipway/kit'
import { kubeClient, parseKubeconfig, type Kube } from '@slipway/kube'
import { pushProgram, testPlatform, type TestPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { canRunRealClusters } from '../../tools/kubernetes/availability.ts'
import { startRealCluster, type RealCluster } from '../../tools/kubernetes/cluster.ts'
import { settleIn, WORKLOAD, type Developer } from '../journey/developer.ts'
import { makeHome, removeHome } from '../journey/product.ts'
import { standInForGateway } from '../journey/stand-in.ts'

const WAIT = { timeoutMs: 120_000, everyMs: 300 }
const available = await canRunRealClusters((line) => console.log(`fleet: ${line}`))
type Move = {
  readonly instance: string
  readonly state: string
  readonly toNode: string
  readonly why: unknown
}
type Evacuation = { readonly id: string; readonly state: string; readonly problem: unknown }

describe.runIf(available)('nodes of a real control plane', { timeout: 240_000 }, () => {
  let real: RealCluster
  let admin: Kube & Disposable
  let platform: TestPlatform
  let developer: Developer
  const cleanup = new AsyncDisposableStack()
  const until = <T>(what: string, condition: () => Promise<T | undefined | false>): Promise<T> =>
    waitFor(systemClock, what, condition, WAIT)
  // A list comes as an array; `json` cannot know.
  const rows = async <T>(...line: readonly string[]): Promise<readonly T[]> =>
    (await developer.cli.json(...line)) as unknown as readonly T[]
  const newest = async (): Promise<Evacuation> => {
    const [first] = await rows<Evacuation>('node', 'evacuations')
    if (first === undefined) throw new Error('there is no evacuation')
    return first
  }
  const movesOf = (id: string): Promise<readonly Move[]> => rows('node', 'evacuation', id)
  const nodesOf = async (): Promise<readonly string[]> =>
    (await rows<{ readonly node: string; readonly ready: boolean }>('instance', 'list', WORKLOAD))
      .filter(({ ready }) => ready)
      .map(({ node }) => node)

  beforeAll(async () => {
    real = cleanup.use(await startRealCluster({ kwokNodes: 2 }))
    const { access } = parseKubeconfig(readFileSync(real.kubeconfigPath, 'utf8'))
    admin = cleanup.use(kubeClient({ access, clock: systemClock, userAgent: 'slipway-drain-test' }))
    const home = await makeHome()
    cleanup.defer(() => removeHome(home))
    platform = cleanup.use(await testPlatform())
    cleanup.use(await standInForGateway(admin))
    const adminFile = join(home, 'admin.yaml')
    await copyFile(real.kubeconfigPath, adminFile)
    developer = await settleIn(platform, home, async (cli) => {
      await cli.succeed(['cluster', 'register', 'real', '--kubeconfig', adminFile, '--default'])
      await rm(adminFile)
    })
    const secret = String((await developer.cli.json('token', 'create', 'ci'))['secret'])
    const push = { secret, repository: 'shop/web', tag: 'one', program: '' }
    const image = await pushProgram(platform, push)
    const how = ['--image', image, '--instances', 'web=2', '--steps', 'rest', '--detach']
    await developer.cli.succeed(['release', 'start', WORKLOAD, ...how])
    await developer.reaches('Done')
  }, 240_000)
  afterAll(() => cleanup.disposeAsync(), 120_000)

  test('a budget holds a drain and is told; without it the drain ends, and what is not ours is where it was', async () => {
    const { namespace, id } = await developer.cli.json('workload', 'show', WORKLOAD)
    const budget = { name: 'all', namespace: String(namespace) }
    await admin.create('poddisruptionbudgets', {
      metadata: budget,
      spec: { minAvailable: 2, selector: { matchLabels: { 'slipway/workload': String(id) } } },
    })
    await until('the budget to be counted', async () => {
      const { status } = await admin.get('poddisruptionbudgets', budget)
      return status?.currentHealthy === 2
    })
    const [node = ''] = await nodesOf()
    await admin.create('pods', {
      metadata: { name: 'theirs', namespace: 'default' },
      spec: { nodeName: node, containers: [{ name: 'main', image: 'scratch:1' }] },
    })
    const preview = await developer.cli.succeed(['node', 'drain', 'real', node, '--dry-run'])
    expect(preview.out).toContain('disruption budget')
    await developer.cli.succeed(['node', 'drain', 'real', node, '--yes', '--detach'])
    const drain = await newest()
    const held = await until('the budget to hold it', async () =>
      (await movesOf(drain.id)).find(({ why }) => why !== null),
    )
    expect(held).toMatchObject({ state: 'Waiting', why: { code: 'evacuation_budget' } })
    await admin.remove('poddisruptionbudgets', budget)
    await until('the drain to end', async () => (await newest()).state === 'Done')
    const moves = await movesOf(drain.id)
    expect(moves.length).toBeGreaterThan(0)
    expect(moves.every(({ state, toNode }) => state === 'Moved' && toNode !== node)).toBe(true)
    expect(await nodesOf()).not.toContain(node)
    expect(
      (await admin.get('pods', { namespace: 'default', name: 'theirs' })).metadata.deletionTimestamp,
    ).toBe(undefined)
    const [shown] = await rows<{ readonly owner: { readonly kind: string } }>('node', 'tenants', 'real', node)
    expect(shown?.owner.kind).toBe('other')
    await developer.cli.succeed(['node', 'uncordon', 'real', node])
  })

  test('an account that was registered without the right is told what to do', async () => {
    const { rules = [] } = await admin.get('clusterroles', { name: 'slipway-platform' })
    const without = rules.map((rule) =>
      rule.resources?.includes('nodes') === true && rule.verbs.includes('patch')
        ? { ...rule, verbs: ['list'] }
        : rule,
    )
    const set = (body: Readonly<Record<string, unknown>>): Promise<unknown> =>
      admin.patch('clusterroles', { name: 'slipway-platform' }, { type: 'merge', body })
    await set({ rules: without })
    const [node = ''] = await nodesOf()
    const refused = await until('the right to be gone', async () => {
      const ran = await developer.cli.run('node', 'cordon', 'real', node, '--dry-run')
      return ran.exit === 0 ? undefined : ran
    })
    expect(refused.err).toContain('renew-credentials')
    await set({ rules })
    await until('the right to be back', async () => {
      const ran = await developer.cli.run('node', 'cordon', 'real', node, '--dry-run')
      return ran.exit === 0
    })
  })
})
