/* Two replicas of the platform without a shared folder, and what people and programs notice when one of them dies. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Readable } from 'node:stream'

import { isRecord, MIB, must, systemClock, waitFor } from '@slipway/kit'
import { migrate, type Migration } from '@slipway/db'
import { eachObject } from '@slipway/kube'
import { digestOf, registryClient, type RegistryClient } from '@slipway/oci'
import { migrations } from '@slipway/platform'
import { createClient, watchChanges, type Client } from '@slipway/sdk'
import { pushProgram } from '@slipway/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { makeRepository } from '../builds/works.ts'
import { findInstallation, type Installation, type Replica } from './installation.ts'

const found = await findInstallation()
const missing = typeof found === 'string' ? found : undefined
if (missing !== undefined) console.warn(`not run: ${missing}`)

const WAIT = { timeoutMs: 120_000, everyMs: 100 }
/** From the death of a leader to the next step of what it was doing. */
const TAKEOVER_MAX_S = 20

let installation: Installation
let workload = ''
let organization = ''
let application = ''
const REPOSITORY = 'shop/web'

/** Late to listen and slow to answer, so that Placing and Warming last long enough to be met in. */
const program = (version: string): string => `
const answer = (request, response) => setTimeout(() => response.end('${version}'), 250)
const server = require('node:http').createServer(answer)
console.log('this is ${version}')
setTimeout(() => server.listen(Number(process.env.PORT), process.env.HOST), 700)
process.on('SIGTERM', () => server.close(() => process.exit(0)))
`

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

function secondsSince(startMs: number): number {
  return (systemClock.monotonicMs() - startMs) / 1_000
}

/** The API at the address in front of both. */
function front(): Client {
  return createClient({ server: installation.url, credentials: { bearer: installation.secret } })
}

describe.skipIf(missing !== undefined)('two replicas', () => {
  beforeAll(async () => {
    installation = await (found as () => Promise<Installation>)()
    const api = front()
    organization = (await api.createOrganization({ slug: 'acme', name: 'Acme' })).id
    const project = await api.createProject({ organization, slug: 'shop', name: 'Shop' })
    const environment = await api.createEnvironment({ project: project.id, slug: 'test', name: 'Test' })
    application = (await api.createApplication({ project: project.id, slug: 'web' })).id
    const made = await api.createWorkload({ application, environment: environment.id })
    workload = made.id
  })
  afterAll(async () => {
    await installation[Symbol.asyncDispose]()
  })

  test('who signed in at one is signed in at the other, which tells at once what is changed there', async () => {
    const [a, b] = installation.replicas
    expect((await a.api().whoami()).user.name).toBe('admin')
    const project = must((await b.api().listProjects({})).items[0], 'it was made')
    const seen = new AbortController()
    const heard = (async () => {
      const topics = [`project:${project.id}`]
      for await (const notice of watchChanges(b.api(), { topics, signal: seen.signal }))
        if (notice.kind === 'reset') await a.api().updateProject({ project: project.id, name: 'Told' })
        else if (notice.kind === 'change') return (await b.api().getProject({ project: project.id })).name
      return undefined
    })()
    expect(await heard).toBe('Told')
    seen.abort()
  })

  test('an image that was pushed through one is pulled through the other when the first is dead', async () => {
    const [a, b] = installation.replicas
    const digest = await pushProgram(a, {
      secret: installation.secret,
      repository: REPOSITORY,
      tag: 'v1',
      program: program('v1'),
    })
    const large = randomBytes(20 * MIB)
    await registryAt(a).pushBlob({
      repository: REPOSITORY,
      digest: digestOf(large),
      open: () => Readable.from([large]),
    })
    await a.signal('SIGKILL')
    const startMs = systemClock.monotonicMs()
    const client = registryAt(b)
    const manifest = await client.getManifest(REPOSITORY, 'v1')
    expect(manifest.digest).toBe(digest)
    let sizeBytes = 0
    const { config, layers } = JSON.parse(Buffer.from(manifest.bytes).toString('utf8')) as Parts
    for (const part of [config, ...layers, { digest: digestOf(large), size: large.length }])
      sizeBytes += (await client.readBlob(REPOSITORY, part, 64 * 1024 * 1024)).length
    say(`pulled ${sizeBytes} bytes through B in ${secondsSince(startMs).toFixed(2)} s, A being dead`)
    await a.start()
  })

  test('an upload that one took half of goes on at the other when the first is dead', async () => {
    const [a, b] = installation.replicas
    const bytes = randomBytes(11 * MIB)
    const headers = { authorization: `Basic ${btoa(`test:${installation.secret}`)}` }
    const send = (at: string, method: string, body?: Uint8Array<ArrayBuffer>): Promise<Response> =>
      fetch(at, { method, headers, ...(body === undefined ? {} : { body }) })
    const begun = await send(`${a.url}/v2/${REPOSITORY}/blobs/uploads/`, 'POST')
    const place = must(begun.headers.get('location') ?? undefined, 'an upload has a place')
    expect((await send(`${a.url}${place}`, 'PATCH', bytes.subarray(0, 7 * MIB))).status).toBe(202)
    await a.signal('SIGKILL')
    const state = await send(`${b.url}${place}`, 'GET')
    expect(state.headers.get('range')).toBe(`0-${7 * MIB - 1}`)
    const end = `${b.url}${place}?digest=${digestOf(bytes)}`
    expect((await send(end, 'PUT', bytes.subarray(7 * MIB))).status).toBe(201)
    await a.start()
    const read = await registryAt(a).readBlob(REPOSITORY, { digest: digestOf(bytes) }, bytes.length)
    expect(read.equals(bytes)).toBe(true)
  })

  test('a leader that is killed in mid step is followed within 20 s, and nothing is done twice', async () => {
    await releaseOf('v1')
    for (const [version, state, batch] of [
      ['v2', 'Placing', 0],
      ['v3', 'Warming', 1],
    ] as const) {
      const watching = await watchWorld()
      const id = await begin(version)
      await until(id, (release) => release.state === state && release.batch === batch)
      const leader = await installation.leader()
      const heir = installation.otherThan(leader)
      const before = (await journalOf(heir.api(), id)).length
      await leader.signal('SIGKILL')
      const startMs = systemClock.monotonicMs()
      await waitFor(systemClock, 'the other to lead', () => heir.isLeading(), WAIT)
      const ledS = secondsSince(startMs)
      await waitFor(
        systemClock,
        'the release to go on',
        async () => (await journalOf(heir.api(), id)).length > before,
        WAIT,
      )
      const wentOnS = secondsSince(startMs)
      say(
        `${leader.name} was killed in ${state} of batch ${batch + 1}: ${heir.name} led after ${ledS.toFixed(1)} s, the release went on after ${wentOnS.toFixed(1)} s`,
      )
      expect(wentOnS).toBeLessThan(TAKEOVER_MAX_S)
      await until(id, (release) => release.state === 'Done')
      await expectOnce(id, await watching.stop())
      await leader.start()
    }
  })

  test('a leader that was stopped in its tracks finds, when it goes on, that another leads', async () => {
    const watching = await watchWorld()
    const id = await begin('v4')
    await until(id, (release) => release.state === 'Placing')
    const leader = await installation.leader()
    const heir = installation.otherThan(leader)
    leader.freeze()
    await waitFor(systemClock, 'the other to lead', () => heir.isLeading(), WAIT)
    leader.thaw()
    await waitFor(systemClock, 'it to notice', () => !leader.isLeading(), WAIT)
    await until(id, (release) => release.state === 'Done')
    await expectOnce(id, await watching.stop())
  })

  test('logs are followed and terminals opened through either', async () => {
    for (const replica of installation.replicas) {
      const api = replica.api()
      const one = must((await api.listInstances({ workload })).items[0], 'it runs')
      const lines: string[] = []
      for await (const { data } of api.followLogs({ workload, follow: 'false', instance: one.id }))
        lines.push(JSON.stringify(data))
      expect(lines.join('')).toMatch(/this is v\d/u)
      expect(await outputOf(replica, one.id)).toContain(`from ${replica.name}`)
    }
  })

  test('the log of a build is the same at both, also of one whose leader was killed while it ran', async () => {
    const repository = await makeRepository('web', join(installation.home, 'web'))
    await repository.commit({
      'index.html': 'hello',
      'build.sh': '#!/bin/sh\nfor i in 1 2 3 4 5 6; do echo "step $i"; sleep 0.7; done\n',
      'slipway.yaml': 'version: 1\nbuild: {language: static}\n',
    })
    await front().setSource({ application, url: repository.path })
    const build = await front().startBuild({ application })
    const leader = await installation.leader()
    const heir = installation.otherThan(leader)
    const shown = followBuild(heir, build.id)
    const lost = shown.ended.then(() => Promise.reject(new Error('the stream ended early')))
    const begun = waitFor(systemClock, 'the log to be followed', () => shown.lines.includes('step 2'), WAIT)
    await Promise.race([begun, lost]).catch(async (cause: unknown) => {
      const said = {
        lines: shown.lines,
        build: await front().getBuild({ build: build.id }),
        log: [leader, heir].map((one) =>
          one
            .log()
            .filter(({ level }) => Number(level) >= 40)
            .slice(-5),
        ),
      }
      throw new Error(`the log was not followed: ${JSON.stringify(said)}`, { cause })
    })
    await leader.signal('SIGKILL')
    await shown.ended
    expect((await heir.api().getBuild({ build: build.id })).state).toBe('Succeeded')
    await leader.start()
    const again = followBuild(leader, build.id)
    await again.ended
    expect(again.lines).toEqual(shown.lines)
    const steps = shown.lines.filter((line) => line.startsWith('step '))
    expect(steps).toEqual([1, 2, 3, 4, 5, 6].map((step) => `step ${step}`))
  })

  test('a leader that is told to end loses no request, and the other leads at once', async () => {
    const leader = await installation.leader()
    const heir = installation.otherThan(leader)
    const visitors = sendVisitors()
    await waitFor(systemClock, 'visitors to be served', () => visitors.served() > 50, WAIT)
    const startMs = systemClock.monotonicMs()
    const ended = leader.signal('SIGTERM')
    await waitFor(systemClock, 'the other to lead', () => heir.isLeading(), WAIT)
    const ledS = secondsSince(startMs)
    expect(await ended).toBe(0)
    const endedS = secondsSince(startMs)
    const before = visitors.served()
    await waitFor(systemClock, 'more visitors', () => visitors.served() > before + 50, WAIT)
    await leader.start()
    const { served, failures } = await visitors.stop()
    say(
      `${leader.name} was told to end: ${heir.name} led after ${ledS.toFixed(1)} s, it was gone after ${endedS.toFixed(1)} s; ${served} requests, ${failures.length} failed`,
    )
    expect(failures).toEqual([])
    expect(ledS).toBeLessThan(TAKEOVER_MAX_S)
  })

  test('beside a newer version the older one serves on, and does not start again', async () => {
    const [a, b] = installation.replicas
    const { ownerUrl } = installation.database
    const expand: Migration = {
      id: migrations.length + 1,
      name: 'expand',
      up: async (db) => db.schema.createTable('of_a_newer_version').addColumn('id', 'text').execute(),
    }
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
    const newer = [...migrations, expand]
    await migrate({ ownerUrl, migrations: newer, version: '9.9.9', clock: systemClock, log })
    for (const one of [a, b])
      expect(
        (await one.api().createProject({ organization, slug: `by-${one.name.toLowerCase()}`, name: 'New' }))
          .name,
      ).toBe('New')
    await b.signal('SIGKILL')
    await expect(b.start()).rejects.toThrow('9.9.9')
    expect((await a.api().whoami()).user.name).toBe('admin')
  })
})

/** The registry of one replica. */
function registryAt(replica: Replica): RegistryClient {
  return registryClient({
    baseUrl: replica.url,
    credentials: { username: 'test', password: installation.secret },
    clock: systemClock,
  })
}

type Parts = {
  readonly config: { readonly digest: `sha256:${string}`; readonly size: number }
  readonly layers: readonly { readonly digest: `sha256:${string}`; readonly size: number }[]
}

type Shown = Awaited<ReturnType<Client['getRelease']>>

async function begin(version: string): Promise<string> {
  await pushProgram(
    { url: installation.url },
    { secret: installation.secret, repository: REPOSITORY, tag: version, program: program(version) },
  )
  const plan = { batches: [{ instances: 1 }, { percent: 100 }] }
  return (await front().startRelease({ workload, image: version, instances: { web: 4 }, plan })).id
}

async function releaseOf(version: string): Promise<void> {
  const id = await begin(version)
  await until(id, (release) => release.state === 'Done')
}

/** Asks through whichever replica answers. */
async function until(id: string, isThere: (release: Shown) => boolean): Promise<Shown> {
  let last: Shown | undefined
  try {
    return await waitFor(
      systemClock,
      'the release to be as wanted',
      async () => {
        last = await front()
          .getRelease({ release: id })
          .catch(() => undefined)
        return last && isThere(last) ? last : undefined
      },
      { timeoutMs: WAIT.timeoutMs, everyMs: 30 },
    )
  } catch (thrown) {
    throw new Error(`${String(thrown)}: ${JSON.stringify(last)}`, { cause: thrown })
  }
}

async function journalOf(api: Client, id: string) {
  return (await api.listReleaseEvents({ release: id, limit: 200 })).items
}

type World = {
  readonly pods: ReadonlyMap<string, string>
  readonly deployments: ReadonlyMap<string, string>
}

/** Every pod and Deployment of versions that are not there yet: uid to version. */
async function watchWorld(): Promise<{ readonly stop: () => Promise<World> }> {
  const known = new Set<string>()
  const pods = new Map<string, string>()
  const deployments = new Map<string, string>()
  const stopping = new AbortController()
  const look = async (): Promise<void> => {
    for (const [resource, seen] of [
      ['pods', pods],
      ['deployments', deployments],
    ] as const)
      for await (const { metadata } of eachObject(installation.kube, resource, {
        labelSelector: 'slipway/version',
      }))
        seen.set(metadata.uid ?? '', metadata.labels?.['slipway/version'] ?? '')
  }
  await look()
  for (const version of [...pods.values(), ...deployments.values()]) known.add(version)
  const fresh = (seen: ReadonlyMap<string, string>): ReadonlyMap<string, string> =>
    new Map([...seen].filter(([, version]) => !known.has(version)))
  const watching = (async () => {
    while (!stopping.signal.aborted) {
      await look()
      await systemClock.sleep(100)
    }
  })()
  return {
    async stop() {
      stopping.abort()
      await watching
      return { pods: fresh(pods), deployments: fresh(deployments) }
    },
  }
}

/** One Deployment, four pods, and a journal in which every state of every batch stands once. */
async function expectOnce(id: string, { pods, deployments }: World): Promise<void> {
  const states = (await journalOf(front(), id))
    .filter(({ kind }) => kind === 'state')
    .map(({ batch, code }) => `${batch} ${code}`)
  expect({ pods: pods.size, deployments: deployments.size }).toEqual({ pods: 4, deployments: 1 })
  expect(states.toSorted()).toEqual([...new Set(states)].toSorted())
}

type Visitors = {
  readonly served: () => number
  readonly stop: () => Promise<{ readonly served: number; readonly failures: readonly string[] }>
}

/** Callers at the address in front of both: some come anew each time, some keep their connection. */
function sendVisitors(): Visitors {
  const stopping = new AbortController()
  const failures: string[] = []
  let served = 0
  const visit = async (headers: Record<string, string>): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        const answer = await fetch(`${installation.url}/v1/version`, { headers })
        await answer.text()
        if (answer.status === 200) served += 1
        else failures.push(String(answer.status))
      } catch (thrown) {
        const { cause } = thrown instanceof Error ? thrown : {}
        failures.push(`${String(thrown)} ${String(cause)}`)
      }
      await systemClock.sleep(60)
    }
  }
  const visits = Promise.all([visit({ connection: 'close' }), visit({ connection: 'close' }), visit({})])
  return {
    served: () => served,
    async stop() {
      stopping.abort()
      await visits
      return { served, failures }
    },
  }
}

/** The lines of a build's log as one replica shows them, to their end. */
function followBuild(replica: Replica, build: string) {
  const lines: string[] = []
  const ended = (async () => {
    for await (const { name, data } of replica.api().followBuildLog({ build }))
      if (name === 'line' && isRecord(data)) lines.push(String(data['text']))
  })()
  return { lines, ended }
}

/** What a command prints in an Instance, through one replica's terminal. */
async function outputOf(replica: Replica, instance: string): Promise<string> {
  using socket = await replica.api().openTerminal({
    instance,
    terminal: 'false',
    input: 'false',
    command: ['echo', `from ${replica.name}`],
  })
  let out = ''
  for await (const message of socket)
    if (typeof message !== 'string') out += Buffer.from(message.subarray(1)).toString('utf8')
  return out
}
