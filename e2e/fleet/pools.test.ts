/*
 * Pools on a real control plane, as the account that registration made: it may label and taint for its Pools and nothing else, a
 * rented Pool keeps strangers out and its Project in, and floats again when the rent is over.
 */
import { readFileSync } from 'node:fs'
import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { systemClock, waitFor } from '@slipway/kit'
import { kubeClient, parseKubeconfig, type Kube } from '@slipway/kube'
import { testPlatform, type TestPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { canRunRealClusters } from '../../tools/kubernetes/availability.ts'
import { startRealCluster, type RealCluster } from '../../tools/kubernetes/cluster.ts'
import { settleIn, type Developer } from '../journey/developer.ts'
import { makeHome, removeHome } from '../journey/product.ts'
import { standInForGateway } from '../journey/stand-in.ts'

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
})
