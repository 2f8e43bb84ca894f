/*
 * The journeys with real containers on two clusters at once: one that the platform dials, one that dials the platform. Both are
 * known by accounts of least privilege alone, for the kubeconfigs of their administrators are deleted before anything happens.
 * Builds as a Job, a registry over TLS that containerd pulls from, traffic through a Gateway that is not ours.
 */
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { connect } from 'node:net'

import { systemClock } from '@slipway/kit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { canRunNodes } from '../../tools/kubernetes/availability.ts'
import type { Developer } from '../journey/developer.ts'
import { makeRepository, type Repository } from '../journey/repository.ts'
import { travel } from '../journey/travel.ts'
import { sendVisitors, type Entrance } from '../journey/visitors.ts'
import { type ClosedCluster, openClosedCluster } from './closed-cluster.ts'
import { type Installation, type Instance, instancesOf, openInstallation, until } from './installation.ts'

/** Longer than any pass of the engine, shorter than what makes a node look lost. */
const SILENCE_MS = 8_000
/** The foreign gateway confirms a route before its workers follow it; what they still send to the other version is answered. */
const LAG_MS = 2_000
const NOBODY = { name: 'x-nobody', value: 'asks' }
const available = await canRunNodes((line) => console.log(`real: ${line}`))

describe.runIf(available)('on two clusters with containers', () => {
  let installation: Installation
  let closed: ClosedCluster
  let repository: Repository
  const startedMs = performance.now()

  beforeAll(async () => {
    installation = await openInstallation({ nodes: 2 })
    installation.trustRegistry()
    await rm(installation.cluster.kubeconfigPath)
    closed = await openClosedCluster(installation)
    repository = await makeRepository(installation.home)
    await installation.developer.nameSource(repository)
  })
  afterAll(async () => {
    await closed?.[Symbol.asyncDispose]()
    await installation?.[Symbol.asyncDispose]()
    console.log(`real: two clusters, everything in ${((performance.now() - startedMs) / 1_000).toFixed(0)} s`)
  })

  type Place = { readonly developer: Developer; readonly entrance: () => Promise<Entrance> }
  const placeOf = (name: string): Place => (name === 'closed' ? closed : installation)

  test('the kubeconfigs of the administrators are gone, and the platform has no route to the closed one', async () => {
    const { kubeconfigPath, apiUrl, gatewayUrl } = closed.network
    expect([kubeconfigPath, installation.cluster.kubeconfigPath].filter(existsSync)).toEqual([])
    expect(await Promise.all([apiUrl, gatewayUrl].map(isReached))).toEqual([false, false])
    expect(await isReached(installation.cluster.apiUrl)).toBe(true)
    const kinds = await Promise.all(
      ['real', 'closed'].map(async (slug) => {
        const { credentials } = await installation.developer.cli.json('cluster', 'show', slug)
        return (credentials as { readonly kind: string }).kind
      }),
    )
    expect(kinds).toEqual(['service-account', 'agent'])
  })

  test.each(['real', 'closed'])(
    'from a commit through canaries to everybody and back on %s, and no visitor notices',
    async (name) => {
      const { developer, entrance } = placeOf(name)
      const beganMs = performance.now()
      const requests = name === 'closed' ? 3_000 : 10_000
      const figures = await travel({ developer, repository, entrance, requests, lagMs: LAG_MS })
      console.log(`real: ${name}, ${((performance.now() - beganMs) / 1_000).toFixed(0)} s: ${figures}`)
    },
  )

  test.each(['real', 'closed'])(
    'logs, commands and terminals on %s are those of containers',
    async (name) => {
      const { cli, workload } = placeOf(name).developer
      expect((await cli.succeed(['logs', workload, '--tail', '50'])).out).toMatch(
        /^web-web-\S+ .* GET \/version 200$/mu,
      )
      // The application is not process 1, so that signals do to it what they do anywhere.
      const script = 'test "$(id -u)" != 0 && test "$(cat /proc/1/comm)" = pause && hostname && exit 3'
      expect(await cli.run('instance', 'exec', workload, '--', 'sh', '-c', script)).toMatchObject({
        exit: 3,
        out: expect.stringMatching(/^web-web-[0-9a-f]{8}-[0-9a-z-]+\n$/u) as string,
      })
      expect(await cli.run('instance', 'exec', '-t', workload, '--', 'sh', '-c', 'tty')).toMatchObject({
        exit: 0,
        out: expect.stringContaining('/dev/pts/') as string,
      })
    },
  )

  test('Instances are spread over the nodes when there are more of them, and go again', async () => {
    const { cli, workload } = installation.developer
    await cli.succeed(['workload', 'scale', workload, '6'])
    await until('six Instances to be ready on two nodes', async () => {
      const serving = await readyInstances(installation.developer)
      return serving.length === 6 && new Set(serving.map(({ node }) => node)).size === 2
    })
    await cli.succeed(['workload', 'scale', workload, '4'])
    await until(
      'four Instances to be left',
      async () => (await readyInstances(installation.developer)).length === 4,
    )
  })

  test('an API server that falls silent in mid release makes its Cluster unknown, and nobody decides anything wrong', async () => {
    const { developer } = installation
    const { cli } = developer
    const [image = ''] = await builds()
    const plan = ['--image', image, '--steps', '1,person,rest', '--detach']
    await cli.succeed(['release', 'start', developer.workload, ...plan])
    await cli.succeed(['release', 'start', closed.developer.workload, ...plan])
    const { id } = await developer.reaches('WaitPerson', 0)
    await closed.developer.reaches('WaitPerson', 0)
    const visitors = sendVisitors(await installation.entrance(), NOBODY)
    try {
      installation.cluster.freezeApi()
      const frozenMs = performance.now()
      await cli.succeed(['gate', 'approve', developer.workload])
      await until('the Cluster to be unknown', async () => (await health('real')) === 'unknown')
      const tookS = (performance.now() - frozenMs) / 1_000
      console.log(`real: unknown ${tookS.toFixed(1)} s after the API server fell silent`)
      // The other Cluster is served meanwhile.
      await cli.succeed(['gate', 'approve', closed.developer.workload])
      await closed.developer.reaches('Done')
      await systemClock.sleep(SILENCE_MS)
      expect(await health('closed')).toBe('ready')
      expect((await developer.releases())[0]).toMatchObject({ id, endedAt: null })
      installation.cluster.thawApi()
      await developer.reaches('Done')
      expect(await health('real')).toBe('ready')
    } finally {
      installation.cluster.thawApi()
      await visitors.leave()
    }
    expect(visitors.answers.filter(({ problem }) => problem !== '').slice(0, 10)).toEqual([])
    await expectNothingTwice(developer, id)
  })

  test('an agent that is killed and a connection that is cut, in mid release and mid log, cost nothing but time', async () => {
    const { cli, workload, reaches } = closed.developer
    await using log = cli.follow('logs', '-f', workload, '--tail', '1')
    await until('the log to be followed', async () => log.out() !== '')
    const image = (await builds()).at(1) ?? ''
    const plan = ['--image', image, '--steps', '1,person,25%,person,rest', '--detach']
    await cli.succeed(['release', 'start', workload, ...plan])
    const { id } = await reaches('WaitPerson', 0)
    const visitors = sendVisitors(await closed.entrance(), NOBODY)
    try {
      closed.killAgent()
      await cli.succeed(['gate', 'approve', workload])
      await reaches('WaitPerson', 1)
      closed.network.cut()
      await cli.succeed(['gate', 'approve', workload])
      await reaches('Done')
      await until('the Cluster to be ready', async () => (await closed.health()) === 'ready')
      const before = log.out().length
      await until('the log to go on', async () => log.out().length > before)
    } finally {
      await visitors.leave()
    }
    expect(visitors.answers.filter(({ problem }) => problem !== '').slice(0, 10)).toEqual([])
    await expectNothingTwice(closed.developer, id)
  })

  test('Instances of a node that dies serve elsewhere within two minutes', async () => {
    await installation.cluster.killNode('node-2')
    const diedMs = performance.now()
    await until('four Instances to be ready on the other node', async () => {
      const serving = await readyInstances(installation.developer)
      return serving.length === 4 && serving.every(({ node }) => node === 'node-1')
    })
    const tookS = (performance.now() - diedMs) / 1_000
    console.log(`real: a node died; four Instances ready elsewhere after ${tookS.toFixed(1)} s`)
    const states = (await installation.developer.releases()).map(({ state }) => state)
    expect(new Set(states)).toEqual(new Set(['Done']))
  })

  async function health(slug: string): Promise<string> {
    const { health: shown } = await installation.developer.cli.json('cluster', 'show', slug)
    return (shown as { readonly state: string }).state
  }

  /** Newest first; a Release takes a build as its Image. */
  async function builds(): Promise<readonly string[]> {
    const all = (await installation.developer.builds()) as readonly { readonly id: string }[]
    return all.map(({ id }) => id)
  }
})

/** Of the version that visitors see. */
async function readyInstances(developer: Developer): Promise<readonly Instance[]> {
  return (await instancesOf(developer)).filter(({ ready }) => ready)
}

async function expectNothingTwice({ events }: Developer, release: string): Promise<void> {
  const states = (await events(release)).filter(({ kind }) => kind === 'state').map(({ code }) => code)
  expect(states.filter((code, index) => code === states[index + 1])).toEqual([])
  expect(states.filter((code) => code === 'Done')).toEqual(['Done'])
}

/** Whether somebody takes a connection there; an address without a route may also swallow it. */
async function isReached(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), timeout: 3_000 })
  try {
    return await new Promise((resolve) => {
      socket.once('connect', () => resolve(true))
      for (const failure of ['error', 'timeout']) socket.once(failure, () => resolve(false))
    })
  } finally {
    socket.destroy()
  }
}
