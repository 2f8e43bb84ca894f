/*
 * Containers on nodes of our own: pulled by containerd from our registry over TLS, run by runc, found by name, reached through
 * a Gateway; what a lost node does; and that nothing of all this stays on the machine.
 */
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { dirname } from 'node:path'
import { text } from 'node:stream/consumers'

import { systemClock, waitFor } from '@slipway/kit'
import { type Kube, kubeClient, type Live, parseKubeconfig } from '@slipway/kube'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { canRunNodes } from '../../tools/kubernetes/availability.ts'
import { type RealClusterWithNodes, startNodeCluster } from '../../tools/kubernetes/cluster.ts'
import { ensureRuntimePrograms } from '../../tools/kubernetes/debian-programs.ts'
import { leftovers, machineState, type Marks, marksOf } from './leftovers.ts'
import { openNamespace, openShop, podSpec, runVersion, type Shop } from './shop.ts'

const WAIT_MS = 120_000
const NAMESPACE = 'shop'
const HOST = 'shop.example.com'
const available = await canRunNodes((line) => console.log(`real: ${line}`))
const environment = available ? (await ensureRuntimePrograms()).environment : {}

function lookAtMachine(): Pick<Marks, 'before' | 'now'> {
  const now = (): readonly string[] => machineState(environment)
  return { before: available ? now() : [], now }
}

describe.runIf(available)('a cluster with two nodes', () => {
  const machine = lookAtMachine()
  let cluster: RealClusterWithNodes
  let shop: Shop
  let kube: Kube & Disposable

  beforeAll(async () => {
    const startedMs = performance.now()
    cluster = await startNodeCluster({ nodes: 2 })
    console.log(`real: two nodes up in ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`)
    shop = await openShop(cluster)
    const { access } = parseKubeconfig(readFileSync(cluster.kubeconfigPath, 'utf8'))
    kube = kubeClient({ access, clock: systemClock, userAgent: 'slipway-e2e' })
    await openNamespace(kube, NAMESPACE, shop.registryHost)
    for (const name of ['one', 'two'])
      await runVersion(kube, { namespace: NAMESPACE, name, replicas: 2 }, shop.image)
    await until('all pods to be ready', async () => (await readyPods(kube)).length === 4)
  })
  afterAll(async () => {
    kube?.[Symbol.dispose]()
    await shop?.[Symbol.asyncDispose]()
    await cluster?.stop()
  })

  async function run(command: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
    const [pod] = await readyPods(kube, 'one')
    const target = { namespace: NAMESPACE, name: pod?.metadata.name ?? '' }
    await using session = await kube.exec(target, { command })
    const out = await text(session.stdout)
    return { code: await session.exitCode, out }
  }

  test('pods run restricted, on both nodes, under a user of their own', async () => {
    const pods = await readyPods(kube, 'one')
    expect(new Set(pods.map(({ spec }) => spec?.nodeName))).toEqual(new Set(['node-1', 'node-2']))
    const { out } = await run([
      'sh',
      '-c',
      'id -u; grep -E "^(NoNewPrivs|Seccomp|CapEff):" /proc/self/status',
    ])
    expect(out.replaceAll(/\s+/gu, ' ').trim()).toBe(
      '10001 CapEff: 0000000000000000 NoNewPrivs: 1 Seccomp: 2',
    )
    await expect(
      kube.create('pods', {
        metadata: { namespace: NAMESPACE, name: 'privileged' },
        spec: { containers: [{ name: 'main', image: shop.image, securityContext: { privileged: true } }] },
      }),
    ).rejects.toThrow(/violates PodSecurity/u)
  })

  test('the registry is asked with the pull secret, and refuses who has none', async () => {
    const name = 'without-secret'
    // An image that a node has already is not asked for.
    const spec = podSpec(shop.image, 'none', { imagePullSecrets: [] })
    const containers = spec.containers.map((one) => ({ ...one, imagePullPolicy: 'Always' }))
    await kube.create('pods', { metadata: { namespace: NAMESPACE, name }, spec: { ...spec, containers } })
    await until('the pull to be refused', async () => {
      const { status } = await kube.get('pods', { namespace: NAMESPACE, name })
      return status?.containerStatuses?.[0]?.state?.waiting?.reason === 'ImagePullBackOff'
    })
    await kube.remove('pods', { namespace: NAMESPACE, name }, { gracePeriodSeconds: 0 })
  })

  test('what a container writes is its log', async () => {
    const [pod] = await readyPods(kube, 'two')
    const log = await text(await kube.logs({ namespace: NAMESPACE, name: pod?.metadata.name ?? '' }))
    expect(log).toContain('starting version two\n')
  })

  test('a command runs with its exit code, a terminal has the size it is given', async () => {
    expect(await run(['sh', '-c', 'echo here; exit 3'])).toEqual({ code: 3, out: 'here\n' })
    const [pod] = await readyPods(kube, 'one')
    await using session = await kube.exec(
      { namespace: NAMESPACE, name: pod?.metadata.name ?? '' },
      { command: ['sh'], stdin: true, terminal: true },
    )
    session.resize({ columns: 101, rows: 37 })
    session.stdin.write('until [ "$(stty size)" = "37 101" ]; do sleep 0.1; done; tty; exit 4\n')
    expect(await text(session.stdout)).toContain('/dev/pts/0')
    expect(await session.exitCode).toBe(4)
  })

  test('a Service is found by its name from both nodes and divides requests between its pods', async () => {
    // Each request on a connection of its own, for connections are what is divided.
    const program = `
      const { get } = require('node:http')
      const { text } = require('node:stream/consumers')
      const all = new Set()
      const ask = () => new Promise((resolve, reject) =>
        get('http://two.${NAMESPACE}.svc.cluster.local', { agent: false }, (reply) => resolve(text(reply))).on('error', reject))
      const go = async () => {
        while (all.size < 2) all.add(JSON.parse(await ask()).pod)
        console.log([...all].sort().join())
      }
      go()`
    const names = (await readyPods(kube, 'two')).map(({ metadata }) => metadata.name).sort()
    for (const pod of await readyPods(kube, 'one')) {
      const target = { namespace: NAMESPACE, name: pod.metadata.name }
      await using session = await kube.exec(target, { command: ['node', '-e', program], timeoutMs: WAIT_MS })
      expect((await text(session.stdout)).trim()).toBe(names.join())
    }
  })

  test('an HTTPRoute divides requests by weight', async () => {
    await kube.create('httproutes', {
      metadata: { namespace: NAMESPACE, name: 'web' },
      spec: {
        parentRefs: [{ namespace: 'gateway', name: 'shared' }],
        hostnames: [HOST],
        rules: [
          {
            backendRefs: [
              { name: 'one', port: 80, weight: 75 },
              { name: 'two', port: 80, weight: 25 },
            ],
          },
        ],
      },
    })
    await until('the route to be served', async () => (await visit(cluster.gatewayUrl)) !== undefined)
    const counts = { one: 0, two: 0 }
    for (let index = 0; index < 200; index += 1) counts[(await visit(cluster.gatewayUrl)) ?? 'one'] += 1
    expect(counts).toEqual({ one: 150, two: 50 })
  })

  test('what ran on a node that dies runs elsewhere within two minutes', async () => {
    const survivors = (await readyPods(kube)).filter(({ spec }) => spec?.nodeName === 'node-1')
    const startedMs = performance.now()
    await cluster.killNode('node-2')
    await until('all pods to be ready on the other node', async () => {
      const pods = await readyPods(kube)
      return pods.filter(({ spec }) => spec?.nodeName === 'node-1').length === 4
    })
    console.log(
      `real: a node died; all pods ready elsewhere after ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`,
    )
    const names = (await readyPods(kube)).map(({ metadata }) => metadata.name)
    expect(names).toEqual(expect.arrayContaining(survivors.map(({ metadata }) => metadata.name)))
    expect(await visit(cluster.gatewayUrl)).toBeDefined()
  })

  test('nothing stays on the machine', async () => {
    const marks = marksOf(cluster, machine)
    expect(leftovers(marks)).not.toEqual([])
    await cluster.stop()
    // The kernel takes devices and namespaces apart a moment after their last process.
    await until('the kernel to have cleaned up', async () => leftovers(marks).length === 0).catch(
      () => undefined,
    )
    expect(leftovers(marks)).toEqual([])
  })
})

describe.runIf(available)('a cluster whose supervisor is killed', () => {
  test('goes with all its nodes', async () => {
    const machine = lookAtMachine()
    const cluster = await startNodeCluster({ nodes: 1 })
    const marks = marksOf(cluster, machine)
    expect(dirname(cluster.kubeconfigPath)).toBe(marks.folder)
    process.kill(cluster.supervisorPid, 'SIGKILL')
    await cluster.stop()
    await until('the kernel to have cleaned up', async () => leftovers(marks).length === 0).catch(
      () => undefined,
    )
    expect(leftovers(marks)).toEqual([])
  })
})

/** Pods of the applications that serve now, on nodes that are there. */
async function readyPods(kube: Kube, app?: string): Promise<Live<'pods'>[]> {
  const labelSelector = app === undefined ? 'app' : `app=${app}`
  const { items } = await kube.list('pods', { namespace: NAMESPACE, labelSelector })
  return items.filter(
    ({ metadata, status }) =>
      metadata.deletionTimestamp === undefined &&
      status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'),
  )
}

/** Which version answers through the Gateway; undefined while none does. */
async function visit(url: string): Promise<'one' | 'two' | undefined> {
  const answer = await new Promise<string | undefined>((resolve) => {
    const sent = request(url, { headers: { host: HOST }, timeout: 10_000 }, (response) => {
      void text(response).then((body) => resolve(response.statusCode === 200 ? body : undefined))
    })
    sent.on('timeout', () => sent.destroy())
    sent.on('error', () => resolve(undefined))
    sent.end()
  })
  // The application's own answer.
  return answer === undefined ? undefined : (JSON.parse(answer) as { version: 'one' | 'two' }).version
}

function until(what: string, isThere: () => Promise<boolean>): Promise<unknown> {
  return waitFor(systemClock, what, async () => (await isThere()) || undefined, {
    timeoutMs: WAIT_MS,
    everyMs: 200,
  })
}
