/* Applications that are released through the platform, and one among them whose Releases are measured. */
import { setTimeout as sleep } from 'node:timers/promises'

import { pushProgram } from '@slipway/testkit'

import { eachIndex } from './api-client.ts'
import { type Call, callsOf } from './api.ts'
import { makeWorkloads, type Size, type Workload } from './console-fleet.ts'
import type { Stack } from './stack.ts'

/** Somebody who may do everything, with an allowance of their own. */
export type Account = { readonly call: Call; readonly secret: string }

const PER_PROJECT = 10
const AT_ONCE = 8
const DEADLINE_MS = 1_800_000
const RELEASE_DEADLINE_MS = 180_000
const PASSWORD = 'a long bench password'
const PROGRAM = `require('node:http').createServer((request, response) => response.end('ok')).listen(process.env.PORT)`

export async function makeAccounts(stack: Stack, call: Call, count: number): Promise<readonly Account[]> {
  const accounts: Account[] = []
  for (let number = 0; number < count; number += 1) {
    const name = `person-${number}`
    await call('POST', '/v1/users', { name, password: PASSWORD, platformRoles: ['operator'] })
    const login = { name, password: PASSWORD, delivery: 'bearer' }
    const secret = String((await callsOf(stack.url)('POST', '/v1/sessions', login))['secret'])
    accounts.push({ secret, call: callsOf(stack.url, secret) })
  }
  return accounts
}

export type Released = {
  readonly workloads: readonly Workload[]
  readonly madeS: number
  readonly pushedS: number
  /** From the first Release asked for to the last one done. */
  readonly releasedS: number
}

/** Every Application with an Image and a Release of its own, asked for at once. */
export async function releaseFleet(
  stack: Stack,
  accounts: readonly Account[],
  about: { readonly cluster: string; readonly size: Size; readonly say: (line: string) => void },
): Promise<Released> {
  const { size, say } = about
  const account = (index: number): Account => {
    const found = accounts[index % accounts.length]
    if (found === undefined) throw new Error('there are no accounts')
    return found
  }
  const times = [performance.now()]
  const workloads = await makeWorkloads((project) => account(project).call, {
    ...about,
    perProject: PER_PROJECT,
  })
  times.push(performance.now())
  say(`${workloads.length} Images`)
  await eachIndex(workloads.length, AT_ONCE, async (index) => {
    const { project, application } = at(workloads, index)
    const { secret } = account(index)
    const program = `// ${application}\n${PROGRAM}`
    await pushProgram(stack, { secret, repository: `${project}/${application}`, tag: 'one', program })
  })
  times.push(performance.now())
  say(`${workloads.length} Releases`)
  const { call } = account(0)
  await eachIndex(workloads.length, AT_ONCE, async (index) => {
    const web = Math.floor(size.instances / size.applications)
    const more = index < size.instances % size.applications ? 1 : 0
    const body = { image: 'one', instances: { web: web + more } }
    await account(index).call('POST', `/v1/workloads/${at(workloads, index).id}/releases`, body)
  })
  await untilNoneIsUnderWay(call, say)
  times.push(performance.now())
  const [first = 0, second = 0, third = 0, fourth = 0] = times
  return {
    workloads,
    madeS: (second - first) / 1_000,
    pushedS: (third - second) / 1_000,
    releasedS: (fourth - third) / 1_000,
  }
}

function at(workloads: readonly Workload[], index: number): Workload {
  const found = workloads[index]
  if (found === undefined) throw new Error(`there is no Workload ${index}`)
  return found
}

async function untilNoneIsUnderWay(call: Call, say: (line: string) => void): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS
  let left = Number.POSITIVE_INFINITY
  for (;;) {
    const open = Number((await call('GET', '/v1/releases?group=under-way&limit=1'))['total'])
    if (open === 0) return
    if (open <= left - 100) {
      say(`${open} Releases are under way`)
      left = open
    }
    if (performance.now() > deadline) throw new Error(`${open} Releases did not end`)
    await sleep(1_000)
  }
}

export type Probe = { readonly call: Call; readonly workload: string; revision: number }

/** One more Application, whose Releases are measured before and among all others. */
export async function makeProbe(stack: Stack, { call, secret }: Account, cluster: string): Promise<Probe> {
  const make = async (path: string, body: unknown): Promise<string> =>
    String((await call('POST', path, body))['id'])
  const organization = await make('/v1/organizations', { slug: 'probe', name: 'Probe' })
  const project = await make(`/v1/organizations/${organization}/projects`, { slug: 'probe', name: 'Probe' })
  const environment = await make(`/v1/projects/${project}/environments`, {
    slug: 'test',
    name: 'Test',
    cluster,
  })
  const application = await make(`/v1/projects/${project}/applications`, { slug: 'probe' })
  const workload = await make(`/v1/applications/${application}/workloads`, { environment })
  await pushProgram(stack, { secret, repository: 'probe/probe', tag: 'one', program: PROGRAM })
  return { call, workload, revision: 0 }
}

/** A Release of four Instances of a version that does not run yet. @returns ms from the request to its end */
export async function releaseOnce(probe: Probe): Promise<number> {
  const { call, workload } = probe
  probe.revision += 1
  const set = [{ name: 'REVISION', value: String(probe.revision) }]
  await call('POST', `/v1/workloads/${workload}/config-revisions`, { set })
  const begin = performance.now()
  const body = { image: 'one', instances: { web: 4 } }
  const { id } = await call('POST', `/v1/workloads/${workload}/releases`, body)
  for (;;) {
    const { state, reason } = await call('GET', `/v1/releases/${String(id)}`)
    const tookMs = performance.now() - begin
    if (state === 'Done') return tookMs
    if (['RolledBack', 'Aborted', 'Failed', 'Held'].includes(String(state)) || tookMs > RELEASE_DEADLINE_MS)
      throw new Error(`the measured Release is ${String(state)}: ${JSON.stringify(reason)}`)
    await sleep(20)
  }
}
