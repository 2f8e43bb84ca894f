/*
 * Pools on a real control plane, as the account that registration made: it may label and taint for its Pools and nothing else, a
 * rented Pool keeps strangers out and its Project in, and floats again when the rent is over.
 */
import { readFileSync } from 'node:fs'
import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { systemClock, waitFor } from '@slipway/kit'
import { kubeClient, parseKubeconfig, type Kube } from '@slipway/kube'
import { pushProgram, testPlatform, type TestPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { canRunRealClusters } from '../../tools/kubernetes/availability.ts'
import { startRealCluster, type RealCluster } from '../../tools/kubernetes/cluster.ts'
import { developerOf, settleIn, type Developer } from '../journey/developer.ts'
import { makeHome, removeHome } from '../journey/product.ts'
import { standInForGateway } from '../journey/stand-in.ts'

const PROGRAM = `require('node:http').createServer((_, r) => r.end('ok')).listen(process.env.PORT, process.env.HOST)`
const KEY = 'slipway/pool'
const available = await canRunRealClusters((line) => console.log(`fleet: ${line}`))

describe.runIf(available)('pools of a real control plane', { timeout: 240_000 }, () => {
  let real: RealCluster
  let admin: Kube & Disposable
  let platform: TestPlatform
  let developer: Developer
  let names: readonly string[]
  const cleanup = new AsyncDisposableStack()
  const until = <T>(what: string, condition: () => Promise<T | undefined | false>): Promise<T> =>
    waitFor(systemClock, what, condition, { timeoutMs: 120_000, everyMs: 300 })
  const taintsOf = async (name: string): Promise<readonly string[]> => {
    const node = (await admin.list('nodes')).items.find(({ metadata }) => metadata.name === name)
    return (node?.spec?.taints ?? []).map(({ key, value, effect }) => `${key}=${value ?? ''}:${effect}`)
  }

  beforeAll(async () => {
    real = cleanup.use(await startRealCluster({ kwokNodes: 3 }))
    const { access } = parseKubeconfig(readFileSync(real.kubeconfigPath, 'utf8'))
    admin = cleanup.use(kubeClient({ access, clock: systemClock, userAgent: 'slipway-pools-test' }))
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
    names = (await admin.list('nodes')).items.map(({ metadata }) => metadata.name)
  }, 240_000)
  afterAll(() => cleanup.disposeAsync(), 120_000)

  test('label and taint come onto the nodes of a Pool beside those of others, and go again', async () => {
    const [node = ''] = names
    const theirs = { key: 'dedicated', value: 'db', effect: 'PreferNoSchedule' }
    await admin.patch('nodes', { name: node }, { type: 'merge', body: { spec: { taints: [theirs] } } })
    await developer.cli.succeed(['pool', 'create', 'real', 'quiet', '--node', node, '--exclusive'])
    const both = ['dedicated=db:PreferNoSchedule', `${KEY}=quiet:NoSchedule`]
    await until('the taint', async () => (await taintsOf(node)).join() === both.join())
    const labels = await developer.cli.succeed(['pool', 'labels', 'real'])
    expect(labels.out).toContain('slipway/cpu-cores')
    await developer.cli.succeed(['pool', 'delete', 'quiet', '--yes'])
    await until('the taint to be gone', async () => (await taintsOf(node)).join() === both[0])
    const left = (await admin.list('nodes')).items.find(({ metadata }) => metadata.name === node)
    expect([left?.metadata.labels?.[KEY], left?.metadata.annotations?.[KEY]]).toEqual([undefined, undefined])
  })

  test('a rented Pool takes in what its Project releases, keeps others out, and floats again', async () => {
    const { cli } = developer
    const [, node = ''] = names
    const other = await strangerOf(developer)
    const push = await pusher(platform, developer)
    const image = { shop: await push('shop/web'), other: await push('other/web') }
    const release = async (one: Developer, tag: string, count: number): Promise<void> => {
      await cli.succeed([
        'release',
        'start',
        one.workload,
        '--image',
        tag,
        '--instances',
        `web=${count}`,
        '--detach',
      ])
      await one.reaches('Done')
    }
    await cli.succeed(['pool', 'create', 'real', 'team', '--node', node])
    await cli.succeed(['pool', 'rent', 'team', '--project', 'shop', '--until', '30d', '--default', '--yes'])
    await until('the taint', async () => (await taintsOf(node)).includes(`${KEY}=team:NoSchedule`))

    await release(developer, image.shop, 3)
    await release(other, image.other, 3)
    expect(new Set(await nodesOf(developer))).toEqual(new Set([node]))
    expect(await nodesOf(other)).not.toContain(node)
    expect(await poolOf(developer)).toBe('team')
    const taken = await cli.run('workload', 'pool', other.workload, 'team')
    expect([taken.exit, taken.err]).toEqual([expect.any(Number), expect.stringContaining('team')])
    expect(taken.exit).not.toBe(0)

    await cli.succeed(['pool', 'release-rent', 'team', '--yes'])
    await until('the taint to be gone', async () => !(await taintsOf(node)).join().includes(KEY))
    const used = await cli.run('pool', 'delete', 'team', '--yes')
    expect([used.exit === 0, used.err]).toEqual([false, expect.stringContaining(developer.workload)])
    // Nothing names it any more, so the next Release runs anywhere, and nothing holds the Pool.
    await release(developer, image.shop, 3)
    expect(await poolOf(developer)).toBeUndefined()
    await cli.succeed(['pool', 'delete', 'team', '--yes'])
    await until(
      'the Pool to be gone',
      async () => !(await cli.succeed(['pool', 'list'])).out.includes('team'),
    )
    // The way back ends where the Pool was, though it is no more.
    await cli.succeed(['release', 'rollback', developer.workload])
    expect((await developer.reaches('Done')).fromId).toMatch(/^rel_/u)
    expect(await poolOf(developer)).toBeUndefined()
  })

  const instancesOf = async ({ cli, workload }: Developer) =>
    (await cli.json('instance', 'list', workload)) as unknown as readonly {
      readonly node: string | null
      readonly ready: boolean
    }[]
  const nodesOf = async (one: Developer): Promise<readonly (string | null)[]> =>
    (await instancesOf(one)).filter(({ ready }) => ready).map((instance) => instance.node)
  const poolOf = async ({ cli, releases }: Developer): Promise<unknown> => {
    const shown = await cli.json('release', 'show', (await releases())[0]?.id ?? '')
    return (shown['template'] as { readonly pool?: string }).pool
  }
})

/** Somebody else's Project on the same Cluster. */
async function strangerOf({ cli }: Developer): Promise<Developer> {
  await cli.succeed(['project', 'create', 'other', '--organization', 'acme'])
  await cli.succeed(['environment', 'create', 'other/production'])
  await cli.succeed(['application', 'create', 'other/web'])
  await cli.succeed(['workload', 'create', 'other/web/production'])
  return developerOf(cli, 'other/web/production')
}

async function pusher(
  target: TestPlatform,
  { cli }: Developer,
): Promise<(repository: string) => Promise<string>> {
  const secret = String((await cli.json('token', 'create', 'ci'))['secret'])
  return (repository) => pushProgram(target, { secret, repository, tag: 'one', program: PROGRAM })
}
