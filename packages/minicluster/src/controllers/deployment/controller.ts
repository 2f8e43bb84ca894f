import { eventRecorder, type RecordEvent } from '../events.ts'
import {
  type Again,
  controllerOf,
  isStatus,
  keyOf,
  type Parts,
  runController,
  splitKey,
  unlessGone,
} from '../kit.ts'
import { indexObjects, type ObjectIndex } from '../object-index.ts'
import { isFinished, ownerReference } from '../pods.ts'
import { matchesSelector } from '../selector.ts'
import { type DeploymentPlan, planDeployment } from './plan.ts'
import { type Deployment, type ReplicaSet, REVISION, templateText } from './template.ts'

const MANAGER = 'deployment-controller'

type Room = Parts & {
  readonly record: RecordEvent
  readonly replicaSetsByOwner: ObjectIndex<'replicasets'>
  readonly podsByOwner: ObjectIndex<'pods'>
}

/** Keeps one ReplicaSet per version for every Deployment and moves pods from the old ones to the new one. */
export function startDeploymentController(parts: Parts): AsyncDisposable {
  const replicaSetsByOwner = indexObjects(parts.registry, 'replicasets', ownerKeys('Deployment'))
  const podsByOwner = indexObjects(parts.registry, 'pods', ownerKeys('ReplicaSet'))
  const room: Room = { ...parts, record: eventRecorder(parts, MANAGER), replicaSetsByOwner, podsByOwner }
  const controller = runController(parts, {
    name: MANAGER,
    concurrency: 8,
    keysOf(change) {
      if (change.resource === 'deployments') return [keyOf(change.object)]
      if (change.resource === 'replicasets') return keysOfReplicaSet(room, change.object)
      // Recreate waits for the last old pod; nothing else depends on single pods.
      if (change.resource === 'pods' && change.type === 'DELETED')
        return keysOfDeletedPod(room, change.object)
      return []
    },
    firstKeys: () => parts.registry.list('deployments').map(keyOf),
    reconcile: (key) => reconcileDeployment(room, key),
  })
  return {
    async [Symbol.asyncDispose]() {
      await controller[Symbol.asyncDispose]()
      replicaSetsByOwner[Symbol.dispose]()
      podsByOwner[Symbol.dispose]()
    },
  }
}

function ownerKeys(kind: string) {
  return (object: Parameters<typeof controllerOf>[0]): readonly string[] => {
    const owner = controllerOf(object)
    return owner?.kind === kind ? [owner.uid] : []
  }
}

function keysOfReplicaSet(room: Room, replicaSet: ReplicaSet): readonly string[] {
  const owner = controllerOf(replicaSet)
  const namespace = replicaSet.metadata.namespace ?? ''
  if (owner) return owner.kind === 'Deployment' ? [`${namespace}/${owner.name}`] : []
  return room.registry
    .list('deployments', namespace)
    .filter((deployment) => matchesSelector(deployment.spec?.selector, replicaSet.metadata.labels))
    .map(keyOf)
}

function keysOfDeletedPod(room: Room, pod: Parameters<typeof controllerOf>[0]): readonly string[] {
  const owner = controllerOf(pod)
  const namespace = pod.metadata.namespace ?? ''
  const replicaSet = owner ? room.registry.get('replicasets', namespace, owner.name) : undefined
  return replicaSet ? keysOfReplicaSet(room, replicaSet) : []
}

async function reconcileDeployment(room: Room, key: string): Promise<Again> {
  const { namespace, name } = splitKey(key)
  const deployment = room.registry.get('deployments', namespace, name)
  if (!deployment) return {}
  const replicaSets = await claimReplicaSets(room, deployment)
  const plan = planDeployment({
    deployment,
    replicaSets,
    unfinishedPods: (replicaSet) =>
      room.podsByOwner.get(replicaSet.metadata.uid).filter((pod) => !isFinished(pod)).length,
    now: room.clock.now(),
  })
  await carryOut(room, deployment, plan)
  await writeBack(room, deployment, plan)
  return { againInMs: plan.againInMs }
}

/** Those it controls, after adopting matching orphans and releasing what no longer matches. */
async function claimReplicaSets(room: Room, deployment: Deployment): Promise<readonly ReplicaSet[]> {
  const { namespace, uid } = deployment.metadata
  const mine: ReplicaSet[] = []
  const isGoing = deployment.metadata.deletionTimestamp !== undefined
  for (const replicaSet of room.replicaSetsByOwner.get(uid)) {
    const matches = matchesSelector(deployment.spec?.selector, replicaSet.metadata.labels)
    if (matches || isGoing) mine.push(replicaSet)
    else {
      const ownerReferences =
        replicaSet.metadata.ownerReferences?.filter((reference) => reference.uid !== uid) ?? []
      const metadata = { ...replicaSet.metadata, ownerReferences }
      await unlessGone(room.registry.update('replicasets', { ...replicaSet, metadata }, MANAGER))
    }
  }
  if (isGoing) return mine
  for (const replicaSet of room.registry.list('replicasets', namespace)) {
    const isOrphan =
      controllerOf(replicaSet) === undefined && replicaSet.metadata.deletionTimestamp === undefined
    if (!isOrphan || !matchesSelector(deployment.spec?.selector, replicaSet.metadata.labels)) continue
    const ownerReferences = [...(replicaSet.metadata.ownerReferences ?? []), ownerReference(deployment)]
    const metadata = { ...replicaSet.metadata, ownerReferences }
    mine.push(await room.registry.update('replicasets', { ...replicaSet, metadata }, MANAGER))
  }
  return mine
}

async function carryOut(room: Room, deployment: Deployment, plan: DeploymentPlan): Promise<void> {
  if (plan.create) await createReplicaSet(room, deployment, plan.create)
  for (const replicaSet of plan.update) await room.registry.update('replicasets', replicaSet, MANAGER)
  for (const replicaSet of plan.remove) {
    const { namespace, name, uid } = replicaSet.metadata
    await unlessGone(room.registry.remove('replicasets', namespace, name, { preconditions: { uid } }))
  }
  for (const event of plan.events) room.record(deployment, event)
}

async function createReplicaSet(
  room: Room,
  deployment: Deployment,
  replicaSet: NonNullable<DeploymentPlan['create']>,
): Promise<void> {
  try {
    await room.registry.create('replicasets', replicaSet, MANAGER)
  } catch (thrown) {
    if (!isStatus(thrown, 'AlreadyExists')) throw thrown
    const { namespace, name } = deployment.metadata
    const other = room.registry.get('replicasets', namespace, replicaSet.metadata?.name ?? '')
    const wanted = deployment.spec?.template
    // Ours after all, or gone again: the next pass sees it. The same name for another template is a collision of the hash.
    const isOurs =
      !other || (wanted && other.spec?.template && templateText(other.spec.template) === templateText(wanted))
    if (isOurs && (!other || controllerOf(other)?.uid === deployment.metadata.uid)) throw thrown
    const present = room.registry.get('deployments', namespace, name)
    if (!present) return
    const collisionCount = (present.status?.collisionCount ?? 0) + 1
    await room.registry.updateStatus(
      'deployments',
      { ...present, status: { ...present.status, collisionCount } },
      MANAGER,
    )
    throw thrown
  }
}

/** The status write carries the revision annotation: a write of the whole object would count as a change of what is wanted. */
async function writeBack(room: Room, deployment: Deployment, plan: DeploymentPlan): Promise<void> {
  const revision = plan.revision > 0 ? { [REVISION]: String(plan.revision) } : {}
  const metadata = {
    ...deployment.metadata,
    annotations: { ...deployment.metadata.annotations, ...revision },
  }
  const next = { ...deployment, metadata, status: plan.status }
  await unlessGone(room.registry.updateStatus('deployments', next, MANAGER))
}
