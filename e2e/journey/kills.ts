/*
 * The whole product is killed by SIGKILL at random moments of a developer's work, and started again on the same data folder.
 * Every release must come to its right end, nothing may exist twice, and nothing may be left running at the end. As a command:
 * `node --conditions=source e2e/journey/kills.ts --count 50 [--seed 7]`, or `npm run bench -- kills` to keep the figures.
 */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { inspect, parseArgs } from 'node:util'

import { messageOf, systemClock, waitFor } from '@slipway/kit'
import { eachObject, kubeClient, parseKubeconfig, type Kube } from '@slipway/kube'

import { settleIn, WORKLOAD, type Developer, type Event, type Release } from './developer.ts'
import { findProcesses, makeHome, removeHome, startProduct, type Ports, type Product } from './product.ts'
import { makeRepository } from './repository.ts'

const WAIT_MS = 90_000
/** How often the Instances die too, as when the machine loses its power. */
const POWER_LOSS = 0.5
const INSTANCES = 4
/** How often an action is a rollback, and how often a person aborts the release after the new start. */
const ROLLBACKS = 0.3
const ABORTS = 0.25
/** A release with its approvals takes about this long here; the moment of death is drawn from it. */
const ACTION_MS = 6_000
const TERMINAL = new Set(['Done', 'RolledBack', 'Aborted', 'Failed'])

export type Outcome = {
  readonly seed: number
  readonly kills: number
  /** Those of the kills that took the Instances too. */
  readonly powerLosses: number
  /** How many releases came to which end. */
  readonly ends: Readonly<Record<string, number>>
  /** Steps of a release that its journal has more than once. */
  readonly doubledSteps: number
  /** What still ran when the product had been stopped at last. */
  readonly orphans: readonly string[]
  /** Times from the start of the product until its release had come to its end, in ms. */
  readonly recoveriesMs: readonly number[]
  /** Why the walk ended early. */
  readonly fault: string | undefined
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
  readonly tally: Tally
}

type Tally = {
  powerLosses: number
  doubledSteps: number
  readonly ends: Record<string, number>
  readonly recoveriesMs: number[]
}

/** Walks through `count` kills; stops at the first thing that is not as it should be and tells it as `fault`. */
export async function runKills(options: {
  readonly count: number
  readonly seed: number
  readonly say: (line: string) => void
}): Promise<Outcome> {
  const { count, seed, say } = options
  say(`${count} kills, seed ${seed}`)
  const tally: Tally = { powerLosses: 0, doubledSteps: 0, ends: {}, recoveriesMs: [] }
  const home = await makeHome()
  const ports = { platform: await freePort(), gateway: await freePort(), cluster: await freePort() }
  const running = { product: await startProduct(home, ports) }
  let fault: string | undefined
  try {
    const world = await prepare({ home, ports, running, tally, say, random: seeded(seed) })
    for (let kill = 1; kill <= count; kill += 1) await killOnce(world, kill)
    await running.product.stop()
  } catch (thrown) {
    fault = inspect(thrown)
    // What went wrong is the news; what it left behind ends without further questions.
    await running.product.kill({ instances: true })
  }
  const orphans = await removeHome(home).then(
    () => [],
    (thrown: unknown) => [messageOf(thrown)],
  )
  return { seed, kills: tally.recoveriesMs.length, ...tally, orphans, fault }
}

async function prepare(begun: Omit<World, 'images' | 'developer'>): Promise<World> {
  const repository = await makeRepository(begun.home)
  const developer = await settleIn(begun.running.product, begun.home)
  await developer.nameSource(repository)
  const images = [
    await developer.build(repository.commits[0]),
    await developer.build(repository.commits[1]),
  ] as const
  return { ...begun, images, developer }
}

/** Starts something, kills the product in the middle, starts it again, and sees it through to its right end. */
async function killOnce(world: World, kill: number): Promise<void> {
  const { developer, random, say, tally } = world
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
  await checkWorld(world, release.state === 'Done' ? action.version : action.versionBefore)
  say(
    `${kill}: ${action.name} killed after ${afterMs} ms${instances ? ' with its instances' : ''}: release ${release.number} ${release.state} ${Math.round(tookMs)} ms after the new start`,
  )
  tally.recoveriesMs.push(tookMs)
  if (instances) tally.powerLosses += 1
}

type Action = {
  readonly name: 'release' | 'rollback' | 'release to abort'
  /** What serves when it is done, and when it was aborted. */
  readonly version: string
  readonly versionBefore: string
  readonly start: () => Promise<unknown>
  readonly command: Promise<unknown>
}

async function begin(world: World, before: Release | undefined): Promise<Action> {
  const { developer, images, random } = world
  const serving = before === undefined ? undefined : await servingVersion(world)
  const version = serving === 'one' ? 'two' : 'one'
  const image = version === 'one' ? images[0] : images[1]
  const chance = random()
  const canRollBack = before?.state === 'Done' && (world.tally.ends['Done'] ?? 0) > 1
  const isRollback = canRollBack && chance < ROLLBACKS
  const isAborted = serving !== undefined && !isRollback && chance > 1 - ABORTS
  const steps = ['--instances', `web=${INSTANCES}`, '--steps', '1,person,25%,person,rest']
  const start = isRollback
    ? () => developer.cli.run('release', 'rollback', WORKLOAD, '--detach')
    : () => developer.cli.run('release', 'start', WORKLOAD, '--image', image, '--detach', ...steps)
  // Killed in the middle the command may fail; what became of it is looked at afterwards.
  const name = isRollback ? 'rollback' : isAborted ? 'release to abort' : 'release'
  return { name, version, versionBefore: serving ?? version, start, command: start() }
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
  const isAborted = action.name === 'release to abort'
  const helper = isAborted ? undefined : approveAll(developer)
  try {
    const release = await waitFor(
      systemClock,
      `${action.name} to end`,
      async () => {
        const one = await newest()
        // Refused once it has ended or is on its way back.
        if (isAborted && one && one.id !== before?.id) await developer.cli.run('release', 'abort', one.id)
        return one && one.id !== before?.id && TERMINAL.has(one.state) ? one : undefined
      },
      { timeoutMs: WAIT_MS, everyMs: 300 },
    )
    if (release.number !== (before?.number ?? 0) + 1)
      throw new Error(`release ${release.number} after ${before?.number}`)
    world.tally.ends[release.state] = (world.tally.ends[release.state] ?? 0) + 1
    // A person may be too late to abort it.
    if (release.state !== 'Done' && !(isAborted && release.state === 'Aborted'))
      throw new Error(`${action.name} ended ${JSON.stringify(release)}`)
    const events = await developer.events(release.id)
    const ends = events.filter(({ kind, code }) => kind === 'state' && TERMINAL.has(code))
    if (ends.length !== 1) throw new Error(`the journal has ${ends.length} ends: ${JSON.stringify(events)}`)
    const doubled = repeatedSteps(events)
    world.tally.doubledSteps += doubled
    if (doubled > 0) throw new Error(`steps were taken twice: ${JSON.stringify(events)}`)
    return release
  } finally {
    helper?.stop()
  }
}

/** A release that nothing goes wrong with comes into each state of a batch once. */
function repeatedSteps(events: readonly Event[]): number {
  const steps = events.filter(({ kind }) => kind === 'state').map(({ batch, code }) => `${batch} ${code}`)
  return steps.length - new Set(steps).size
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

/** The figures of a walk, by name. */
export function summaryOf(outcome: Outcome): Readonly<Record<string, string>> {
  const ends = Object.entries(outcome.ends).map(([state, count]) => `${count} ${state}`)
  const sorted = outcome.recoveriesMs.toSorted((a, b) => a - b)
  const seconds = (ms: number | undefined): string => (ms === undefined ? '–' : (ms / 1_000).toFixed(1))
  return {
    seed: String(outcome.seed),
    kills: String(outcome.kills),
    'of them power losses': String(outcome.powerLosses),
    'releases ended': ends.join(', ') || '0',
    'steps taken twice': String(outcome.doubledSteps),
    'orphan processes': String(outcome.orphans.length),
    'from the new start to the end, median, s': seconds(sorted[Math.floor(sorted.length / 2)]),
    'from the new start to the end, longest, s': seconds(sorted.at(-1)),
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { count: { type: 'string' }, seed: { type: 'string' } } })
  const say = (line: string): void => void process.stdout.write(`${line}\n`)
  const outcome = await runKills({
    count: Number(values.count ?? 50),
    seed: Number(values.seed ?? Date.now() % 100_000),
    say,
  })
  for (const [what, value] of Object.entries(summaryOf(outcome))) say(`${what}: ${value}`)
  for (const orphan of outcome.orphans) say(orphan)
  if (outcome.fault !== undefined) say(`fault: ${outcome.fault}`)
  process.exitCode = outcome.fault === undefined && outcome.orphans.length === 0 ? 0 : 1
}
