/*
 * The journey of the main job with real containers: a platform that knows the cluster by its kubeconfig, builds as a Job, a
 * registry over TLS that containerd pulls from, traffic through a Gateway that is not ours.
 */
import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { systemClock, waitFor } from '@slipway/kit'
import { buildImage, clientSink, clientSource, importArchive, registryClient } from '@slipway/oci'
import { freePort, testPlatform, type TestPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { canRunNodes } from '../../tools/kubernetes/availability.ts'
import { makeAuthority, type TestAuthority } from '../../tools/kubernetes/certificates.ts'
import { type RealClusterWithNodes, startNodeCluster } from '../../tools/kubernetes/cluster.ts'
import type { Cli } from '../journey/cli.ts'
import { settleIn, WORKLOAD, type Developer } from '../journey/developer.ts'
import { makeHome, removeHome } from '../journey/product.ts'
import { makeRepository, type Repository } from '../journey/repository.ts'
import { travel } from '../journey/travel.ts'
import { sendVisitors, type Entrance } from '../journey/visitors.ts'
import { ensureBaseArchive } from './base-image.ts'
import { forwardSecurely } from './secure-server.ts'
import { tarOf } from './tar.ts'

const available = await canRunNodes((line) => console.log(`real: ${line}`))

describe.runIf(available)('on a cluster with two nodes', () => {
  const cleanup = new AsyncDisposableStack()
  let cluster: RealClusterWithNodes
  let developer: Developer
  let repository: Repository

  beforeAll(async () => {
    const home = await makeHome()
    cleanup.defer(() => removeHome(home))
    repository = await makeRepository(home)
    cluster = cleanup.use(await startNodeCluster({ nodes: 2 }))
    const authority = makeAuthority('slipway-e2e-platform')
    const port = await freePort()
    const front = cleanup.use(await forwardSecurely(authority, cluster.hostAddress, port))
    cluster.trustRegistry(front.host, authority.certificate)
    const platform: TestPlatform = cleanup.use(
      await testPlatform({ port, publicUrl: front.url, localSourceRoots: home }),
    )
    const url = `http://127.0.0.1:${port}`
    developer = await settleIn({ url, firstRunToken: platform.firstRunToken }, home, async (cli) => {
      await cli.succeed(['cluster', 'register', 'real', '--kubeconfig', cluster.kubeconfigPath, '--default'])
      await pushBases(cli, { inside: url, outside: front.url }, authority)
    })
    await developer.nameSource(repository)
  })
  afterAll(() => cleanup.disposeAsync())

  async function entrance(): Promise<Entrance> {
    const workload = await developer.cli.json('workload', 'show', WORKLOAD)
    // Nobody resolves the name; the Gateway's address stands in for that.
    const [address = ''] = workload['urls'] as readonly string[]
    return { url: cluster.gatewayUrl, host: new URL(address).host }
  }

  test('from a commit through canaries to everybody and back, and no visitor notices', async () => {
    console.log(`real: ${await travel({ developer, repository, entrance })}`)
  })

  test('logs, commands, terminals and counts are those of containers', async () => {
    const { cli } = developer
    expect((await cli.succeed(['logs', WORKLOAD, '--tail', '50'])).out).toMatch(
      /^web-web-\S+ .* GET \/version 200$/mu,
    )
    // The application is not process 1, so that signals do to it what they do anywhere.
    const script = 'test "$(id -u)" != 0 && test "$(cat /proc/1/comm)" = pause && hostname && exit 3'
    expect(await cli.run('instance', 'exec', WORKLOAD, '--', 'sh', '-c', script)).toMatchObject({
      exit: 3,
      out: expect.stringMatching(/^web-web-[0-9a-f]{8}-[0-9a-z-]+\n$/u) as string,
    })
    expect(await cli.run('instance', 'exec', '-t', WORKLOAD, '--', 'sh', '-c', 'tty')).toMatchObject({
      exit: 0,
      out: expect.stringContaining('/dev/pts/') as string,
    })
    await cli.succeed(['workload', 'scale', WORKLOAD, '6'])
    await until('six Instances to be ready on two nodes', async () => {
      const serving = await readyInstances()
      return serving.length === 6 && new Set(serving.map(({ node }) => node)).size === 2
    })
    await cli.succeed(['workload', 'scale', WORKLOAD, '4'])
    await until('four Instances to be left', async () => (await readyInstances()).length === 4)
  })

  test('an API server that falls silent in mid release makes the Cluster unknown, and nobody decides anything wrong', async () => {
    const { cli } = developer
    const [newest] = (await developer.builds()) as readonly { readonly id: string }[]
    const plan = ['--steps', '1,person,rest', '--detach']
    await cli.succeed(['release', 'start', WORKLOAD, '--image', newest?.id ?? '', ...plan])
    const { id } = await developer.reaches('WaitPerson', 0)
    const visitors = sendVisitors(await entrance(), { name: 'x-nobody', value: 'asks' })
    try {
      cluster.freezeApi()
      const frozenMs = performance.now()
      await cli.succeed(['gate', 'approve', WORKLOAD])
      await until('the Cluster to be unknown', async () => (await health()) === 'unknown')
      const tookS = (performance.now() - frozenMs) / 1_000
      console.log(`real: unknown ${tookS.toFixed(1)} s after the API server fell silent`)
      await systemClock.sleep(SILENCE_MS)
      expect((await developer.releases())[0]).toMatchObject({ id, endedAt: null })
      cluster.thawApi()
      await developer.reaches('Done')
      expect(await health()).toBe('ready')
    } finally {
      cluster.thawApi()
      await visitors.leave()
    }
    expect(visitors.answers.filter(({ problem }) => problem !== '').slice(0, 10)).toEqual([])
    const states = (await developer.events(id)).filter(({ kind }) => kind === 'state').map(({ code }) => code)
    expect(states.filter((code, index) => code === states[index + 1])).toEqual([])
    expect(states.filter((code) => code === 'Done')).toEqual(['Done'])
  })

  async function health(): Promise<string> {
    return ((await developer.cli.json('cluster', 'show', 'real'))['health'] as { readonly state: string })
      .state
  }

  test('Instances of a node that dies serve elsewhere within two minutes', async () => {
    await cluster.killNode('node-2')
    const startedMs = performance.now()
    await until('four Instances to be ready on the other node', async () => {
      const serving = await readyInstances()
      return serving.length === 4 && serving.every(({ node }) => node === 'node-1')
    })
    const tookS = (performance.now() - startedMs) / 1_000
    console.log(`real: a node died; four Instances ready elsewhere after ${tookS.toFixed(1)} s`)
    expect((await developer.releases()).map(({ state }) => state)).toEqual(['Done', 'Done', 'Done', 'Done'])
  })

  /** Of the version that visitors see. */
  async function readyInstances(): Promise<readonly Instance[]> {
    const list = (await developer.cli.json('instance', 'list', WORKLOAD)) as unknown as readonly Instance[]
    const newest = Math.max(...list.map(({ releaseNumber }) => releaseNumber ?? 0))
    return list.filter(({ ready, releaseNumber }) => ready && releaseNumber === newest)
  }
})

type Instance = { readonly ready: boolean; readonly node: string; readonly releaseNumber: number | null }

const WAIT_MS = 120_000
/** Longer than any pass of the engine, shorter than what makes a node look lost. */
const SILENCE_MS = 8_000

function until(what: string, isThere: () => Promise<boolean>): Promise<unknown> {
  return waitFor(systemClock, what, async () => (await isThere()) || undefined, {
    timeoutMs: WAIT_MS,
    everyMs: 500,
  })
}

/** The bases of applications and of builds; builds send to the platform and must trust its authority. */
async function pushBases(
  cli: Cli,
  urls: { readonly inside: string; readonly outside: string },
  authority: TestAuthority,
): Promise<void> {
  const secret = String((await cli.json('token', 'create', 'bases'))['secret'])
  const credentials = { username: 'operator', password: secret }
  const client = registryClient({
    baseUrl: urls.inside,
    credentials,
    clock: systemClock,
    // The registry names itself as the nodes know it, by a certificate that this process does not trust.
    fetch: (input, init) =>
      fetch(
        typeof input === 'object' && 'url' in input
          ? input
          : String(input).replace(urls.outside, urls.inside),
        init,
      ),
  })
  await importArchive({
    archive: createReadStream(await ensureBaseArchive()),
    sink: clientSink(client, 'base/node'),
    tagsFor: () => ['latest'],
  })
  const spoolFolder = await mkdtemp(join(tmpdir(), 'slipway-bases-'))
  try {
    const source = clientSource(client, 'base/node')
    await buildImage({
      archive: tarOf({ 'authority.crt': authority.certificate }),
      layout: 'node',
      base: { kind: 'image', name: 'base/node:latest', reference: 'latest', source, isSameRegistry: true },
      settings: { command: ['node'], environment: { NODE_EXTRA_CA_CERTS: '/app/authority.crt' } },
      sink: clientSink(client, 'base/build'),
      tags: ['latest'],
      spoolFolder,
      clock: systemClock,
    })
  } finally {
    await rm(spoolFolder, { recursive: true, force: true })
  }
}
