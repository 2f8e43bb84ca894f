/*
 * The embedded cluster beside a real control plane (kube-apiserver, etcd, controller manager, scheduler, kwok), one after the
 * other on the same machine: making 5,000 pods, listing them, delivering changes to 50 watchers, and bringing up 1,000 pods of a
 * Deployment on simulated nodes. Simulated nodes run nothing: what is measured is the control plane.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { canRunRealClusters } from '../tools/kubernetes/availability.ts'
import { startRealCluster } from '../tools/kubernetes/cluster.ts'
import { type ApiClient, apiClient, eachIndex } from './api-client.ts'
import { cpuMs, cpuOfAllMs, residentMb, treeOf } from './processes.ts'
import { figure, median, publish, quantile } from './report.ts'

const PODS = Number(process.argv[2] ?? 5_000)
const BATCHES = 5
const CONNECTIONS = 32
const LISTS = 9
const WATCHERS = 50
const CHANGES = 200
const REPLICAS = 1_000
const NODES = 25
const PODS_PATH = '/api/v1/namespaces/bench/pods'
const READY_DEADLINE_MS = 180_000

type Server = AsyncDisposable & {
  readonly name: string
  readonly kubeconfigPath: string
  readonly startMs: number
  /** Name → pid. The first ones are the API with its store, the others what works on top of it. */
  readonly api: Readonly<Record<string, number>>
  readonly others: Readonly<Record<string, number>>
  readonly nodeSelector: Readonly<Record<string, string>>
}

async function startEmbedded(): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-bench-'))
  chmodSync(folder, 0o711)
  const options = {
    dataFolder: folder,
    apiPort: 0,
    gatewayPort: 0,
    simulatedNodes: { nodes: NODES, podsPerNode: 250, readyDelayMs: 0 },
  }
  const script = fileURLToPath(new URL('../packages/minicluster/src/main.ts', import.meta.url))
  const begin = performance.now()
  // With the flags that `npm start` gives it.
  const flags = ['--conditions=source', '--max-semi-space-size=4']
  const child = spawn(process.execPath, [...flags, script, JSON.stringify(options)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const [ready] = (await once(child, 'message')) as [
    { readonly kubeconfigPath: string; readonly error?: string },
  ]
  if (ready.error !== undefined) throw new Error(ready.error)
  return {
    name: 'embedded',
    kubeconfigPath: ready.kubeconfigPath,
    startMs: performance.now() - begin,
    api: { 'one process for all': child.pid ?? 0 },
    others: {},
    nodeSelector: { 'slipway/simulated': 'true' },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      if (child.exitCode === null) await once(child, 'exit')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function startReal(): Promise<Server> {
  const begin = performance.now()
  const cluster = await startRealCluster({ kwokNodes: NODES, progress: (line) => console.error(line) })
  const startMs = performance.now() - begin
  const programs = new Map(
    treeOf(cluster.supervisorPid).map(({ pid, command }) => [basename(command.split(' ')[0] ?? ''), pid]),
  )
  const pick = (names: readonly string[]): Record<string, number> =>
    Object.fromEntries(names.map((name) => [name, programs.get(name) ?? Number.NaN]))
  return {
    name: 'Kubernetes 1.35.4',
    kubeconfigPath: cluster.kubeconfigPath,
    startMs,
    api: pick(['kube-apiserver', 'etcd']),
    others: pick(['kube-controller-manager', 'kube-scheduler', 'kwok']),
    nodeSelector: { type: 'kwok' },
    [Symbol.asyncDispose]: cluster.stop,
  }
}

/** A pod of usual size: about 3.9 KB as the API gives it. */
function podSpec(more: object): object {
  const environment = Array.from({ length: 12 }, (_, index) => ({
    name: `SETTING_${index}`,
    value: `a value of some length, number ${index}`,
  }))
  return {
    automountServiceAccountToken: false,
    containers: [
      {
        name: 'main',
        image:
          'registry.example.com/team/application@sha256:0000000000000000000000000000000000000000000000000000000000000000',
        ports: [{ containerPort: 8080 }],
        env: environment,
        resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '128Mi' } },
        readinessProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1 },
      },
    ],
    ...more,
  }
}

type Figures = Readonly<Record<string, number>>

async function prepare(client: ApiClient): Promise<void> {
  await client.call('POST', '/api/v1/namespaces', { metadata: { name: 'bench' } })
  const deadline = performance.now() + READY_DEADLINE_MS
  while (performance.now() < deadline) {
    const found = await client
      .call('GET', '/api/v1/namespaces/bench/serviceaccounts/default')
      .catch(() => undefined)
    if (found) return
    await sleep(50)
  }
  throw new Error('the ServiceAccount of the namespace did not come')
}

/** Pods that no scheduler takes: what is measured is the API and its store alone. */
async function measureCreates(client: ApiClient, server: Server): Promise<Figures> {
  const pids = Object.values(server.api)
  const rates: number[] = []
  const costs: number[] = []
  const size = Math.ceil(PODS / BATCHES)
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const [begin, cpuBegin] = [performance.now(), cpuOfAllMs(pids)]
    await eachIndex(size, CONNECTIONS, (index) =>
      client.call('POST', PODS_PATH, {
        metadata: { name: `pod-${batch}-${index}`, labels: { app: 'bench', batch: String(batch) } },
        spec: podSpec({ schedulerName: 'nobody' }),
      }),
    )
    rates.push((size * 1_000) / (performance.now() - begin))
    costs.push((cpuOfAllMs(pids) - cpuBegin) / size)
  }
  return { 'creates per second': median(rates), 'CPU per create, ms': median(costs) }
}

async function measureLists(client: ApiClient, server: Server): Promise<Figures> {
  const pids = Object.values(server.api)
  const times: number[] = []
  const costs: number[] = []
  let bytes = 0
  for (let round = 0; round < LISTS; round += 1) {
    const [begin, cpuBegin] = [performance.now(), cpuOfAllMs(pids)]
    bytes = (await client.call('GET', PODS_PATH)).length
    times.push(performance.now() - begin)
    costs.push(cpuOfAllMs(pids) - cpuBegin)
  }
  return {
    'list of all, p50 ms': median(times),
    'CPU per list, ms': median(costs),
    'bytes of the list, MB': bytes / 1e6,
  }
}

async function change(client: ApiClient, index: number, value: string): Promise<void> {
  const body = { metadata: { labels: { change: value } } }
  await client.call('PATCH', `${PODS_PATH}/pod-0-${index}`, body, 'application/merge-patch+json')
}

/** The same changes without and with watchers: the difference is what the delivery costs. */
async function measureWatches(client: ApiClient, server: Server): Promise<Figures> {
  const pids = Object.values(server.api)
  const cpuBegin = cpuOfAllMs(pids)
  for (let index = 0; index < CHANGES; index += 1) await change(client, index, 'alone')
  const cpuAlone = cpuOfAllMs(pids) - cpuBegin

  const list = JSON.parse((await client.call('GET', `${PODS_PATH}?limit=1`)).toString('utf8')) as {
    readonly metadata: { readonly resourceVersion: string }
  }
  let delivered = 0
  let all: (() => void) | undefined
  const path = `${PODS_PATH}?watch=1&timeoutSeconds=600&resourceVersion=${list.metadata.resourceVersion}`
  for (let watcher = 0; watcher < WATCHERS; watcher += 1)
    await client.watch(path, (count) => {
      delivered += count
      if (delivered >= WATCHERS) all?.()
    })
  const times: number[] = []
  const cpuWatched = cpuOfAllMs(pids)
  for (let index = 0; index < CHANGES; index += 1) {
    delivered = 0
    const seen = new Promise<void>((resolve) => (all = resolve))
    const begin = performance.now()
    await Promise.all([change(client, index, 'watched'), seen])
    times.push(performance.now() - begin)
  }
  const costUs = ((cpuOfAllMs(pids) - cpuWatched - cpuAlone) * 1_000) / (CHANGES * WATCHERS)
  return {
    [`change seen by ${WATCHERS} watchers, p50 ms`]: median(times),
    [`change seen by ${WATCHERS} watchers, p95 ms`]: quantile(times, 0.95),
    'CPU per event delivered, µs': costUs,
  }
}

/** The whole control plane at work: Deployment, ReplicaSet, scheduler, nodes. */
async function measureDeployment(client: ApiClient, server: Server): Promise<Figures> {
  const pids = [...Object.values(server.api), ...Object.values(server.others)]
  const path = '/apis/apps/v1/namespaces/bench/deployments'
  const labels = { app: 'deployed' }
  const tolerations = [{ key: 'slipway/simulated', operator: 'Exists' }]
  const [begin, cpuBegin] = [performance.now(), cpuOfAllMs(pids)]
  await client.call('POST', path, {
    metadata: { name: 'deployed' },
    spec: {
      replicas: REPLICAS,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: podSpec({ nodeSelector: server.nodeSelector, tolerations }) },
    },
  })
  for (;;) {
    const reply = await client.call('GET', `${path}/deployed`)
    const { status } = JSON.parse(reply.toString('utf8')) as {
      readonly status?: { readonly readyReplicas?: number }
    }
    if (status?.readyReplicas === REPLICAS) break
    if (performance.now() - begin > READY_DEADLINE_MS)
      throw new Error(`only ${status?.readyReplicas ?? 0} of ${REPLICAS} pods became ready`)
    await sleep(100)
  }
  return {
    [`Deployment of ${REPLICAS} ready, s`]: (performance.now() - begin) / 1_000,
    [`CPU of all processes for it, s`]: (cpuOfAllMs(pids) - cpuBegin) / 1_000,
  }
}

async function measureIdle(server: Server): Promise<Figures> {
  const pids = [...Object.values(server.api), ...Object.values(server.others)]
  const idleMs = 5_000
  const cpuBegin = cpuOfAllMs(pids)
  await sleep(idleMs)
  return { 'CPU idle afterwards, % of a core': ((cpuOfAllMs(pids) - cpuBegin) * 100) / idleMs }
}

const memory = (pids: Readonly<Record<string, number>>): number =>
  Object.values(pids).reduce((sum, pid) => sum + residentMb(pid), 0)

async function measure(server: Server): Promise<Figures> {
  using client = apiClient(server.kubeconfigPath, CONNECTIONS)
  await prepare(client)
  const fresh = memory({ ...server.api, ...server.others })
  const figures = {
    'start until usable, s': server.startMs / 1_000,
    'memory fresh, all processes, MB': fresh,
    ...(await measureCreates(client, server)),
    ...(await measureLists(client, server)),
    'memory of API and store then, MB': memory(server.api),
    ...(await measureWatches(client, server)),
    ...(await measureDeployment(client, server)),
    'memory of all processes at the end, MB': memory({ ...server.api, ...server.others }),
    ...(await measureIdle(server)),
  }
  console.error(`${server.name}: CPU so far by process`, byProcess(server))
  return figures
}

function byProcess(server: Server): Record<string, number> {
  const all = Object.entries({ ...server.api, ...server.others })
  return Object.fromEntries(all.map(([name, pid]) => [name, cpuMs(pid)]))
}

async function run(
  start: () => Promise<Server>,
): Promise<{ readonly name: string; readonly figures: Figures }> {
  await using server = await start()
  return { name: server.name, figures: await measure(server) }
}

const canRunReal = await canRunRealClusters((line) => console.error(line))
const embedded = await run(startEmbedded)
const real = canRunReal ? await run(startReal) : undefined
const rows = Object.entries(embedded.figures).map(([what, value]) => {
  const other = real?.figures[what]
  return [what, figure(value), ...(other === undefined ? [] : [figure(other), figure(other / value)])]
})
publish({
  name: 'cluster',
  notes: [
    `${figure(PODS)} pods in ${BATCHES} batches over ${CONNECTIONS} kept connections (medians of the batches); ${NODES} simulated nodes, on which nothing runs.`,
    `The pods of the first part have a scheduler name that nobody answers to, so that API and store work alone; the Deployment of ${REPLICAS} then takes the whole control plane.`,
    'The embedded store flushes its log to the disk as always, many writes at a time; etcd runs with --unsafe-no-fsync, which favors it.',
    'The client shares the two cores with the server; CPU is that of the server processes alone.',
    'The embedded cluster is one process: its API figures include its controllers and its scheduler, which look at every pod too.',
  ],
  tables: [
    {
      title: `${figure(PODS)} pods`,
      columns: ['', embedded.name, ...(real ? [real.name, 'ratio'] : [])],
      rows,
    },
  ],
})
