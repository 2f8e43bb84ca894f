import type { Objects, Stored } from '../model.ts'

export type Pod = Stored<'pods'>
type PodTemplate = NonNullable<NonNullable<Objects['replicasets']['spec']>['template']>

/** A pod that still counts: neither finished nor on its way out. */
export function isActive(pod: Pod): boolean {
  return !isFinished(pod) && pod.metadata.deletionTimestamp === undefined
}

export function isFinished(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
}

export function isReady(pod: Pod): boolean {
  return readyCondition(pod)?.status === 'True'
}

/** When the pod became ready, in ms since 1970; undefined while it is not. */
export function readySinceMs(pod: Pod): number | undefined {
  const condition = readyCondition(pod)
  if (condition?.status !== 'True') return undefined
  return Date.parse(condition.lastTransitionTime ?? pod.metadata.creationTimestamp)
}

function readyCondition(pod: Pod) {
  return pod.status?.conditions?.find((condition) => condition.type === 'Ready')
}

/** Milliseconds until a ready pod counts as available; 0 when it does, undefined when it is not ready. */
export function availableInMs(pod: Pod, minReadySeconds: number, now: Date): number | undefined {
  const sinceMs = readySinceMs(pod)
  if (sinceMs === undefined) return undefined
  return Math.max(0, sinceMs + minReadySeconds * 1000 - now.getTime())
}

type Owner = {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly uid: string; readonly namespace?: string }
}

/** The reference by which a controller owns what it makes. */
export function ownerReference(owner: Owner) {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  }
}

/** A pod as its owner's template describes it. */
export function podFromTemplate(owner: Owner, template: PodTemplate): Objects['pods'] {
  const spec = template.spec
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${owner.metadata.name.slice(0, 57)}-`,
      ...(owner.metadata.namespace === undefined ? {} : { namespace: owner.metadata.namespace }),
      ...(template.metadata?.labels ? { labels: template.metadata.labels } : {}),
      ...(template.metadata?.annotations ? { annotations: template.metadata.annotations } : {}),
      ...(template.metadata?.finalizers ? { finalizers: template.metadata.finalizers } : {}),
      ownerReferences: [ownerReference(owner)],
    },
    ...(spec ? { spec } : {}),
  }
}
