import { timeText, withCondition } from '../conditions.ts'
import { eventRecorder, type RecordEvent } from '../events.ts'
import { type Again, forEachBounded, keyOf, type Parts, runController, unlessGone } from '../kit.ts'
import { indexObjects, type ObjectIndex } from '../object-index.ts'
import { isFinished, type Pod } from '../pods.ts'
import { evictionInMs, GRACE_MS, isSameTaints, lostConditions, type Node, wantedTaints } from './plan.ts'

const MANAGER = 'node-controller'
const LEASES = 'kube-node-lease'
const WRITES_AT_ONCE = 16
/** Simulated nodes have no process behind them that could be lost; their heartbeats are taken for granted. */
export const SIMULATED_LABEL = 'slipway/simulated'

type Seen = { readonly mark: string; readonly atMs: number }
type Room = Parts & {
  readonly record: RecordEvent
  readonly podsByNode: ObjectIndex<'pods'>
  readonly seen: Map<string, Seen>
}

/** Watches the nodes' signs of life, taints the ones that are lost, and evicts pods that do not tolerate it. */
export function startNodeController(parts: Parts): AsyncDisposable {
  const podsByNode = indexObjects(parts.registry, 'pods', (pod) =>
    pod.spec?.nodeName === undefined || pod.spec.nodeName === '' ? [] : [pod.spec.nodeName],
  )
  const room: Room = { ...parts, record: eventRecorder(parts, MANAGER), podsByNode, seen: new Map() }
  const controller = runController(parts, {
    name: MANAGER,
    concurrency: 4,
    keysOf(change) {
      if (change.resource === 'nodes') return [change.object.metadata.name]
      if (change.resource === 'leases')
        return change.object.metadata.namespace === LEASES ? [change.object.metadata.name] : []
      if (change.resource !== 'pods' || change.type !== 'MODIFIED') return []
      const node = change.object.spec?.nodeName
      const isNew = node !== undefined && change.old?.spec?.nodeName !== node
      return isNew && (parts.registry.get('nodes', undefined, node)?.spec?.taints?.length ?? 0) > 0
        ? [node]
        : []
    },
    firstKeys: () => parts.registry.list('nodes').map(keyOf),
    reconcile: (name) => reconcileNode(room, name),
  })
  return {
    async [Symbol.asyncDispose]() {
      await controller[Symbol.asyncDispose]()
      podsByNode[Symbol.dispose]()
    },
  }
}

async function reconcileNode(room: Room, name: string): Promise<Again> {
  let node = room.registry.get('nodes', undefined, name)
  if (!node || node.metadata.deletionTimestamp !== undefined) {
    if (!node) room.seen.delete(name)
    return {}
  }
  const leftMs = silenceLeftMs(room, node)
  if (leftMs !== undefined && leftMs <= 0) node = await markLost(room, node)
  const taints = wantedTaints(node, room.clock.now())
  if (!isSameTaints(taints, node.spec?.taints ?? [])) {
    const { taints: _, ...spec } = node.spec ?? {}
    const next = { ...node, spec: { ...spec, ...(taints.length > 0 ? { taints } : {}) } }
    node = await room.registry.update('nodes', next, MANAGER)
  }
  const evictionMs = await evict(room, node)
  const times = [leftMs !== undefined && leftMs > 0 ? leftMs : undefined, evictionMs].filter(
    (ms) => ms !== undefined,
  )
  return { againInMs: times.length > 0 ? Math.min(...times) : undefined }
}

/** Milliseconds for which the node may still be silent; undefined when nobody expects it to speak. */
function silenceLeftMs(room: Room, node: Node): number | undefined {
  if (node.metadata.labels?.[SIMULATED_LABEL] === 'true') return undefined
  const { name } = node.metadata
  const nowMs = room.clock.monotonicMs()
  const lease = room.registry.get('leases', LEASES, name)
  const heartbeats = (node.status?.conditions ?? [])
    .filter((condition) => condition.status !== 'Unknown')
    .map((condition) => condition.lastHeartbeatTime ?? '')
  const mark = [lease?.spec?.renewTime, ...heartbeats].join(' ')
  const known = room.seen.get(name)
  if (known?.mark !== mark && !(known && mark.trim() === '')) room.seen.set(name, { mark, atMs: nowMs })
  const sinceMs = nowMs - (room.seen.get(name)?.atMs ?? nowMs)
  return GRACE_MS - sinceMs
}

async function markLost(room: Room, node: Node): Promise<Node> {
  const conditions = lostConditions(node, room.clock.now())
  if (!conditions) return node
  room.record(node, {
    type: 'Normal',
    reason: 'NodeNotReady',
    message: `Node ${node.metadata.name} status is now: NodeNotReady`,
  })
  // The heartbeats change with this very write; it must not count as a sign of life.
  const lost = await room.registry.updateStatus(
    'nodes',
    { ...node, status: { ...node.status, conditions } },
    MANAGER,
  )
  const known = room.seen.get(node.metadata.name)
  const lease = room.registry.get('leases', LEASES, node.metadata.name)
  if (known) room.seen.set(node.metadata.name, { ...known, mark: [lease?.spec?.renewTime].join(' ') })
  await forEachBounded(room.podsByNode.get(node.metadata.name), WRITES_AT_ONCE, (pod) =>
    markNotReady(room, pod),
  )
  return lost
}

/** Nobody knows whether the pods of a lost node still answer, so no traffic goes to them. */
async function markNotReady(room: Room, pod: Pod): Promise<void> {
  const conditions = pod.status?.conditions ?? []
  const ready = conditions.find((condition) => condition.type === 'Ready')
  if (ready?.status !== 'True' || isFinished(pod)) return
  const next = withCondition(conditions, { type: 'Ready', status: 'False' }, timeText(room.clock.now()))
  await unlessGone(
    room.registry.updateStatus('pods', { ...pod, status: { ...pod.status, conditions: next } }, MANAGER),
  )
  room.record(pod, { type: 'Warning', reason: 'NodeNotReady', message: 'Node is not ready' })
}

async function evict(room: Room, node: Node): Promise<number | undefined> {
  const taints = node.spec?.taints ?? []
  if (!taints.some((taint) => taint.effect === 'NoExecute')) return undefined
  const now = room.clock.now()
  let nextMs: number | undefined
  const due: Pod[] = []
  for (const pod of room.podsByNode.get(node.metadata.name)) {
    const inMs = evictionInMs(pod, taints, now)
    if (inMs === undefined) continue
    if (inMs === 0) due.push(pod)
    else nextMs = Math.min(nextMs ?? inMs, inMs)
  }
  await forEachBounded(due, WRITES_AT_ONCE, async (pod) => {
    const { namespace, name, uid } = pod.metadata
    room.record(pod, {
      type: 'Normal',
      reason: 'TaintManagerEviction',
      message: `Marking for deletion Pod ${namespace ?? ''}/${name}`,
    })
    await unlessGone(room.registry.remove('pods', namespace, name, { preconditions: { uid } }))
  })
  return nextMs
}

/** Removes pods that no node will ever end: their node is gone, or they were deleted before they had one. */
export function startPodCollector(parts: Parts): AsyncDisposable {
  const { registry, clock } = parts
  const quarantineMs = 40_000
  const missingSince = new Map<string, number>()
  return runController(parts, {
    name: 'pod-garbage-collector',
    concurrency: 1,
    keysOf: (change) => (change.resource === 'nodes' && change.type !== 'MODIFIED' ? ['pods'] : []),
    firstKeys: () => ['pods'],
    async reconcile() {
      const nowMs = clock.monotonicMs()
      const nodes = new Set(registry.list('nodes').map(keyOf))
      for (const name of nodes) missingSince.delete(name)
      const orphans: Pod[] = []
      for (const pod of registry.list('pods')) {
        const node = pod.spec?.nodeName ?? ''
        if (node === '' && pod.metadata.deletionTimestamp !== undefined) orphans.push(pod)
        if (node === '' || nodes.has(node)) continue
        const sinceMs = missingSince.get(node) ?? nowMs
        missingSince.set(node, sinceMs)
        if (nowMs - sinceMs >= quarantineMs) orphans.push(pod)
      }
      await forEachBounded(orphans, WRITES_AT_ONCE, (pod) => removeOrphan(parts, pod))
      return { againInMs: 20_000 }
    },
  })
}

async function removeOrphan({ registry, clock }: Parts, pod: Pod): Promise<void> {
  const { namespace, name, uid } = pod.metadata
  if (!isFinished(pod) && pod.spec?.nodeName !== undefined) {
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByPodGC',
      message: 'PodGC: node no longer exists',
    }
    const conditions = withCondition(pod.status?.conditions ?? [], condition, timeText(clock.now()))
    const status = { ...pod.status, phase: 'Failed', conditions }
    await unlessGone(registry.updateStatus('pods', { ...pod, status }, 'pod-garbage-collector'))
  }
  await unlessGone(
    registry.remove('pods', namespace, name, { gracePeriodSeconds: 0, preconditions: { uid } }),
  )
}
