import { MINUTE_MS } from '@slipway/kit'

import type { Objects } from '../../model.ts'
import { eventRecorder, type RecordEvent } from '../events.ts'
import {
  type Again,
  controllerOf,
  forEachBounded,
  keyOf,
  type Parts,
  runController,
  splitKey,
  unlessGone,
} from '../kit.ts'
import { indexObjects, type ObjectIndex } from '../object-index.ts'
import { isFinished, type Pod, podFromTemplate } from '../pods.ts'
import { INDEX_ANNOTATION } from './indexes.ts'
import { finishedCondition, type Job, planJob, TRACKING_FINALIZER } from './plan.ts'

const MANAGER = 'job-controller'
const WRITES_AT_ONCE = 16

type Room = Parts & { readonly record: RecordEvent; readonly podsByOwner: ObjectIndex<'pods'> }

/** Runs every Job's pods to its number of completions, counts them once, and removes finished Jobs when their time is over. */
export function startJobController(parts: Parts): AsyncDisposable {
  const podsByOwner = indexObjects(parts.registry, 'pods', (pod) => {
    const owner = controllerOf(pod)
    return owner?.kind === 'Job' ? [owner.uid, `${pod.metadata.namespace ?? ''}/${owner.name}`] : []
  })
  const room: Room = { ...parts, record: eventRecorder(parts, MANAGER), podsByOwner }
  const controller = runController(parts, {
    name: MANAGER,
    concurrency: 8,
    keysOf(change) {
      if (change.resource === 'jobs') return [keyOf(change.object)]
      if (change.resource !== 'pods') return []
      const owner = controllerOf(change.object)
      return owner?.kind === 'Job' ? [`${change.object.metadata.namespace ?? ''}/${owner.name}`] : []
    },
    firstKeys: () => [
      ...parts.registry.list('jobs').map(keyOf),
      // Pods of Jobs that are gone still carry our finalizer.
      ...parts.registry.list('pods').flatMap((pod) => {
        const owner = controllerOf(pod)
        return owner?.kind === 'Job' ? [`${pod.metadata.namespace ?? ''}/${owner.name}`] : []
      }),
    ],
    reconcile: (key) => reconcileJob(room, key),
  })
  return {
    async [Symbol.asyncDispose]() {
      await controller[Symbol.asyncDispose]()
      podsByOwner[Symbol.dispose]()
    },
  }
}

async function reconcileJob(room: Room, key: string): Promise<Again> {
  const { namespace, name } = splitKey(key)
  const job = room.registry.get('jobs', namespace, name)
  await releaseStrays(room, namespace, name, job)
  if (!job) return {}
  const pods = room.podsByOwner.get(job.metadata.uid)
  if (job.metadata.deletionTimestamp !== undefined) {
    await untrack(room, pods)
    return {}
  }
  const isOver = finishedCondition(job)
  if (isOver) {
    await untrack(room, pods)
    return removeWhenDue(room, job, isOver.lastTransitionTime)
  }
  const plan = planJob(job, pods, room.clock.now())
  // The status first: a pod may lose its finalizer only when it stands there.
  await room.registry.updateStatus('jobs', { ...job, status: plan.status }, MANAGER)
  await untrack(room, plan.untrack)
  await removePods(room, job, plan.remove)
  await forEachBounded(plan.create, WRITES_AT_ONCE, ({ index }) => createPod(room, job, index))
  if (plan.finished)
    room.record(job, {
      type: plan.finished.type === 'Complete' ? 'Normal' : 'Warning',
      reason: plan.finished.type === 'Complete' ? 'Completed' : plan.finished.reason,
      message: plan.finished.type === 'Complete' ? 'Job completed' : plan.finished.message,
    })
  return { againInMs: plan.againInMs }
}

/** Pods whose Job is gone (or was made anew under the same name) must not be held by its finalizer. */
async function releaseStrays(
  room: Room,
  namespace: string,
  name: string,
  job: Job | undefined,
): Promise<void> {
  const strays = room.podsByOwner
    .get(`${namespace}/${name}`)
    .filter((pod) => controllerOf(pod)?.uid !== job?.metadata.uid)
  await untrack(room, strays)
}

async function untrack(room: Room, pods: readonly Pod[]): Promise<void> {
  await forEachBounded(pods, WRITES_AT_ONCE, async (stale) => {
    const pod = room.registry.get('pods', stale.metadata.namespace, stale.metadata.name)
    if (!pod?.metadata.finalizers?.includes(TRACKING_FINALIZER)) return
    const finalizers = pod.metadata.finalizers.filter((finalizer) => finalizer !== TRACKING_FINALIZER)
    await unlessGone(
      room.registry.update('pods', { ...pod, metadata: { ...pod.metadata, finalizers } }, MANAGER),
    )
  })
}

async function removePods(room: Room, job: Job, pods: readonly Pod[]): Promise<void> {
  await forEachBounded(pods, WRITES_AT_ONCE, async (pod) => {
    const { namespace, name, uid } = pod.metadata
    if (isFinished(pod)) return
    await unlessGone(room.registry.remove('pods', namespace, name, { preconditions: { uid } }))
    room.record(job, { type: 'Normal', reason: 'SuccessfulDelete', message: `Deleted pod: ${name}` })
  })
}

async function createPod(room: Room, job: Job, index: number | undefined): Promise<void> {
  const template = job.spec?.template
  if (!template) return
  const pod = podFromTemplate(job, template)
  const finalizers = [...(pod.metadata?.finalizers ?? []), TRACKING_FINALIZER]
  const tracked = { ...pod, metadata: { ...pod.metadata, finalizers } }
  const created = await room.registry.create(
    'pods',
    index === undefined ? tracked : withIndex(tracked, job, index),
    MANAGER,
  )
  room.record(job, {
    type: 'Normal',
    reason: 'SuccessfulCreate',
    message: `Created pod: ${created.metadata.name}`,
  })
}

/** What an Indexed Job adds: the index as annotation, label, part of the name, and JOB_COMPLETION_INDEX in the environment. */
function withIndex(pod: Objects['pods'], job: Job, index: number): Objects['pods'] {
  const value = String(index)
  const variable = { name: 'JOB_COMPLETION_INDEX', value }
  const withVariable = (container: NonNullable<Objects['pods']['spec']>['containers'][number]) => ({
    ...container,
    env: [...(container.env ?? []).filter(({ name }) => name !== variable.name), variable],
  })
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      generateName: `${job.metadata.name.slice(0, 50)}-${value}-`,
      annotations: { ...pod.metadata?.annotations, [INDEX_ANNOTATION]: value },
      labels: { ...pod.metadata?.labels, [INDEX_ANNOTATION]: value },
    },
    ...(pod.spec ? { spec: { ...pod.spec, containers: pod.spec.containers.map(withVariable) } } : {}),
  }
}

async function removeWhenDue(room: Room, job: Job, finishedAt: string | undefined): Promise<Again> {
  const ttlSeconds = job.spec?.ttlSecondsAfterFinished
  if (ttlSeconds === undefined) return {}
  const dueMs = Date.parse(finishedAt ?? job.metadata.creationTimestamp) + ttlSeconds * 1000
  const leftMs = dueMs - room.clock.now().getTime()
  // Long times are waited for in pieces: a timer beyond 24 days would fire at once.
  if (leftMs > 0) return { againInMs: Math.min(leftMs, 60 * MINUTE_MS) }
  const { namespace, name, uid } = job.metadata
  await unlessGone(
    room.registry.remove('jobs', namespace, name, {
      propagationPolicy: 'Foreground',
      preconditions: { uid },
    }),
  )
  return {}
}
