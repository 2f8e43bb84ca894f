import { errorOf } from '@slipway/kit'

import { eventRecorder, type RecordEvent } from '../events.ts'
import {
  type Again,
  controllerOf,
  forEachBounded,
  isStatus,
  keyOf,
  type Parts,
  runController,
  splitKey,
  unlessGone,
} from '../kit.ts'
import { indexObjects, type ObjectIndex } from '../object-index.ts'
import { isActive, ownerReference, type Pod, podFromTemplate } from '../pods.ts'
import { matchesSelector } from '../selector.ts'
import { claimPods, planScale, planStatus, type ReplicaSet } from './plan.ts'

const MANAGER = 'replicaset-controller'
const WRITES_AT_ONCE = 32

type Failure = { readonly reason: string; readonly message: string }
type Room = Parts & {
  readonly record: RecordEvent
  readonly podsByOwner: ObjectIndex<'pods'>
  readonly orphansByNamespace: ObjectIndex<'pods'>
}

/** Keeps the wished number of pods for every ReplicaSet. */
export function startReplicaSetController(parts: Parts): AsyncDisposable {
  const podsByOwner = indexObjects(parts.registry, 'pods', (pod) => {
    const owner = controllerOf(pod)
    return owner?.kind === 'ReplicaSet' ? [owner.uid] : []
  })
  const orphansByNamespace = indexObjects(parts.registry, 'pods', (pod) =>
    controllerOf(pod) === undefined && isActive(pod) ? [pod.metadata.namespace ?? ''] : [],
  )
  const room: Room = { ...parts, record: eventRecorder(parts, MANAGER), podsByOwner, orphansByNamespace }
  const controller = runController(parts, {
    name: MANAGER,
    concurrency: 8,
    keysOf(change) {
      if (change.resource === 'replicasets') return [keyOf(change.object)]
      if (change.resource !== 'pods') return []
      return [...keysOfPod(room, change.object), ...(change.old ? keysOfPod(room, change.old) : [])]
    },
    firstKeys: () => parts.registry.list('replicasets').map(keyOf),
    reconcile: (key) => reconcileReplicaSet(room, key),
  })
  return {
    async [Symbol.asyncDispose]() {
      await controller[Symbol.asyncDispose]()
      podsByOwner[Symbol.dispose]()
      orphansByNamespace[Symbol.dispose]()
    },
  }
}

function keysOfPod(room: Room, pod: Pod): string[] {
  const owner = controllerOf(pod)
  const namespace = pod.metadata.namespace ?? ''
  if (owner) return owner.kind === 'ReplicaSet' ? [`${namespace}/${owner.name}`] : []
  return room.registry
    .list('replicasets', namespace)
    .filter((replicaSet) => matchesSelector(replicaSet.spec?.selector, pod.metadata.labels))
    .map(keyOf)
}

async function reconcileReplicaSet(room: Room, key: string): Promise<Again> {
  const { namespace, name } = splitKey(key)
  const replicaSet = room.registry.get('replicasets', namespace, name)
  if (!replicaSet) return {}
  const claims = claimPods(replicaSet, [
    ...room.podsByOwner.get(replicaSet.metadata.uid),
    ...room.orphansByNamespace.get(namespace),
  ])
  await settleClaims(room, replicaSet, claims)

  const own = [...claims.own, ...claims.adopt]
  const scale = planScale(replicaSet, own)
  let failure: Failure | undefined
  if (scale.create > 0) failure = await createPods(room, replicaSet, scale.create)
  if (scale.remove.length > 0) failure = await removePods(room, replicaSet, scale.remove)

  const again = await writeStatus(room, key, failure)
  // A refusal (quota, terminating namespace) may end without any event of ours: try again, ever more slowly.
  if (failure) throw new Error(failure.message)
  return again
}

async function settleClaims(
  room: Room,
  replicaSet: ReplicaSet,
  claims: { readonly adopt: readonly Pod[]; readonly release: readonly Pod[] },
): Promise<void> {
  for (const pod of claims.adopt) {
    const ownerReferences = [...(pod.metadata.ownerReferences ?? []), ownerReference(replicaSet)]
    await room.registry.update('pods', { ...pod, metadata: { ...pod.metadata, ownerReferences } }, MANAGER)
  }
  for (const pod of claims.release) {
    const ownerReferences = pod.metadata.ownerReferences?.filter(
      (reference) => reference.uid !== replicaSet.metadata.uid,
    )
    const metadata = { ...pod.metadata, ownerReferences: ownerReferences ?? [] }
    await unlessGone(room.registry.update('pods', { ...pod, metadata }, MANAGER))
  }
}

/** Makes pods in batches of 1, 2, 4, …, so that a refusal of the first one is not repeated hundreds of times. */
async function createPods(room: Room, replicaSet: ReplicaSet, count: number): Promise<Failure | undefined> {
  const template = replicaSet.spec?.template
  if (!template) return undefined
  const pod = podFromTemplate(replicaSet, template)
  let done = 0
  let batch = 1
  while (done < count) {
    const size = Math.min(batch, count - done)
    const failures: Error[] = []
    await forEachBounded(
      Array.from({ length: size }, () => pod),
      WRITES_AT_ONCE,
      async (pod) => {
        try {
          const created = await room.registry.create('pods', pod, MANAGER)
          room.record(replicaSet, {
            type: 'Normal',
            reason: 'SuccessfulCreate',
            message: `Created pod: ${created.metadata.name}`,
          })
        } catch (thrown) {
          failures.push(errorOf(thrown))
        }
      },
    )
    const [first] = failures
    if (first) return failedToCreate(room, replicaSet, first)
    done += size
    batch *= 2
  }
  return undefined
}

function failedToCreate(room: Room, replicaSet: ReplicaSet, error: Error): Failure | undefined {
  // The namespace is going away, and this ReplicaSet with it.
  if (
    isStatus(error, 'Forbidden') &&
    error.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating')
  )
    return undefined
  room.record(replicaSet, {
    type: 'Warning',
    reason: 'FailedCreate',
    message: `Error creating: ${error.message}`,
  })
  return { reason: 'FailedCreate', message: error.message }
}

async function removePods(
  room: Room,
  replicaSet: ReplicaSet,
  pods: readonly Pod[],
): Promise<Failure | undefined> {
  let failure: Failure | undefined
  await forEachBounded(pods, WRITES_AT_ONCE, async (pod) => {
    const { namespace, name, uid } = pod.metadata
    try {
      await unlessGone(room.registry.remove('pods', namespace, name, { preconditions: { uid } }))
      room.record(replicaSet, { type: 'Normal', reason: 'SuccessfulDelete', message: `Deleted pod: ${name}` })
    } catch (thrown) {
      const message = errorOf(thrown).message
      room.record(replicaSet, {
        type: 'Warning',
        reason: 'FailedDelete',
        message: `Error deleting: ${message}`,
      })
      failure = { reason: 'FailedDelete', message }
    }
  })
  return failure
}

async function writeStatus(room: Room, key: string, failure: Failure | undefined): Promise<Again> {
  const { namespace, name } = splitKey(key)
  const replicaSet = room.registry.get('replicasets', namespace, name)
  if (!replicaSet) return {}
  const own = room.podsByOwner.get(replicaSet.metadata.uid)
  const { status, againInMs } = planStatus(replicaSet, own, failure, room.clock.now())
  await unlessGone(room.registry.updateStatus('replicasets', { ...replicaSet, status }, MANAGER))
  return { againInMs }
}
