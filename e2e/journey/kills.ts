/*
 * The whole product is killed by SIGKILL at random moments of a developer's work, and started again on the same data folder.
 * Every release must come to its right end, nothing may exist twice, and nothing may be left running at the end. As a command:
 * `node --conditions=source e2e/journey/kills.ts --count 50 [--seed 7]`.
 */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { parseArgs } from 'node:util'

import { must, systemClock, waitFor } from '@slipway/kit'
import { eachObject, kubeClient, parseKubeconfig, type Kube } from '@slipway/kube'

import { settleIn, WORKLOAD, type Developer, type Release } from './developer.ts'
import { findProcesses, makeHome, removeHome, startProduct, type Ports, type Product } from './product.ts'
import { makeRepository } from './repository.ts'

const WAIT_MS = 90_000
/** How often the Instances die too, as when the machine loses its power. */
const POWER_LOSS = 0.5
const INSTANCES = 4
/** A release with its approvals takes about this long here; the moment of death is drawn from it. */
const ACTION_MS = 6_000
const TERMINAL = new Set(['Done', 'RolledBack', 'Aborted', 'Failed'])

export type Outcome = {
  readonly kills: number
  readonly releases: number
  /** Times from the start of the product until its release had come to its end, in ms. */
  readonly recoveriesMs: readonly number[]
}

type World = {
  readonly home: string
  readonly ports: Ports
  readonly random: () => number
  readonly say: (line: string) => void
  /** Images of the two versions. */
  readonly images: readonly [string, string]
  readonly developer: Developer
  readonly running: { product: Product }
}

export async function runKills(options: {
  readonly count: number
  readonly seed: number
  readonly say: (line: string) => void
}): Promise<Outcome> {
  const { say } = options
  say(`${options.count} kills, seed ${options.seed}`)
  const home = await makeHome()
  const repository = await makeRepository(home)
  const ports = { platform: await freePort(), gateway: await freePort(), cluster: await freePort() }
  const running = { product: await startProduct(home, ports) }
  try {
    const developer = await settleIn(running.product, home)
    await developer.nameSource(repository)
    const images = [
      await developer.build(repository.commits[0]),
      await developer.build(repository.commits[1]),
    ] as const
    const world: World = { home, ports, random: seeded(options.seed), say, images, developer, running }
    const recoveriesMs: number[] = []
    for (let kill = 1; kill <= options.count; kill += 1) recoveriesMs.push(await killOnce(world, kill))
    const releases = (await developer.releases()).length
    await running.product.stop()
    await removeHome(home)
    return { kills: options.count, releases, recoveriesMs }
  } catch (thrown) {
    // What went wrong is the news; what it left behind ends without further questions.
    await running.product.kill({ instances: true })
    await removeHome(home)
    throw thrown
  }
}

/** Starts something, kills the product in the middle, starts it again, and sees it through to its right end. */
async function killOnce(world: World, kill: number): Promise<number> {
  const { developer, random, say } = world
  const before = (await developer.releases())[0]
  const action = await begin(world, before)
  const afterMs = Math.floor(random() * ACTION_MS)
  const helper = approveAll(developer)
  await systemClock.sleep(afterMs)
  const instances = random() < POWER_LOSS
  helper.stop()
  await world.running.product.kill({ instances })
  await action.command
  const startedMs = performance.now()
  world.running.product = await startProduct(world.home, world.ports)
  const release = await seeThrough(world, before, action)
  const tookMs = performance.now() - startedMs
  await checkWorld(world, action.version)
  say(
    `${kill}: ${action.name} killed after ${afterMs} ms${instances ? ' with its instances' : ''}: release ${release.number} ${release.state} ${Math.round(tookMs)} ms after the new start`,
  )
  return tookMs
}

type Action = {
  readonly name: string
  /** What must serve in the end. */
  readonly version: 'one' | 'two'
  readonly start: () => Promise<unknown>
  readonly command: Promise<unknown>
}

async function begin(world: World, before: Release | undefined): Promise<Action> {
  const { developer, images, random } = world
  const serving = before === undefined ? undefined : await servingVersion(world)
  const version = serving === 'one' ? 'two' : 'one'
  const image = version === 'one' ? images[0] : images[1]
  const isRollback = serving !== undefined && (before?.number ?? 0) > 1 && random() < 0.4
  const steps = ['--instances', `web=${INSTANCES}`, '--steps', '1,person,25%,person,rest']
  const start = isRollback
    ? () => developer.cli.run('release', 'rollback', WORKLOAD, '--detach')
    : () => developer.cli.run('release', 'start', WORKLOAD, '--image', image, '--detach', ...steps)
  // Killed in the middle the command may fail; what became of it is looked at afterwards.
  return { name: isRollback ? 'rollback' : 'release', version, start, command: start() }
}

/** Answers every question with yes, as a person with patience does; a platform that is gone is asked again. */
function approveAll(developer: Developer): { readonly stop: () => void } {
  const work = { isOver: false }
  const approve = async (): Promise<void> => {
    while (!work.isOver) {
      await developer.cli.run('gate', 'approve', WORKLOAD)
      await systemClock.sleep(200)
    }
  }
  void approve()
  return { stop: () => (work.isOver = true) }
}

/** The release that the action made, in its end state. An action that was not accepted before the death is asked for again. */
async function seeThrough(world: World, before: Release | undefined, action: Action): Promise<Release> {
  const { developer } = world
  const newest = async (): Promise<Release | undefined> => (await developer.releases())[0]
  if ((await newest())?.id === before?.id) await action.start()
  const helper = approveAll(developer)
  try {
    const release = await waitFor(
      systemClock,
      `${action.name} to end`,
      async () => {
        const one = await newest()
        return one && one.id !== before?.id && TERMINAL.has(one.state) ? one : undefined
      },
      { timeoutMs: WAIT_MS, everyMs: 300 },
    )
    if (release.number !== (before?.number ?? 0) + 1)
      throw new Error(`release ${release.number} after ${before?.number}`)
    if (release.state !== 'Done') throw new Error(`${action.name} ended ${JSON.stringify(release)}`)
    const events = await developer.events(release.id)
    const ends = events.filter(({ kind, code }) => kind === 'state' && TERMINAL.has(code))
    if (ends.length !== 1) throw new Error(`the journal has ${ends.length} ends: ${JSON.stringify(events)}`)
    return release
  } finally {
    helper.stop()
  }
}

async function servingVersion(world: World): Promise<string> {
  const address = await world.developer.address()
  const response = await fetch(new URL('/version', address))
  return String(((await response.json()) as { version: unknown }).version)
}

/** Everybody gets the right version, and the cluster runs exactly what was asked for, once. */
async function checkWorld(world: World, version: string): Promise<void> {
  using kube = await kubeAt(world.running.product.kubeconfig)
  let last = ''
  await waitFor(
    systemClock,
    'the cluster to run exactly what was asked for',
    async () => {
      last = await problemOf(world, kube)
      return last === ''
    },
    { timeoutMs: WAIT_MS, everyMs: 500 },
  ).catch((cause: unknown) => {
    throw new Error(`the cluster is not as asked for: ${last}`, { cause })
  })
  const address = await world.developer.address()
  for (let index = 0; index < 12; index += 1) {
    const response = await fetch(new URL('/version', address))
    const text = await response.text()
    if (response.status !== 200 || !text.includes(`"${version}"`))
      throw new Error(`instead of version ${version} came ${response.status} ${text}`)
  }
}

async function problemOf(world: World, kube: Kube): Promise<string> {
  const labelSelector = 'slipway/workload'
  const deployments = await collect(eachObject(kube, 'deployments', { labelSelector }))
  const pods = await collect(eachObject(kube, 'pods', { labelSelector }))
  const ready = pods.filter((pod) =>
    pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
  )
  const wanted = deployments.reduce((sum, { spec }) => sum + (spec?.replicas ?? 0), 0)
  const ran = (await findProcesses(world.home)).filter(({ command }) => command.endsWith('node server.js'))
  const masters = (await findProcesses(world.home)).filter(({ command }) =>
    /^[^ ]*postgres .*-D/u.test(command),
  )
  // The serving version, and the one before it for the way back.
  if (deployments.length > 2) return `${deployments.length} Deployments`
  if (deployments.some(({ spec }) => spec?.replicas !== INSTANCES)) return `${wanted} Instances asked for`
  if (pods.length !== wanted || ready.length !== wanted)
    return `${ready.length} of ${pods.length} pods for ${wanted}`
  if (ran.length !== wanted) return `${ran.length} processes for ${wanted} Instances`
  return masters.length === 1 ? '' : `${masters.length} PostgreSQL`
}

async function collect<T>(objects: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const one of objects) all.push(one)
  return all
}

async function kubeAt(path: string): Promise<Kube & Disposable> {
  const { access } = parseKubeconfig(await readFile(path, 'utf8'))
  return kubeClient({ access, clock: systemClock, userAgent: 'slipway-journey' })
}

/** Small and fast, and the same on every machine. */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A server that listens on TCP has such an address.
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { count: { type: 'string' }, seed: { type: 'string' } } })
  const say = (line: string): void => void process.stdout.write(`${line}\n`)
  const outcome = await runKills({
    count: Number(values.count ?? 50),
    seed: Number(values.seed ?? Date.now() % 100_000),
    say,
  })
  const sorted = outcome.recoveriesMs.toSorted((a, b) => a - b)
  const median = must(sorted[Math.floor(sorted.length / 2)], 'there were kills')
  say(
    `${outcome.kills} kills, ${outcome.releases} releases, all at their right end; from the new start to the end ${Math.round(median)} ms in the median, ${Math.round(sorted.at(-1) ?? 0)} ms at most`,
  )
}
