import { messageOf, MINUTE_MS, SECOND_MS } from '@slipway/kit'
import {
  discover,
  eachObject,
  kubeClient,
  parseKubeconfig,
  readiness,
  serverVersion,
  type Kube,
  type Live,
} from '@slipway/kube'

import type { Platform } from '../../context.ts'
import { VERSION } from '../../version.ts'
import { fleetErrors } from './errors.ts'
import type {
  Cluster,
  ClusterConnection,
  ClusterFacts,
  ClusterPods,
  Clusters,
  GatewaySettings,
  Health,
} from './model.ts'
import { gatewayFactsOf, nextPulse, type Pulse } from './plan.ts'
import * as queries from './queries.ts'
import { watchWorkloads, type WorkloadWatch } from './watch.ts'

/*
 * One client per Cluster for the whole process. Every Cluster is asked for its readiness every few seconds; while it does
 * not answer, nobody gets a connection, so nothing is decided from silence. Facts are read again now and then, since a
 * gateway may be installed later.
 */
const PULSE_MS = 4 * SECOND_MS
const PULSE_TIMEOUT_MS = 2 * SECOND_MS
const FACTS_MS = MINUTE_MS
/** How often a gateway is looked for where there is none, in ms. */
const GATEWAY_MS = 2 * SECOND_MS
const RELOAD_MS = 15 * SECOND_MS
const RUNTIME_LABEL = 'slipway/runtime=process'

type Connected = {
  readonly cluster: Cluster
  readonly kube: Kube & Disposable
  readonly watch: WorkloadWatch
  pulse: Pulse
  facts: ClusterFacts | undefined
  factsAtMs: number
}

export type Connections = Clusters &
  AsyncDisposable & {
    /** Health and facts as last seen; nothing is asked. */
    readonly statusOf: (clusterId: string) => {
      readonly health: Health
      readonly facts: ClusterFacts | undefined
    }
    /** All pods of Workloads by Cluster as last seen; without pods where that is not known. */
    readonly podsSeen: () => readonly ClusterPods[]
    /** Calls `listener` when a pod or Deployment of a Workload changed; a hint that may be missed. */
    readonly onWorkloadChange: (listener: (workloadId: string) => void) => Disposable
    /** Begins to watch over all Clusters. */
    readonly start: () => Promise<void>
  }

export function openConnections(platform: Platform): Connections {
  const { clock, log, database } = platform
  const open = new Map<string, Connected>()
  const stopping = new AbortController()
  const listeners = new Set<(workloadId: string) => void>()
  const closing = new Set<Promise<void>>()
  let loop: Promise<void> = Promise.resolve()

  function close(one: Connected): void {
    const closed = closeNow(one)
    closing.add(closed)
    void closed.finally(() => closing.delete(closed))
  }

  function connected(cluster: Cluster): Connected {
    const known = open.get(cluster.id)
    if (known && known.cluster.updatedAt.getTime() === cluster.updatedAt.getTime()) return known
    if (known) close(known)
    const kube = clientOf(platform, openKubeconfig(platform, cluster))
    const fresh: Connected = {
      cluster,
      kube,
      watch: watchWorkloads(platform, { slug: cluster.slug, kube }, (workloadId) => {
        for (const listener of listeners) listener(workloadId)
      }),
      pulse: { health: { state: 'connecting', since: clock.now(), message: '' }, misses: 0 },
      facts: undefined,
      factsAtMs: -Infinity,
    }
    open.set(cluster.id, fresh)
    return fresh
  }

  async function ask(one: Connected): Promise<void> {
    const answer = await readiness(one.kube, clock, { timeoutMs: PULSE_TIMEOUT_MS, signal: stopping.signal })
    const before = one.pulse.health.state
    one.pulse = nextPulse(one.pulse, answer, clock.now())
    const { state, message } = one.pulse.health
    if (state !== before) log.info({ cluster: one.cluster.slug, state, message }, 'cluster health changed')
    if (answer.ready && clock.monotonicMs() - one.factsAtMs >= FACTS_MS) await refresh(one)
  }

  async function refresh(one: Connected): Promise<ClusterFacts> {
    const facts = await readFacts(one.kube, one.cluster.gateway, stopping.signal)
    one.facts = facts
    one.factsAtMs = clock.monotonicMs()
    return facts
  }

  async function watchOver(): Promise<void> {
    let reloadAtMs = -Infinity
    while (!stopping.signal.aborted) {
      try {
        if (clock.monotonicMs() >= reloadAtMs) {
          await reload()
          reloadAtMs = clock.monotonicMs() + RELOAD_MS
        }
        await Promise.allSettled([...open.values()].map(ask))
      } catch (thrown) {
        log.warn({ error: messageOf(thrown) }, 'asking the clusters failed')
      }
      await clock.sleep(PULSE_MS, stopping.signal).catch(() => undefined)
    }
  }

  async function reload(): Promise<void> {
    const clusters = await database.transactAsSystem((db) => queries.allClusters(db), { readOnly: true })
    for (const cluster of clusters) connected(cluster)
    const known = new Set(clusters.map(({ id }) => id))
    for (const [id, one] of open) {
      if (known.has(id)) continue
      close(one)
      open.delete(id)
    }
  }

  async function connect(clusterId: string): Promise<ClusterConnection> {
    const cluster = await database.transactAsSystem((db) => queries.findCluster(db, clusterId), {
      readOnly: true,
    })
    if (!cluster) throw fleetErrors.cluster_unknown({ cluster: clusterId })
    const one = connected(cluster)
    const { state, message } = one.pulse.health
    if (state === 'unknown')
      throw fleetErrors.cluster_unreachable(
        { cluster: cluster.slug, problem: message },
        { retryAfterSeconds: 5 },
      )
    try {
      // A missing gateway may only not be there yet, so it is looked for again until it is, but not by everyone who asks.
      const isOld = clock.monotonicMs() - one.factsAtMs >= GATEWAY_MS
      const facts =
        one.facts === undefined || (one.facts.gateway === undefined && isOld) ? await refresh(one) : one.facts
      return { kube: one.kube, podsSeen: one.watch.pods, objectsSeen: one.watch.objects, ...facts }
    } catch (thrown) {
      throw fleetErrors.cluster_unreachable(
        { cluster: cluster.slug, problem: messageOf(thrown).slice(0, 200) },
        { cause: thrown, retryAfterSeconds: 5 },
      )
    }
  }

  return {
    connect,
    statusOf(clusterId) {
      const one = open.get(clusterId)
      const health = one?.pulse.health ?? { state: 'connecting' as const, since: clock.now(), message: '' }
      return { health, facts: one?.facts }
    },
    podsSeen: () =>
      [...open.values()].map(({ cluster: { id, slug }, pulse, watch }) => ({
        id,
        slug,
        pods: pulse.health.state === 'unknown' ? undefined : watch.allPods(),
      })),
    onWorkloadChange(listener) {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
    async start() {
      await reload()
      loop = watchOver()
    },
    async [Symbol.asyncDispose]() {
      stopping.abort(new Error('the platform stops'))
      await loop
      for (const one of open.values()) close(one)
      await Promise.all(closing)
    },
  }
}

async function closeNow({ watch, kube }: Connected): Promise<void> {
  await watch[Symbol.asyncDispose]()
  kube[Symbol.dispose]()
}

function openKubeconfig(platform: Platform, cluster: Cluster): string {
  return platform.envelope.open(cluster.credentials, credentialsOwner(cluster.id)).toString('utf8')
}

/** What a sealed kubeconfig belongs to. */
export function credentialsOwner(clusterId: string): readonly [string, string, string, string] {
  return ['', 'kubeconfig', clusterId, '1']
}

export function clientOf(platform: Pick<Platform, 'clock'>, kubeconfig: string): Kube & Disposable {
  return kubeClient({
    access: parseKubeconfig(kubeconfig).access,
    clock: platform.clock,
    userAgent: `slipway/${VERSION}`,
  })
}

/** Reads what a Cluster is like. @throws {KubeError} when it does not answer */
export async function readFacts(
  kube: Kube,
  settings: GatewaySettings,
  signal: AbortSignal,
): Promise<ClusterFacts> {
  const [version, discovery, nodes] = await Promise.all([
    serverVersion(kube, { signal }),
    discover(kube, { signal }),
    kube.list('nodes', { labelSelector: RUNTIME_LABEL, limit: 1, signal }),
  ])
  const gateway = discovery.has('httproutes') ? await readGateway(kube, settings, signal) : undefined
  return { version: version.gitVersion, gateway, processRuntime: nodes.items.length > 0 }
}

async function readGateway(
  kube: Kube,
  settings: GatewaySettings,
  signal: AbortSignal,
): Promise<ClusterFacts['gateway']> {
  const gateways: Live<'gateways'>[] = []
  for await (const gateway of eachObject(kube, 'gateways', { signal })) gateways.push(gateway)
  const classes: Live<'gatewayclasses'>[] = []
  for await (const one of eachObject(kube, 'gatewayclasses', { signal })) classes.push(one)
  return gatewayFactsOf(gateways, classes, settings)
}
