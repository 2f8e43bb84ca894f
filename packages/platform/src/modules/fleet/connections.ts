import { messageOf, MINUTE_MS, SECOND_MS } from '@slipway/kit'
import { KubeError, parseKubeconfig, readiness, type ClusterAccess, type Kube } from '@slipway/kube'

import type { Platform } from '../../context.ts'
import type { Agents } from './agents.ts'
import { clientOf } from './credential.ts'
import { fleetErrors } from './errors.ts'
import { readFacts } from './facts.ts'
import { gatewaysFromHere } from './gateway.ts'
import { grantNamespace } from './grant.ts'
import type { Cluster, ClusterConnection, ClusterFacts, ClusterPods, Clusters, Health } from './model.ts'
import { isForeign, nextPulse, skewOf, wantingPauseMs, type Pulse } from './plan.ts'
import * as queries from './queries.ts'
import { sharedReads } from './shared-read.ts'
import { watchWorkloads, type WorkloadWatch } from './watch.ts'

/*
 * One client per Cluster for the whole process. Every Cluster is asked for its readiness every few seconds; while it does
 * not answer, nobody gets a connection, so nothing is decided from silence. Facts are read again now and then, since a
 * gateway may be installed later.
 */
const PULSE_MS = 4 * SECOND_MS
const PULSE_TIMEOUT_MS = 2 * SECOND_MS
const FACTS_MS = MINUTE_MS
const RELOAD_MS = 15 * SECOND_MS
/** Facts that take longer are given up, in ms: somebody may wait for them. */
const FACTS_TIMEOUT_MS = 10 * SECOND_MS

type Connected = {
  readonly cluster: Cluster
  readonly kube: Kube & Disposable
  readonly watch: WorkloadWatch
  pulse: Pulse
  facts: ClusterFacts | undefined
  factsAtMs: number
  /** Since when something has been wrong with them. */
  wantingSinceMs: number | undefined
  /** Facts that are being read. */
  reading: Promise<ClusterFacts> | undefined
  /** It knows us and lets us do nothing; only facts that can be read again end that. */
  isDenied: boolean
  signs: ServerSigns
}

/** What the server's answers tell beside their content. */
export type ServerSigns = {
  /** How much its clock is ahead of ours, in ms. */
  readonly skewMs: number | undefined
  readonly certificateExpiresAt: Date | undefined
}

export type ClusterStatus = {
  readonly health: Health
  readonly facts: ClusterFacts | undefined
  readonly signs: ServerSigns
}

const NO_SIGNS: ServerSigns = { skewMs: undefined, certificateExpiresAt: undefined }

export type Connections = Clusters &
  AsyncDisposable & {
    /** Health and facts as last seen; nothing is asked. */
    readonly statusOf: (clusterId: string) => ClusterStatus
    /** All pods of Workloads by Cluster as last seen; without pods where that is not known. */
    readonly podsSeen: () => readonly ClusterPods[]
    /** Calls `listener` when a pod or Deployment of a Workload changed; a hint that may be missed. */
    readonly onWorkloadChange: (listener: (workloadId: string) => void) => Disposable
    /** Begins to watch over all Clusters. */
    readonly start: () => Promise<void>
  }

export function openConnections(
  platform: Platform,
  agents: Pick<Agents, 'clientOf' | 'askGatewayOf'>,
): Connections {
  const { clock, log, database } = platform
  const gateways = gatewaysFromHere(platform.settings)
  const open = new Map<string, Connected>()
  const stopping = new AbortController()
  const listeners = new Set<(workloadId: string) => void>()
  const closing = new Set<Promise<void>>()
  let loop: Promise<void> = Promise.resolve()
  let reloadAtMs = -Infinity

  function close(one: Connected): void {
    const closed = closeNow(one)
    closing.add(closed)
    void closed.finally(() => closing.delete(closed))
  }

  function connected(cluster: Cluster): Connected {
    const known = open.get(cluster.id)
    if (known && known.cluster.updatedAt.getTime() === cluster.updatedAt.getTime()) return known
    if (known) close(known)
    const kube = connectTo(cluster)
    const isLimited = cluster.credential.kind !== 'given'
    const fresh: Connected = {
      cluster,
      kube,
      watch: watchWorkloads(platform, { slug: cluster.slug, kube, isLimited }, (workloadId) => {
        for (const listener of listeners) listener(workloadId)
      }),
      pulse: { health: { state: 'connecting', since: clock.now(), message: '' }, misses: 0 },
      facts: undefined,
      factsAtMs: -Infinity,
      wantingSinceMs: undefined,
      reading: undefined,
      isDenied: false,
      signs: NO_SIGNS,
    }
    open.set(cluster.id, fresh)
    return fresh
  }

  function connectTo(cluster: Cluster): Kube & Disposable {
    if (cluster.credential.kind === 'agent') return agents.clientOf(cluster.id)
    const { access } = parseKubeconfig(openKubeconfig(platform, cluster))
    return clientOf(platform, access, () => newestCredentials(cluster.id))
  }

  /** Asked for when a token is refused: it may have been renewed since this connection began. */
  async function newestCredentials(clusterId: string): Promise<ClusterAccess['credentials']> {
    const cluster = await clusterNow(clusterId)
    return cluster ? parseKubeconfig(openKubeconfig(platform, cluster)).access.credentials : {}
  }

  async function ask(one: Connected): Promise<void> {
    const askedAt = clock.now()
    const answer = await readiness(one.kube, clock, { timeoutMs: PULSE_TIMEOUT_MS, signal: stopping.signal })
    if (answer.ready && answer.server) {
      const { time, certificateExpiresAt } = answer.server
      one.signs = {
        skewMs: time && skewOf(time, askedAt, clock.now()),
        certificateExpiresAt: certificateExpiresAt ?? one.signs.certificateExpiresAt,
      }
    }
    if (!answer.ready || !one.isDenied) beat(one, answer)
    // Not waited for: a Cluster that falls silent in the middle must not keep the others from being asked.
    if (answer.ready && (one.isDenied || clock.monotonicMs() - one.factsAtMs >= FACTS_MS))
      void refresh(one).catch((thrown: unknown) =>
        log.debug({ cluster: one.cluster.slug, error: messageOf(thrown) }, 'reading its facts failed'),
      )
  }

  function beat(one: Connected, answer: Parameters<typeof nextPulse>[1]): void {
    const before = one.pulse.health.state
    one.pulse = nextPulse(one.pulse, answer, clock.now())
    const { state, message } = one.pulse.health
    if (state !== before) log.info({ cluster: one.cluster.slug, state, message }, 'cluster health changed')
  }

  function refresh(one: Connected): Promise<ClusterFacts> {
    one.reading ??= readAnew(one).finally(() => (one.reading = undefined))
    return one.reading
  }

  async function readAnew(one: Connected): Promise<ClusterFacts> {
    try {
      const options = { signal: stopping.signal, timeoutMs: FACTS_TIMEOUT_MS }
      one.facts = await readFacts(one.kube, one.cluster.gateway, options)
      one.factsAtMs = clock.monotonicMs()
      one.wantingSinceMs = isWanting(one.facts) ? (one.wantingSinceMs ?? one.factsAtMs) : undefined
      if (one.isDenied) beat(one, { ready: true })
      one.isDenied = false
      return one.facts
    } catch (thrown) {
      // Its readiness may be read by anybody; that we may do nothing else shows here.
      if (thrown instanceof KubeError && (thrown.code === 401 || thrown.code === 403)) {
        one.isDenied = thrown.code === 403
        beat(one, { ready: false, why: thrown.message, isRefused: true })
      }
      throw thrown
    }
  }

  async function watchOver(): Promise<void> {
    while (!stopping.signal.aborted) {
      const startedMs = clock.monotonicMs()
      try {
        if (clock.monotonicMs() >= reloadAtMs) {
          await reload()
          reloadAtMs = clock.monotonicMs() + RELOAD_MS
        }
        await Promise.allSettled([...open.values()].map(ask))
      } catch (thrown) {
        log.warn({ error: messageOf(thrown) }, 'asking the clusters failed')
      }
      // From beginning to beginning: three misses must fit into the time after which nothing is known.
      const restMs = startedMs + PULSE_MS - clock.monotonicMs()
      await clock.sleep(Math.max(0, restMs), stopping.signal).catch(() => undefined)
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

  /** Every pass over a Workload asks for its Cluster. */
  const clusterNow = sharedReads((clusterId) =>
    database.transactAsSystem((db) => queries.findCluster(db, clusterId), { readOnly: true }),
  )

  async function connect(clusterId: string): Promise<ClusterConnection> {
    const cluster = await clusterNow(clusterId)
    if (!cluster) throw fleetErrors.cluster_unknown({ cluster: clusterId })
    const one = connected(cluster)
    const { state, message } = one.pulse.health
    if (state === 'credentials')
      throw fleetErrors.cluster_credentials_expired(
        { cluster: cluster.slug, problem: message },
        { retryAfterSeconds: 5 },
      )
    if (state === 'unknown')
      throw fleetErrors.cluster_unreachable(
        { cluster: cluster.slug, problem: message },
        { retryAfterSeconds: 5 },
      )
    const facts = await factsOf(one)
    if (isForeign(facts.owner, platform.installationId))
      throw fleetErrors.cluster_owned({ owner: facts.owner.installationId, address: facts.owner.address })
    return {
      kube: one.kube,
      podsSeen: one.watch.pods,
      objectsSeen: one.watch.objects,
      askGateway: cluster.credential.kind === 'agent' ? agents.askGatewayOf(cluster.id) : gateways.ask,
      ...(cluster.credential.kind !== 'given' &&
        facts.offers.leastPrivilege && {
          grantNamespace: (namespace: string, signal: AbortSignal) =>
            grantNamespace(platform, one.kube, namespace, signal),
        }),
      ...facts,
    }
  }

  function isWanting({ gateway, owner }: ClusterFacts): boolean {
    return gateway === undefined || isForeign(owner, platform.installationId)
  }

  /** What may be mended on the Cluster is looked for again until it is, but not by everyone who asks. */
  async function factsOf(one: Connected): Promise<ClusterFacts> {
    const { facts, factsAtMs, wantingSinceMs = factsAtMs } = one
    const isOld = clock.monotonicMs() - factsAtMs >= wantingPauseMs(factsAtMs - wantingSinceMs)
    if (facts !== undefined && !(isWanting(facts) && isOld)) return facts
    try {
      return await refresh(one)
    } catch (thrown) {
      throw fleetErrors.cluster_unreachable(
        { cluster: one.cluster.slug, problem: messageOf(thrown).slice(0, 200) },
        { cause: thrown, retryAfterSeconds: 5 },
      )
    }
  }

  return {
    connect,
    statusOf(clusterId) {
      const one = open.get(clusterId)
      // It was registered since, maybe at another replica.
      if (!one) reloadAtMs = -Infinity
      const health = one?.pulse.health ?? { state: 'connecting' as const, since: clock.now(), message: '' }
      return { health, facts: one?.facts, signs: one?.signs ?? NO_SIGNS }
    },
    podsSeen: () =>
      [...open.values()].map(({ cluster: { id, slug }, pulse, watch }) => ({
        id,
        slug,
        pods: pulse.health.state === 'unknown' ? undefined : watch.pods(),
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
      await gateways[Symbol.asyncDispose]()
    },
  }
}

async function closeNow({ watch, kube }: Connected): Promise<void> {
  await watch[Symbol.asyncDispose]()
  kube[Symbol.dispose]()
}

export function openKubeconfig(platform: Pick<Platform, 'envelope'>, cluster: Cluster): string {
  return platform.envelope.open(cluster.credentials, credentialsOwner(cluster.id)).toString('utf8')
}

/** What a sealed kubeconfig belongs to. */
export function credentialsOwner(clusterId: string): readonly [string, string, string, string] {
  return ['', 'kubeconfig', clusterId, '1']
}
