import { canonicalJson } from '@slipway/kit'

import type { Objects, Stored } from '../../model.ts'
import { ownerReference } from '../pods.ts'

export type Deployment = Stored<'deployments'>
export type ReplicaSet = Stored<'replicasets'>
type Template = NonNullable<NonNullable<Objects['deployments']['spec']>['template']>

const HASH_LABEL = 'pod-template-hash'
export const REVISION = 'deployment.kubernetes.io/revision'
export const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history'
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas'
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas'

const OWN_ANNOTATIONS = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'deprecated.deployment.rollback.to',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
])
/** Letters and digits that spell no word and are not mistaken for each other, as the real controllers use. */
const SAFE_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'
const HISTORY_LENGTH_MAX = 2_000

/** Equal templates have equal text, whatever order their keys were written in; the hash label does not count. */
export function templateText(template: Template): string {
  const { [HASH_LABEL]: _, ...labels } = template.metadata?.labels ?? {}
  return canonicalJson({ ...template, metadata: { ...template.metadata, labels } })
}

/** The value of `pod-template-hash`: FNV-1a of the template and the count of collisions, in safe letters. */
export function templateHash(template: Template, collisionCount: number | undefined): string {
  const text = `${templateText(template)}${collisionCount ?? ''}`
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text, 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return String(hash)
    .split('')
    .map((digit) => SAFE_ALPHABET.charAt(digit.charCodeAt(0) % SAFE_ALPHABET.length))
    .join('')
}

/** The ReplicaSet that runs the present template: the oldest one that is equal. */
export function findNewReplicaSet(
  deployment: Deployment,
  replicaSets: readonly ReplicaSet[],
): ReplicaSet | undefined {
  const template = deployment.spec?.template
  if (!template) return undefined
  const wanted = templateText(template)
  return byCreation(replicaSets).find(
    (replicaSet) =>
      replicaSet.spec?.template !== undefined && templateText(replicaSet.spec.template) === wanted,
  )
}

export function byCreation(replicaSets: readonly ReplicaSet[]): ReplicaSet[] {
  return replicaSets.toSorted(
    (a, b) =>
      Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp) ||
      (a.metadata.name < b.metadata.name ? -1 : 1),
  )
}

export function revisionOf(object: Deployment | ReplicaSet): number {
  const text = object.metadata.annotations?.[REVISION]
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : 0
}

/** A new ReplicaSet for the present template. */
export function makeReplicaSet(
  deployment: Deployment,
  options: { readonly replicas: number; readonly maxReplicas: number; readonly revision: number },
): Objects['replicasets'] {
  const spec = deployment.spec
  const template = spec?.template ?? {}
  const hash = templateHash(template, deployment.status?.collisionCount)
  const labels = { ...template.metadata?.labels, [HASH_LABEL]: hash }
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${deployment.metadata.name}-${hash}`,
      ...(deployment.metadata.namespace === undefined ? {} : { namespace: deployment.metadata.namespace }),
      labels,
      annotations: {
        ...copiedAnnotations(deployment),
        [REVISION]: String(options.revision),
        ...countAnnotations(deployment, options.maxReplicas),
      },
      ownerReferences: [ownerReference(deployment)],
    },
    spec: {
      replicas: options.replicas,
      ...(spec?.minReadySeconds === undefined ? {} : { minReadySeconds: spec.minReadySeconds }),
      selector: {
        ...spec?.selector,
        matchLabels: { ...spec?.selector.matchLabels, [HASH_LABEL]: hash },
      },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  }
}

function copiedAnnotations(deployment: Deployment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => !OWN_ANNOTATIONS.has(key)),
  )
}

/** The annotations by which the controller later tells a scaling of the Deployment from a rollout. */
export function countAnnotations(deployment: Deployment, maxReplicas: number): Record<string, string> {
  return {
    [DESIRED_REPLICAS]: String(deployment.spec?.replicas ?? 1),
    [MAX_REPLICAS]: String(maxReplicas),
  }
}

/** The annotations the current ReplicaSet should carry: the Deployment's own and its revision, with the earlier ones kept. */
export function newReplicaSetAnnotations(
  deployment: Deployment,
  replicaSet: ReplicaSet,
  revision: number,
): Record<string, string> {
  const annotations = { ...replicaSet.metadata.annotations, ...copiedAnnotations(deployment) }
  const known = revisionOf(replicaSet)
  if (known >= revision) return annotations
  annotations[REVISION] = String(revision)
  if (known > 0) {
    const history = [...(annotations[REVISION_HISTORY]?.split(',') ?? []), String(known)]
    while (history.join(',').length > HISTORY_LENGTH_MAX) history.shift()
    annotations[REVISION_HISTORY] = history.join(',')
  }
  return annotations
}
