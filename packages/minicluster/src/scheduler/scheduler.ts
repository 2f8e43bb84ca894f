import { errorOf } from '@slipway/kit'

import { timeText, withCondition } from '../controllers/conditions.ts'
import { eventRecorder, type RecordEvent } from '../controllers/events.ts'
import {
  isSameJson,
  isStatus,
  keyOf,
  keyQueue,
  type KeyQueue,
  type Parts,
  splitKey,
  unlessGone,
} from '../controllers/kit.ts'
import { isFinished } from '../controllers/pods.ts'
import type { Change } from '../model.ts'
import { decide } from './plan.ts'
import {
  type ClusterState,
  dropNode,
  emptyState,
  type Node,
  placePod,
  type Pod,
  putNode,
  removePod,
} from './state.ts'

const NAME = 'default-scheduler'
const BINDS_AT_ONCE = 64
/** A pod that found no node is tried again after this long even if nothing changes, in case a change was overlooked. */
const UNSCHEDULABLE_RETRY_MS = 60_000

type Room = Parts & {
  readonly state: ClusterState
  readonly record: RecordEvent
  /** Keys of pods that found no node, with what was said about each. */
  readonly unschedulable: Map<string, string>
  searchStart: number
}

/** Gives every pending pod a node, and says of those that fit nowhere why. */
export function startScheduler(parts: Parts): AsyncDisposable {
  const { registry } = parts
  const room: Room = {
    ...parts,
    state: emptyState(),
    record: eventRecorder(parts, NAME),
    unschedulable: new Map(),
    searchStart: 0,
  }
  for (const node of registry.list('nodes')) putNode(room.state, node)
  for (const pod of registry.list('pods')) trackPod(room, pod)
  // A decision is made without waiting for anything, so decisions follow each other; only their writing runs side by side.
  const queue = keyQueue(parts, {
    name: NAME,
    concurrency: BINDS_AT_ONCE,
    reconcile: (key) => schedule(room, key),
  })
  const observer = registry.observe((change) => follow(room, queue, change))
  for (const pod of registry.list('pods')) if (isPending(pod)) queue.wake(keyOf(pod))
  return {
    async [Symbol.asyncDispose]() {
      observer[Symbol.dispose]()
      await queue[Symbol.asyncDispose]()
    },
  }
}

function isPending(pod: Pod): boolean {
  const scheduler = pod.spec?.schedulerName ?? NAME
  const isUnassigned = pod.spec?.nodeName === undefined || pod.spec.nodeName === ''
  return (
    isUnassigned && scheduler === NAME && !isFinished(pod) && pod.metadata.deletionTimestamp === undefined
  )
}

function trackPod({ state }: Room, pod: Pod): void {
  const node = pod.spec?.nodeName ?? ''
  if (node === '') return
  if (isFinished(pod)) removePod(state, pod.metadata.uid)
  else placePod(state, pod, node)
}

function follow(room: Room, queue: KeyQueue, change: Change): void {
  if (change.resource === 'nodes') {
    if (change.type === 'DELETED') dropNode(room.state, change.object.metadata.name)
    else putNode(room.state, change.object)
    if (change.type !== 'DELETED' && mayTakeMore(change.object, change.old)) retryAll(room, queue)
    return
  }
  if (change.resource !== 'pods') return
  const pod = change.object
  if (change.type === 'DELETED') {
    removePod(room.state, pod.metadata.uid)
    room.unschedulable.delete(keyOf(pod))
    if (pod.spec?.nodeName !== undefined) retryAll(room, queue)
    return
  }
  trackPod(room, pod)
  const hasEnded = isFinished(pod) && change.old !== undefined && !isFinished(change.old)
  if (hasEnded || isNewlyPlaced(change)) retryAll(room, queue)
  if (isPending(pod) && isNews(pod, change.old)) queue.wake(keyOf(pod))
}

/** A pod that waits for the company of others may find a place now. */
function isNewlyPlaced(change: Extract<Change, { resource: 'pods' }>): boolean {
  return change.object.spec?.nodeName !== change.old?.spec?.nodeName && change.old !== undefined
}

/** Writes of the status, our own among them, change nothing about where a pod fits. */
function isNews(pod: Pod, old: Pod | undefined): boolean {
  return (
    old === undefined ||
    !isSameJson(old.spec, pod.spec) ||
    !isSameJson(old.metadata.labels, pod.metadata.labels)
  )
}

function mayTakeMore(node: Node, old: Node | undefined): boolean {
  if (!old) return true
  const traits = (one: Node): string =>
    JSON.stringify([one.spec?.unschedulable, one.spec?.taints, one.status?.allocatable, one.metadata.labels])
  return traits(node) !== traits(old)
}

function retryAll(room: Room, queue: KeyQueue): void {
  for (const key of room.unschedulable.keys()) queue.wake(key)
}

async function schedule(room: Room, key: string): Promise<{ readonly againInMs?: number }> {
  const { namespace, name } = splitKey(key)
  const pod = room.registry.get('pods', namespace, name)
  if (!pod || !isPending(pod) || room.state.placed.has(pod.metadata.uid)) return {}
  if ((pod.spec?.schedulingGates?.length ?? 0) > 0) {
    const message = 'Scheduling is blocked due to non-empty scheduling gates'
    await writeUnscheduled(room, pod, { reason: 'SchedulingGated', message })
    return {}
  }
  const decision = decide(room.state, pod, room.searchStart)
  if (decision.kind === 'unschedulable') {
    await refuse(room, key, pod, decision.message)
    return { againInMs: UNSCHEDULABLE_RETRY_MS }
  }
  room.searchStart = decision.nextStart
  room.unschedulable.delete(key)
  placePod(room.state, pod, decision.node)
  try {
    await room.registry.bind(namespace, name, decision.node)
  } catch (thrown) {
    forget(room, pod)
    if (isStatus(thrown, 'NotFound')) return {}
    throw errorOf(thrown)
  }
  room.record(pod, {
    type: 'Normal',
    reason: 'Scheduled',
    message: `Successfully assigned ${namespace}/${name} to ${decision.node}`,
  })
  return {}
}

/** Takes back a decision that could not be written, unless the pod is on a node by somebody else's hand. */
function forget(room: Room, pod: Pod): void {
  removePod(room.state, pod.metadata.uid)
  const present = room.registry.get('pods', pod.metadata.namespace, pod.metadata.name)
  if (present?.metadata.uid === pod.metadata.uid) trackPod(room, present)
}

async function refuse(room: Room, key: string, pod: Pod, message: string): Promise<void> {
  const isKnown = room.unschedulable.get(key) === message
  room.unschedulable.set(key, message)
  if (isKnown) return
  room.record(pod, { type: 'Warning', reason: 'FailedScheduling', message })
  await writeUnscheduled(room, pod, { reason: 'Unschedulable', message })
}

async function writeUnscheduled(
  room: Room,
  pod: Pod,
  why: { readonly reason: string; readonly message: string },
): Promise<void> {
  const known = pod.status?.conditions?.find((condition) => condition.type === 'PodScheduled')
  if (known?.status === 'False' && known.reason === why.reason && known.message === why.message) return
  const condition = { type: 'PodScheduled', status: 'False', ...why }
  const conditions = withCondition(pod.status?.conditions ?? [], condition, timeText(room.clock.now()))
  await unlessGone(
    room.registry.updateStatus('pods', { ...pod, status: { ...pod.status, conditions } }, NAME),
  )
}
