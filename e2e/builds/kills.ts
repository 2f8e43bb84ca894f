/*
 * The platform is killed by SIGKILL at each write of a build's life, before the commit and after it, and started again. Every
 * build must come to its right end, with exactly one Job and one Image. As a command, for all writes:
 * `node --conditions=source e2e/builds/kills.ts [--from 7]`.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { testDatabase } from '@slipway/db/testing'
import { messageOf, newMasterKey, systemClock, waitFor } from '@slipway/kit'
import { eachObject, kubeClient, parseKubeconfig, type Kube } from '@slipway/kube'
import { migrations } from '@slipway/platform'
import { freePort, testCluster } from '@slipway/testkit'

import { checkout, makeHome } from '../journey/product.ts'
import { databaseProxy, type DatabaseProxy, type Moment } from './database-proxy.ts'
import { makeRepository } from './works.ts'

const WAIT_MS = 180_000
const NOT_REACHED_MS = 45_000
const PASSWORD = 'a long test password'

export type Point = { readonly nth: number; readonly moment: Moment }

type Json = Readonly<Record<string, unknown>>
type Answer = { readonly status: number; readonly text: string; readonly body: Json }
type Child = { readonly process: ChildProcess; readonly firstRunToken: string }

export type Yard = AsyncDisposable & {
  /** Builds once, without a kill; how many writes that takes. */
  readonly countWrites: () => Promise<number>
  /** Builds once, killed at a point. @throws {Error} when anything is not as it must be */
  readonly killAt: (point: Point) => Promise<void>
}

export async function openYard(): Promise<Yard> {
  await using parts = new AsyncDisposableStack()
  const home = await makeHome()
  parts.defer(() => rm(home, { recursive: true, force: true }))
  const database = parts.use(await testDatabase({ migrations }))
  const proxy = parts.use(await databaseProxy(database.appUrl))
  const cluster = parts.use(await testCluster())
  const { access } = parseKubeconfig(await readFile(cluster.kubeconfigPath, 'utf8'))
  const kube = parts.use(kubeClient({ access, clock: systemClock, userAgent: 'slipway-build-kills' }))
  const port = await freePort()
  const environment = {
    ...process.env,
    DATABASE_URL: proxy.through(database.appUrl),
    DATABASE_OWNER_URL: database.ownerUrl,
    SLIPWAY_MASTER_KEY: newMasterKey().toString('base64'),
    SLIPWAY_PORT: String(port),
    SLIPWAY_DATA: join(home, 'data'),
    SLIPWAY_LOCAL_KUBECONFIG: cluster.kubeconfigPath,
    SLIPWAY_LOCAL_SOURCE_ROOTS: home,
    SLIPWAY_SOLE_REPLICA: 'true',
    SLIPWAY_LOG_LEVEL: 'fatal',
  }
  const running = { child: await startChild(environment) }
  parts.defer(() => stopChild(running.child.process, 'SIGTERM'))
  const call = caller(`http://localhost:${port}`)
  const opened = await call('POST', '/v1/first-run', {
    token: running.child.firstRunToken,
    name: 'admin',
    password: PASSWORD,
    delivery: 'bearer',
  })
  const secret = String(opened.body['secret'])
  const application = await settle(caller(`http://localhost:${port}`, secret), home)
  const yard: Inside = {
    proxy,
    kube,
    home,
    application,
    call: caller(`http://localhost:${port}`, secret),
    builds: 0,
    child: () => running.child.process,
    async restart() {
      await stopChild(running.child.process, 'SIGKILL')
      running.child = await startChild(environment)
    },
  }
  const owned = parts.move()
  return {
    async countWrites() {
      // The first one also makes the Image that builds run in.
      await buildOnce(yard, async () => undefined)
      proxy.arm(Infinity, 'before', () => undefined)
      await buildOnce(yard, async () => undefined)
      return proxy.count()
    },
    killAt: (point) => killAt(yard, point),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

type Inside = {
  readonly proxy: DatabaseProxy
  readonly kube: Kube
  readonly home: string
  readonly application: string
  readonly call: Caller
  readonly child: () => ChildProcess
  readonly restart: () => Promise<void>
  builds: number
}

async function settle(call: Caller, home: string): Promise<string> {
  const made = async (path: string, body: unknown): Promise<string> =>
    String((await call('POST', path, body)).body['id'])
  const organization = await made('/v1/organizations', { slug: 'acme', name: 'Acme' })
  const project = await made(`/v1/organizations/${organization}/projects`, { slug: 'shop', name: 'Shop' })
  const application = await made(`/v1/projects/${project}/applications`, { slug: 'web' })
  const repository = await makeRepository('web', join(home, 'web'))
  await repository.commit({
    'index.html': 'hello',
    'build.sh': '#!/bin/sh\necho building\nsleep 0.5\ndate +%N > made.txt\n',
    'slipway.yaml': 'version: 1\nbuild: {language: static}\n',
  })
  const set = await call('PUT', `/v1/applications/${application}/source`, { url: repository.path })
  if (set.status !== 200) throw new Error(`the source was refused: ${JSON.stringify(set.body)}`)
  return application
}

async function killAt(yard: Inside, { nth, moment }: Point): Promise<void> {
  const gone = once(yard.child(), 'exit')
  yard.proxy.arm(nth, moment, () => yard.child().kill('SIGKILL'))
  await buildOnce(yard, async () => {
    // How many writes there are depends on how often its progress was seen; the last ones may not come.
    const patience = new AbortController()
    await Promise.race([gone, systemClock.sleep(NOT_REACHED_MS, patience.signal).catch(() => undefined)])
    patience.abort()
    if (yard.child().signalCode !== null) await yard.restart()
  })
}

/** One build from its start to its end, with whatever happens in between, and a look at what is there then. */
async function buildOnce(yard: Inside, between: () => Promise<void>): Promise<void> {
  const { call, application } = yard
  yard.builds += 1
  const path = `/v1/applications/${application}/builds`
  const key = { 'idempotency-key': `build-${yard.builds}` }
  const jobs = new Set<string>()
  const watching = new AbortController()
  const watched = watchJobs(yard.kube, jobs, watching.signal)
  try {
    const first = await call('POST', path, {}, key).catch(() => undefined)
    await between()
    // Whoever got no answer asks again with the same key and gets the same build.
    const started = first?.status === 202 ? first : await call('POST', path, {}, key)
    if (started.status !== 202) throw new Error(`not started: ${JSON.stringify(started)}`)
    const build = await ended(yard, String(started.body['id']))
    await waitFor(systemClock, 'nothing to be left', async () => (await leftovers(yard)) === '', {
      timeoutMs: WAIT_MS,
      everyMs: 300,
    })
    await check(yard, build, jobs).catch(async (cause: unknown) => {
      throw new Error(`${messageOf(cause)}\n${await logOf(yard, build)}`, { cause })
    })
  } finally {
    watching.abort()
    await watched
  }
}

async function ended({ call }: Inside, id: string): Promise<Json> {
  return waitFor(
    systemClock,
    'the build to end',
    async () => {
      const answer = await call('GET', `/v1/builds/${id}`).catch(() => undefined)
      const state = String(answer?.body['state'])
      return ['Succeeded', 'Failed', 'Cancelled'].includes(state) ? answer?.body : undefined
    },
    { timeoutMs: WAIT_MS, everyMs: 200 },
  )
}

async function logOf({ call }: Inside, build: Json): Promise<string> {
  return (await call('GET', `/v1/builds/${String(build['id'])}/log`)).text
}

async function check({ call, application, builds }: Inside, build: Json, jobs: ReadonlySet<string>) {
  const told = JSON.stringify(build)
  if (build['state'] !== 'Succeeded') throw new Error(`the build did not succeed: ${told}`)
  if (build['number'] !== builds) throw new Error(`build ${builds} has the number ${String(build['number'])}`)
  if (build['attempt'] !== 1 || jobs.size !== 1) throw new Error(`${jobs.size} Jobs: ${told}`)
  const images = (await call('GET', `/v1/applications/${application}/images?limit=200`)).body['items']
  // The contract says what a list holds.
  const own = (images as readonly Json[]).filter(({ buildId }) => buildId === build['id'])
  const [image] = own
  if (own.length !== 1 || JSON.stringify(image?.['tags']) !== `["build-${builds}"]`)
    throw new Error(`${own.length} Images: ${JSON.stringify(own)}`)
  if ((images as readonly Json[]).length !== builds)
    throw new Error(`Images beyond those of ${builds} builds`)
}

/** What is left of builds on the Cluster and on disk, in words; empty when there is nothing. */
async function leftovers({ kube, home }: Inside): Promise<string> {
  const left: string[] = []
  for (const resource of ['jobs', 'pods', 'secrets'] as const)
    for await (const { metadata } of eachObject(kube, resource, { labelSelector: 'slipway/build' }))
      left.push(`${resource} ${metadata.name}`)
  left.push(...(await readdir(join(home, 'data/build-spool')).catch(() => [])))
  return left.join(', ')
}

/** Gathers the uid of every Job of a build that is ever there. */
async function watchJobs(kube: Kube, seen: Set<string>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { items } = await kube.list('jobs', { labelSelector: 'slipway/build' })
    for (const { metadata } of items) seen.add(metadata.uid ?? '')
    await systemClock.sleep(100)
  }
}

async function startChild(environment: NodeJS.ProcessEnv): Promise<Child> {
  const child = spawn(
    process.execPath,
    ['--conditions=source', join(checkout, 'packages/platform/src/main.ts')],
    { env: environment, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
  )
  let said = ''
  child.stderr?.on('data', (part: Buffer) => (said = (said + part.toString('utf8')).slice(-4_000)))
  const told: Json[] = []
  child.on('message', (message) => told.push(message as Json))
  const ready = await waitFor(
    systemClock,
    'the platform to be ready',
    () => {
      if (child.exitCode !== null) throw new Error(`the platform ended: ${said}`)
      return told.find(({ type }) => type === 'ready')
    },
    { timeoutMs: WAIT_MS, everyMs: 20 },
  )
  const { firstRunToken } = ready
  return { process: child, firstRunToken: typeof firstRunToken === 'string' ? firstRunToken : '' }
}

async function stopChild(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill(signal)
  await gone
}

type Caller = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
) => Promise<Answer>

function caller(url: string, secret?: string): Caller {
  return async (method, path, body, headers) => {
    const response = await fetch(new URL(path, url), {
      method,
      headers: {
        ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
    return { status: response.status, text, body: isJson ? (JSON.parse(text) as Json) : {} }
  }
}

if (import.meta.main) {
  const say = (line: string): void => void process.stdout.write(`${line}\n`)
  const { values } = parseArgs({ options: { from: { type: 'string', default: '1' } } })
  await using yard = await openYard()
  const writes = await yard.countWrites()
  say(`a build takes ${writes} writes`)
  for (let nth = Number(values.from); nth <= writes; nth += 1)
    for (const moment of ['before', 'after'] as const) {
      await yard.killAt({ nth, moment })
      say(`killed ${moment} write ${nth}: one build, one Job, one Image`)
    }
}
