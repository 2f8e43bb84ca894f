/*
 * The platform before 400 nodes, 700 Applications and 6,000 Instances on a real control plane: how soon lists answer, what the
 * platform takes and asks for while nothing happens, what one Release costs among all others, and how soon everything is right
 * again when the platform was killed, or when the API server has lost what watches go on from.
 * Arguments: how many Instances (6000), and over how many seconds rest is watched (90).
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { canRunRealClusters } from '../tools/kubernetes/availability.ts'
import { startRealCluster } from '../tools/kubernetes/cluster.ts'
import { type ApiClient, apiClient } from './api-client.ts'
import { type Call, type Json, signIn } from './api.ts'
import {
  type Account,
  makeAccounts,
  makeProbe,
  type Probe,
  type Released,
  releaseFleet,
  releaseOnce,
} from './fleet-applications.ts'
import { type OwnServer, ratesOf, type Requests, startOwnServer } from './fleet-server.ts'
import { cpuMs, type ProcessEntry, proportionalMb, treeOf } from './processes.ts'
import { figure, median, publish, quantile } from './report.ts'
import { type Stack, startStack } from './stack.ts'

const INSTANCES = Number(process.argv[2] ?? 6_000)
const SIZE = {
  applications: Math.ceil((INSTANCES * 7) / 60),
  instances: INSTANCES,
  nodes: Math.ceil(INSTANCES / 15),
}
const READERS = 20
const ROUNDS_ALONE = 40
const ROUNDS_TOGETHER = 8
const RELEASES = 5
const BASE_MS = 20_000
const SETTLE_MS = 45_000
const REST_MS = Number(process.argv[3] ?? 90) * 1_000
/** Instances that go while the platform cannot see it. */
const GONE = 20
const DEADLINE_MS = 120_000
const say = (line: string): void => console.error(line)

type Scene = {
  readonly stack: Stack
  readonly accounts: readonly Account[]
  readonly call: Call
  readonly server: OwnServer
  /** Of the other API server, which the platform does not know. */
  readonly client: ApiClient
  readonly clusterId: string
}

async function waitUntil(what: string, isTrue: () => Promise<boolean>): Promise<number> {
  const begin = performance.now()
  let last: unknown
  // While the platform or its Cluster is away, an answer is an error: that is part of what is waited for.
  const look = (): Promise<boolean> =>
    isTrue().catch((thrown: unknown) => {
      last = thrown
      return false
    })
  while (!(await look())) {
    if (performance.now() - begin > DEADLINE_MS)
      throw new Error(`${what} did not come within ${DEADLINE_MS} ms`, { cause: last })
    await sleep(50)
  }
  return performance.now() - begin
}

const partOf = ({ command }: ProcessEntry): string =>
  ['launcher', 'platform', 'minicluster'].find((part) => command.includes(`packages/${part}/`)) ??
  'PostgreSQL'

function platformPid(stack: Stack): number {
  return treeOf(stack.pid).find((entry) => partOf(entry) === 'platform')?.pid ?? 0
}

function sumByPart(stack: Stack, of: (pid: number) => number): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {}
  for (const entry of treeOf(stack.pid)) {
    try {
      sums[partOf(entry)] = (sums[partOf(entry)] ?? 0) + of(entry.pid)
    } catch {
      continue // it ended between the list and the look
    }
  }
  return sums
}

type Round = { readonly atMs: number; readonly keys: number; readonly tookMs: number }

/** Walks of the engine over all Workloads, as the platform's log tells them. */
function roundsIn(stack: Stack): readonly Round[] {
  const lines = ['platform.log.1', 'platform.log'].flatMap((name) => {
    try {
      return readFileSync(join(stack.logsFolder, name), 'utf8').split('\n')
    } catch {
      return [] // not so much was written yet
    }
  })
  return lines
    .filter((line) => line.includes('"looked at everything"') && line.includes('"reconciler":"release"'))
    .map(
      (line) => JSON.parse(line) as { readonly time: number; readonly keys: number; readonly tookMs: number },
    )
    .map(({ time, keys, tookMs }) => ({ atMs: time, keys, tookMs }))
}

type Times = { readonly alone: readonly number[]; readonly together: readonly number[] }

/** One reader, then twenty at once, each with an account of their own. */
async function measureList(accounts: readonly Account[], path: string): Promise<Times> {
  const ask = async (call: Call, times: number[]): Promise<void> => {
    const begin = performance.now()
    await call('GET', path)
    times.push(performance.now() - begin)
  }
  const [alone, together]: [number[], number[]] = [[], []]
  const [first] = accounts
  if (first === undefined) throw new Error('there are no accounts')
  for (let round = 0; round < ROUNDS_ALONE; round += 1) await ask(first.call, alone)
  await Promise.all(
    accounts.slice(0, READERS).map(async ({ call }) => {
      for (let round = 0; round < ROUNDS_TOGETHER; round += 1) await ask(call, together)
    }),
  )
  return { alone, together }
}

async function measureLists({ call, accounts, clusterId }: Scene): Promise<Readonly<Record<string, Times>>> {
  const page = await call('GET', `/v1/instances?cluster=${clusterId}&limit=100&text=team-1/`)
  const [instance] = page['items'] as readonly Json[]
  const place = instance?.['workload'] as Json
  const { projectId } = await call('GET', `/v1/workloads/${String(place['id'])}`)
  const paths = {
    'Instances of all, first 100': '/v1/instances?limit=100',
    'Instances of all, the worst first': '/v1/instances?limit=100&sort=state',
    'Instances of a Project': `/v1/instances?limit=100&project=${String(projectId)}`,
    'Instances of a Workload': `/v1/workloads/${String(place['id'])}/instances`,
    'Workloads with how they are, first 100': '/v1/workload-states?limit=100',
    'Releases of all, first 100': '/v1/releases?limit=100',
    'nodes, first 100': `/v1/clusters/${clusterId}/nodes?limit=100`,
    'one node with everything on it': `/v1/clusters/${clusterId}/nodes/${String(instance?.['node'])}`,
    'neighbours of an Instance': `/v1/instances/${String(instance?.['id'])}/neighbours`,
    Clusters: '/v1/clusters',
  }
  const found: Record<string, Times> = {}
  for (const [name, path] of Object.entries(paths)) {
    say(`list: ${name}`)
    found[name] = await measureList(accounts, path)
  }
  return found
}

type Rest = {
  readonly rates: ReadonlyMap<string, number>
  /** % of a core. */
  readonly cpu: Readonly<Record<string, number>>
  readonly serverCpu: number
  readonly memory: Readonly<Record<string, number>>
  readonly rounds: readonly Round[]
}

/** @param base - what the API server asks of itself, per second */
async function measureRest({ stack, server }: Scene, base: ReadonlyMap<string, number>): Promise<Rest> {
  await sleep(SETTLE_MS)
  const [requests, cpu, serverMs, beganAt] = [
    await server.requests(),
    sumByPart(stack, cpuMs),
    cpuMs(server.pid()),
    Date.now(),
  ]
  await sleep(REST_MS)
  const after = sumByPart(stack, cpuMs)
  const rates = ratesOf(requests, await server.requests(), REST_MS / 1_000)
  const net = [...rates].map(([key, rate]): [string, number] => [key, rate - (base.get(key) ?? 0)])
  return {
    rates: new Map(net.filter(([, rate]) => rate > 1 / (REST_MS / 1_000)).toSorted((a, b) => b[1] - a[1])),
    cpu: Object.fromEntries(
      Object.entries(after).map(([part, ms]) => [part, ((ms - (cpu[part] ?? 0)) * 100) / REST_MS]),
    ),
    serverCpu: ((cpuMs(server.pid()) - serverMs) * 100) / REST_MS,
    memory: sumByPart(stack, proportionalMb),
    rounds: roundsIn(stack).filter(({ atMs, tookMs }) => atMs - tookMs >= beganAt),
  }
}

async function areAllSeen({ call, clusterId }: Scene, count: number): Promise<boolean> {
  const page = await call('GET', `/v1/instances?cluster=${clusterId}&state=Ready&limit=1`)
  return page['total'] === count && (page['unseen'] as readonly Json[]).length === 0
}

type Restart = { readonly answersMs: number; readonly seenMs: number; readonly roundMs: number }

async function restartPlatform(scene: Scene, count: number): Promise<Restart> {
  const { stack, call } = scene
  const killedAt = Date.now()
  process.kill(platformPid(stack), 'SIGKILL')
  const answersMs = await waitUntil('an answer', async () => 'status' in (await call('GET', '/v1/health')))
  const seenMs = answersMs + (await waitUntil('all Instances', () => areAllSeen(scene, count)))
  let roundMs = 0
  await waitUntil('a whole walk', async () => {
    const round = roundsIn(stack).find(({ atMs, keys }) => atMs > killedAt && keys >= SIZE.applications)
    roundMs = (round?.atMs ?? killedAt) - killedAt
    return round !== undefined
  })
  return { answersMs, seenMs, roundMs }
}

type Cut = { readonly readyMs: number; readonly rightMs: number; readonly requests: Requests }

/** While the platform's API server is away, Instances go and others come; the new one knows nothing of what was before it. */
async function cutWatches(scene: Scene, { workloads }: Released, count: number): Promise<Cut> {
  const { client, server, call } = scene
  const namespace = workloads[0]?.namespace ?? ''
  const path = `/api/v1/namespaces/${namespace}/pods`
  const names = async (): Promise<readonly string[]> => {
    const list = JSON.parse((await client.call('GET', path)).toString('utf8')) as {
      readonly items: readonly {
        readonly metadata: { readonly name: string; readonly deletionTimestamp?: string }
        readonly status: { readonly phase?: string }
      }[]
    }
    const there = list.items.filter(
      ({ metadata, status }) => metadata.deletionTimestamp === undefined && status.phase === 'Running',
    )
    return there.map(({ metadata }) => metadata.name).toSorted()
  }
  const before = await names()
  await server.end()
  const gone = before.slice(0, GONE)
  for (const name of gone) await client.call('DELETE', `${path}/${name}?gracePeriodSeconds=0`)
  let after: readonly string[] = []
  await waitUntil('others in their place', async () => {
    after = await names()
    return after.length === before.length && !after.some((name) => gone.includes(name))
  })
  const begin = performance.now()
  await server.begin()
  const readyMs = performance.now() - begin
  const rightMs = await waitUntil('the platform to see what is there', async () => {
    if (!(await areAllSeen(scene, count))) return false
    const seen = await call('GET', `/v1/instances?limit=200&text=${workloads[0]?.project ?? ''}/`)
    const items = seen['items'] as readonly Json[]
    const found = new Set(items.map((one) => String(one['name'])))
    return after.every((name) => found.has(name)) && !gone.some((name) => found.has(name))
  })
  await sleep(5_000)
  return { readyMs, rightMs, requests: await server.requests() }
}

async function releases(probe: Probe): Promise<readonly number[]> {
  await releaseOnce(probe)
  const times: number[] = []
  for (let round = 0; round < RELEASES; round += 1) times.push(await releaseOnce(probe))
  return times
}

async function run(): Promise<void> {
  if (!(await canRunRealClusters(say))) throw new Error('this bench needs a real control plane')
  await using stack = await startStack(['--no-sample', '--log-level=debug'])
  const { call } = await signIn(stack)
  const accounts = await makeAccounts(stack, call, READERS)
  const [operator] = accounts
  if (operator === undefined) throw new Error('there are no accounts')
  say(`a control plane with ${SIZE.nodes} nodes`)
  await using cluster = await startRealCluster({ kwokNodes: SIZE.nodes, progress: say })
  await using server = await startOwnServer(cluster)
  const idle = await server.requests()
  await sleep(BASE_MS)
  const base = ratesOf(idle, await server.requests(), BASE_MS / 1_000)
  const kubeconfig = readFileSync(server.kubeconfigPath, 'utf8')
  const made = await call('POST', '/v1/clusters', { slug: 'fleet', name: 'Fleet', kubeconfig })
  using client = apiClient(cluster.kubeconfigPath, 4)
  const scene: Scene = { stack, accounts, call: operator.call, server, client, clusterId: String(made['id']) }
  say('Releases on an empty platform')
  const probe = await makeProbe(stack, operator, 'fleet')
  const empty = await releases(probe)
  await sleep(SETTLE_MS)
  const emptyMemory = sumByPart(stack, proportionalMb)
  say(`${SIZE.applications} Applications`)
  const released = await releaseFleet(stack, accounts, { cluster: 'fleet', size: SIZE, say })
  const count = SIZE.instances + 4
  await waitUntil('all Instances', () => areAllSeen(scene, count))
  say('at rest')
  const rest = await measureRest(scene, base)
  const lists = await measureLists(scene)
  say('Releases among all others')
  const among = await releases(probe)
  const peak = sumByPart(stack, proportionalMb)
  say('restart of the platform')
  const restart = await restartPlatform(scene, count)
  say('loss of the watches')
  const cut = await cutWatches(scene, released, count)
  report({ empty, emptyMemory, released, rest, lists, among, peak, restart, cut })
}

type Figures = {
  readonly empty: readonly number[]
  readonly emptyMemory: Readonly<Record<string, number>>
  readonly released: Released
  readonly rest: Rest
  readonly lists: Readonly<Record<string, Times>>
  readonly among: readonly number[]
  readonly peak: Readonly<Record<string, number>>
  readonly restart: Restart
  readonly cut: Cut
}

function report({ empty, emptyMemory, released, rest, lists, among, peak, restart, cut }: Figures): void {
  const seconds = (ms: number): string => figure(ms / 1_000)
  const total = [...rest.rates.values()].reduce((sum, rate) => sum + rate, 0)
  const walks = rest.rounds.map(({ tookMs }) => tookMs)
  publish({
    name: 'fleet',
    notes: [
      `${figure(SIZE.applications)} Applications of ${figure(Math.ceil(SIZE.applications / 10))} Projects, each with a Workload, an Image and a Release of its own, all through the API of the platform; ${figure(SIZE.instances)} Instances on ${figure(SIZE.nodes)} nodes of a real control plane (kwok: they run nothing). Nothing is put there behind the platform's back.`,
      'The Cluster is registered by kubeconfig, so the platform works there with its account of least privilege. It has no Gateway: traffic follows the Instances, and no probe goes through a route.',
      'The platform speaks to an API server of its own on the same store, whose metrics count nothing else; what that one asks of itself is taken off.',
      'Product, control plane, nodes and this script share the two cores. PostgreSQL is the one that npm start brings.',
    ],
    tables: [
      {
        title: 'Lists, ms',
        columns: ['', 'one reader: p50', 'p95', `${READERS} at once: p50`, 'p95'],
        rows: Object.entries(lists).map(([name, { alone, together }]) => [
          name,
          ...[alone, together].flatMap((times) => [figure(median(times)), figure(quantile(times, 0.95))]),
        ]),
      },
      {
        title: 'Memory, MB (PSS)',
        columns: ['', 'one Application', 'all of them', 'ratio', 'after lists and Releases'],
        rows: Object.keys(emptyMemory).map((part) => [
          part,
          figure(emptyMemory[part] ?? 0),
          figure(rest.memory[part] ?? 0),
          figure((rest.memory[part] ?? 0) / (emptyMemory[part] ?? 0)),
          figure(peak[part] ?? 0),
        ]),
      },
      {
        title: `At rest, over ${REST_MS / 1_000} s`,
        columns: ['', 'figure'],
        rows: [
          ['requests to the API server per second', figure(total)],
          ['one walk over all Workloads, s', seconds(median(walks))],
          ['the longest of them, s', seconds(Math.max(...walks))],
          // PostgreSQL's processes come and go, and take their time with them.
          ...Object.entries(rest.cpu)
            .filter(([part]) => part !== 'PostgreSQL')
            .map(([part, share]) => [`CPU of ${part}, % of a core`, figure(share)]),
          ['CPU of its API server, % of a core', figure(rest.serverCpu)],
        ],
      },
      {
        title: 'Requests at rest, per minute',
        columns: ['', 'per minute'],
        rows: [...rest.rates].map(([what, rate]) => [what, figure(rate * 60)]),
      },
      {
        title: 'Releases, s',
        columns: ['', 'median', 'longest', 'ratio'],
        rows: [
          [
            'one of four Instances, nothing else there',
            seconds(median(empty)),
            seconds(Math.max(...empty)),
            '1',
          ],
          [
            `the same among ${figure(SIZE.applications)} others`,
            seconds(median(among)),
            seconds(Math.max(...among)),
            figure(median(among) / median(empty)),
          ],
          [`all ${figure(SIZE.applications)}, asked for at once`, figure(released.releasedS), '–', '–'],
          [`before that: making ${figure(SIZE.applications)} Applications`, figure(released.madeS), '–', '–'],
          [`before that: pushing ${figure(SIZE.applications)} Images`, figure(released.pushedS), '–', '–'],
        ],
      },
      {
        title: 'Right again, s',
        columns: ['', 's'],
        rows: [
          ['platform killed: until it answers', seconds(restart.answersMs)],
          ['until it shows all Instances', seconds(restart.seenMs)],
          ['until the engine has looked at every Workload', seconds(restart.roundMs)],
          ['API server killed: its own start', seconds(cut.readyMs)],
          [`then until the platform shows what changed meanwhile (${GONE} Instances)`, seconds(cut.rightMs)],
        ],
      },
      {
        title: 'Requests from that start to 5 s after everything was right',
        columns: ['', 'requests'],
        rows: [...cut.requests]
          .filter(([, requests]) => requests > 1)
          .toSorted((a, b) => b[1] - a[1])
          .slice(0, 15)
          .map(([what, requests]) => [what, figure(requests)]),
      },
    ],
  })
}

await run()
