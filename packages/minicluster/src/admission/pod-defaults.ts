import type { JsonObject } from '../schema/json.ts'
import { listOf, objectOf, textOf } from '../schema/json.ts'
import { quantityNano } from '../schema/quantity.ts'

/** Seconds that a pod stays on a node that is gone, unless it says otherwise. */
const LOST_NODE_SECONDS = 300
const LOST_NODE_TAINTS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'] as const

/** What a Pod gets beyond its spec's own defaults: from admission (account, tolerations, priority) and at creation (status). */
export function completePod(pod: JsonObject): JsonObject {
  const spec = objectOf(pod['spec'])
  const account = textOf(spec['serviceAccountName']) || 'default'
  const hostNetwork = spec['hostNetwork'] === true
  const complete = (container: unknown): JsonObject => completeContainer(objectOf(container), hostNetwork)
  const completed = {
    enableServiceLinks: true,
    preemptionPolicy: 'PreemptLowerPriority',
    priority: 0,
    ...spec,
    serviceAccountName: account,
    serviceAccount: account,
    containers: listOf(spec['containers']).map(complete),
    ...(spec['initContainers'] === undefined
      ? {}
      : { initContainers: listOf(spec['initContainers']).map(complete) }),
    tolerations: withLostNodeTolerations(listOf(spec['tolerations'])),
  }
  return {
    ...pod,
    spec: completed,
    status: { phase: 'Pending', qosClass: qualityOf(completed), ...objectOf(pod['status']) },
  }
}

function completeContainer(container: JsonObject, hostNetwork: boolean): JsonObject {
  const ports = listOf(container['ports']).map((port) => ({
    ...(hostNetwork ? { hostPort: objectOf(port)['containerPort'] } : {}),
    ...objectOf(port),
  }))
  return {
    ...container,
    ...(ports.length === 0 ? {} : { ports }),
    resources: requestLimits(objectOf(container['resources'])),
  }
}

/** A resource that is only limited is requested to the same amount. */
function requestLimits(resources: JsonObject): JsonObject {
  const { limits } = resources
  return limits === undefined
    ? resources
    : { ...resources, requests: { ...objectOf(limits), ...objectOf(resources['requests']) } }
}

function withLostNodeTolerations(tolerations: readonly unknown[]): readonly unknown[] {
  const missing = LOST_NODE_TAINTS.filter(
    (taint) => !tolerations.some((one) => tolerates(objectOf(one), taint)),
  )
  const added = missing.map((key) => ({
    key,
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds: LOST_NODE_SECONDS,
  }))
  return [...tolerations, ...added]
}

function tolerates(toleration: JsonObject, taint: string): boolean {
  const key = textOf(toleration['key'])
  const effect = textOf(toleration['effect'])
  return (key === taint || key === '') && (effect === 'NoExecute' || effect === '')
}

const COMPUTE = ['cpu', 'memory'] as const

/** Quality of service: Guaranteed when every container limits cpu and memory to what it requests, BestEffort when none asks. */
function qualityOf(spec: JsonObject): string {
  const containers = [...listOf(spec['containers']), ...listOf(spec['initContainers'])].map((container) =>
    objectOf(objectOf(container)['resources']),
  )
  const amount = (resources: JsonObject, part: string, name: string): bigint =>
    quantityNano(textOf(objectOf(resources[part])[name])) ?? 0n
  const asks = containers.some((resources) =>
    COMPUTE.some(
      (name) => amount(resources, 'requests', name) > 0n || amount(resources, 'limits', name) > 0n,
    ),
  )
  if (!asks) return 'BestEffort'
  const isFixed = containers.every((resources) =>
    COMPUTE.every((name) => {
      const limit = amount(resources, 'limits', name)
      return limit > 0n && limit === amount(resources, 'requests', name)
    }),
  )
  return isFixed ? 'Guaranteed' : 'Burstable'
}
