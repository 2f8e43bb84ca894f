/*
 * The journey of the main job with real containers: a platform that knows the cluster by its kubeconfig, builds as a Job, a
 * registry over TLS that containerd pulls from, traffic through a Gateway that is not ours.
 */
import { systemClock } from '@slipway/kit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { canRunNodes } from '../../tools/kubernetes/availability.ts'
import { WORKLOAD, type Developer } from '../journey/developer.ts'
import { makeRepository } from '../journey/repository.ts'
import { travel } from '../journey/travel.ts'
import { sendVisitors } from '../journey/visitors.ts'
import { type Installation, type Instance, openInstallation, until } from './installation.ts'

/** Longer than any pass of the engine, shorter than what makes a node look lost. */
const SILENCE_MS = 8_000
const available = await canRunNodes((line) => console.log(`real: ${line}`))

describe.runIf(available)('on a cluster with two nodes', () => {
  let installation: Installation
  let developer: Developer

  beforeAll(async () => {
    installation = await openInstallation({ nodes: 2 })
    installation.trustRegistry()
    developer = installation.developer
  })
  afterAll(() => installation?.[Symbol.asyncDispose]())

  test('from a commit through canaries to everybody and back, and no visitor notices', async () => {
    const repository = await makeRepository(installation.home)
    await developer.nameSource(repository)
    const { entrance } = installation
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
    const visitors = sendVisitors(await installation.entrance(), { name: 'x-nobody', value: 'asks' })
    try {
      installation.cluster.freezeApi()
      const frozenMs = performance.now()
      await cli.succeed(['gate', 'approve', WORKLOAD])
      await until('the Cluster to be unknown', async () => (await health()) === 'unknown')
      const tookS = (performance.now() - frozenMs) / 1_000
      console.log(`real: unknown ${tookS.toFixed(1)} s after the API server fell silent`)
      await systemClock.sleep(SILENCE_MS)
      expect((await developer.releases())[0]).toMatchObject({ id, endedAt: null })
      installation.cluster.thawApi()
      await developer.reaches('Done')
      expect(await health()).toBe('ready')
    } finally {
      installation.cluster.thawApi()
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
    await installation.cluster.killNode('node-2')
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
    return (await installation.instances()).filter(({ ready }) => ready)
  }
})
