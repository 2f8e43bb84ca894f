/*
 * What keeps Instances from serving, as a real scheduler and a real kubelet say it: the person sees the reason, and what can be
 * mended goes on by itself once it is.
 */
import { readFileSync } from 'node:fs'

import { systemClock } from '@slipway/kit'
import { kubeClient, parseKubeconfig } from '@slipway/kube'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { canRunNodes } from '../../tools/kubernetes/availability.ts'
import { WORKLOAD } from '../journey/developer.ts'
import { type Installation, type Instance, openInstallation, until } from './installation.ts'

const NODE = 'node-1'
const serving = (version: string): string => `
const { createServer } = require('node:http')
createServer((_, response) => response.end('${version}')).listen(Number(process.env.PORT), process.env.HOST)
`
/** Serves, and knows nothing of signals. */
const exiting = `${serving('exits')}; setTimeout(() => process.exit(3), 500)`
const greedy = `const all = []; setInterval(() => all.push(Buffer.alloc(32 * 1024 * 1024, 1)), 5)`
const mute = `setInterval(() => undefined, 1_000)`

const available = await canRunNodes((line) => console.log(`real: ${line}`))

describe.runIf(available)('on a cluster with one node', () => {
  let installation: Installation

  beforeAll(async () => {
    installation = await openInstallation({ nodes: 1 })
  })
  afterAll(() => installation?.[Symbol.asyncDispose]())

  async function release(program: string): Promise<void> {
    const image = await installation.push(program)
    // Begun whether there is room or not, so that the Instance itself says what it lacks.
    const plan = ['--steps', 'rest', '--instances', 'web=1', '--capacity', 'ignore', '--detach']
    await installation.developer.cli.succeed(['release', 'start', WORKLOAD, '--image', image, ...plan])
  }

  /** The first reason with this code that is shown for an Instance of the newest Release. */
  async function reason(code: string): Promise<NonNullable<Instance['why']>['params']> {
    let found: Instance['why'] | undefined
    await until(`the reason ${code}`, async () => {
      const [{ number } = { number: 0 }] = await installation.developer.releases()
      const mine = (await installation.instances()).filter(({ releaseNumber }) => releaseNumber === number)
      found = mine.map(({ why }) => why).find((why) => why?.code === code)
      return found !== undefined
    })
    return found?.params ?? {}
  }

  async function abort(): Promise<void> {
    await installation.developer.cli.succeed(['release', 'abort', WORKLOAD])
    await until('the release to have ended', async () => {
      const [newest] = await installation.developer.releases()
      return newest?.state === 'Aborted'
    })
  }

  test('a registry that the node does not trust, until it does', async () => {
    await release(serving('one'))
    expect((await reason('instance_image'))['problem']).toMatch(
      /x509: certificate signed by unknown authority/u,
    )
    installation.trustRegistry()
    await installation.developer.reaches('Done')
  })

  test('no node that takes it, until one does', async () => {
    const { access } = parseKubeconfig(readFileSync(installation.cluster.kubeconfigPath, 'utf8'))
    using kube = kubeClient({ access, clock: systemClock, userAgent: 'slipway-e2e' })
    const setUnschedulable = (unschedulable: boolean): Promise<unknown> =>
      kube.patch('nodes', { name: NODE }, { type: 'merge', body: { spec: { unschedulable } } })
    await setUnschedulable(true)
    await release(serving('two'))
    expect((await reason('instance_unschedulable'))['problem']).toMatch(/^0\/1 nodes are available/u)
    await setUnschedulable(false)
    await installation.developer.reaches('Done')
  })

  test.each([
    ['ends with an exit code', exiting, 'instance_exited', { exitCode: 3 }],
    ['takes more memory than it may', greedy, 'instance_out_of_memory', {}],
  ])('an application that %s', async (_, program, code, params) => {
    await release(program)
    expect(await reason(code)).toEqual(params)
    await abort()
  })

  test('an application that does not listen: the events say what was asked and how it ended', async () => {
    await release(mute)
    expect(await reason('instance_no_answer')).toEqual({ port: 8080 })
    const { cli, releases } = installation.developer
    await until('the failed probe among the events', async () => {
      const [{ number } = { number: 0 }] = await releases()
      const mine = (await installation.instances()).find(({ releaseNumber }) => releaseNumber === number)
      const shown = mine && (await cli.run('instance', 'events', mine.id)).out
      return shown !== undefined && /Startup probe failed: .*:8080: connect: connection refused/u.test(shown)
    })
    await abort()
  })
})
