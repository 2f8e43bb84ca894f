import { readFile } from 'node:fs/promises'

import { systemClock, waitFor } from '@slipway/kit'
import { eachObject, kubeClient, parseKubeconfig, type Kube } from '@slipway/kube'
import { pushProgram, testCluster, testPlatform, type TestPlatform } from '@slipway/testkit'
import { describe, expect, test } from 'vitest'

import { canRunRealClusters } from '../../tools/kubernetes/availability.ts'
import { startRealCluster } from '../../tools/kubernetes/cluster.ts'
import { settleIn, WORKLOAD, type Developer } from './developer.ts'
import { makeHome, removeHome } from './product.ts'
import { standInForGateway } from './stand-in.ts'

const WAIT_MS = 60_000
const available = await canRunRealClusters((line) => console.log(`journey: ${line}`))
const program = (version: string): string => `
const { createServer } = require('node:http')
createServer((_, response) => response.end('${version}')).listen(Number(process.env.PORT), process.env.HOST)
`

/** What is there at the end of a journey, without what differs from one installation to the next. */
type End = {
  readonly enforced: string | undefined
  readonly objects: Readonly<Record<string, unknown>>
  readonly releases: readonly string[]
  readonly journal: readonly string[]
  readonly refusedPods: readonly string[]
}

/** The journey of a developer on a Cluster: a person, a header, a quarter, everybody, and back. */
async function travel(kubeconfigPath: string): Promise<End> {
  const home = await makeHome()
  const { access } = parseKubeconfig(await readFile(kubeconfigPath, 'utf8'))
  using kube = kubeClient({ access, clock: systemClock, userAgent: 'slipway-journey' })
  const platform = await testPlatform({ localKubeconfig: kubeconfigPath })
  try {
    const developer = await settleIn(platform, home)
    const push = await pusher(platform, developer)
    const approve = async (batch: number): Promise<void> => {
      await developer.reaches('WaitPerson', batch)
      await developer.cli.succeed(['gate', 'approve', WORKLOAD])
    }
    const release = async (image: string, steps: string): Promise<void> => {
      const command = [
        'release',
        'start',
        WORKLOAD,
        '--image',
        image,
        '--steps',
        steps,
        '--instances',
        'web=4',
      ]
      await developer.cli.succeed([...command, '--detach'])
    }
    await release(await push('a'), '1,person,rest')
    await approve(0)
    await developer.reaches('Done')
    await release(await push('b'), '1,header x-gray: 1,person,25%,person,rest')
    await approve(0)
    await approve(1)
    await developer.reaches('Done')
    await developer.cli.succeed(['release', 'rollback', WORKLOAD])
    return await endOf(kube, developer, platform)
  } finally {
    await platform[Symbol.asyncDispose]()
    await removeHome(home)
  }
}

async function pusher(platform: TestPlatform, { cli }: Developer): Promise<(tag: string) => Promise<string>> {
  const secret = String((await cli.json('token', 'create', 'ci'))['secret'])
  return (tag) => pushProgram(platform, { secret, repository: 'shop/web', tag, program: program(tag) })
}

async function collect<T>(objects: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const one of objects) all.push(one)
  return all
}

async function endOf(kube: Kube, developer: Developer, platform: TestPlatform): Promise<End> {
  const workload = await developer.cli.json('workload', 'show', WORKLOAD)
  const namespace = String(workload['namespace'])
  await waitFor(
    systemClock,
    'all Instances to be ready',
    async () => {
      const deployments = await collect(eachObject(kube, 'deployments', { namespace }))
      return deployments.length === 2 && deployments.every(({ status }) => status?.readyReplicas === 4)
    },
    { timeoutMs: WAIT_MS },
  )
  const neutral = (value: unknown): unknown =>
    JSON.parse(
      JSON.stringify(value)
        .replaceAll(String(workload['id']), 'WORKLOAD')
        .replaceAll(namespace, 'NAMESPACE')
        .replaceAll(new URL(platform.url).host, 'REGISTRY'),
    )
  const objects: Record<string, unknown> = {}
  for (const { metadata, spec } of await collect(eachObject(kube, 'deployments', { namespace })))
    objects[`deployment ${metadata.name}`] = neutral({
      replicas: spec?.replicas,
      containers: spec?.template.spec?.containers,
      securityContext: spec?.template.spec?.securityContext,
    })
  for (const { metadata, spec } of await collect(eachObject(kube, 'services', { namespace })))
    objects[`service ${metadata.name}`] = neutral({
      selector: spec?.selector,
      ports: spec?.ports?.map(({ name, port, targetPort }) => ({ name, port, targetPort })),
    })
  for (const { metadata, spec } of await collect(eachObject(kube, 'httproutes', { namespace })))
    // An entrance of the Workload's own is a convenience of the embedded cluster.
    if (!metadata.name.endsWith('-own')) objects[`route ${metadata.name}`] = neutral(spec?.rules)
  const releases = await developer.releases()
  const events = await collect(eachObject(kube, 'events', { namespace }))
  return {
    enforced: (await kube.get('namespaces', { name: namespace })).metadata.labels?.[
      'pod-security.kubernetes.io/enforce'
    ],
    objects,
    releases: releases.map(({ number, state }) => `${number} ${state}`),
    journal: (await developer.events(releases[1]?.id ?? ''))
      .filter(({ kind }) => kind === 'state')
      .map(({ code }) => code),
    refusedPods: events.filter(({ reason }) => reason === 'FailedCreate').map(({ message }) => message ?? ''),
  }
}

describe.runIf(available)('on a real control plane', () => {
  test(
    'every object is accepted under Pod Security restricted, and the engine ends as on the embedded cluster',
    { timeout: 280_000 },
    async () => {
      await using real = await startRealCluster({ kwokNodes: 3 })
      const { access } = parseKubeconfig(await readFile(real.kubeconfigPath, 'utf8'))
      using kube = kubeClient({ access, clock: systemClock, userAgent: 'slipway-journey' })
      const there = await (async () => {
        await using _gateway = await standInForGateway(kube)
        return await travel(real.kubeconfigPath)
      })()
      expect(there).toMatchObject({
        enforced: 'restricted',
        refusedPods: [],
        releases: ['3 Done', '2 Done', '1 Done'],
      })
      await using embedded = await testCluster()
      expect(there).toEqual(await travel(embedded.kubeconfigPath))
    },
  )
})
