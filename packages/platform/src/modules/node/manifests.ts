/* Nodes and pods → who asks for how much. */
import type { Live } from '@slipway/kube'

import { isReady, quantityOf, WORKLOAD_LABEL } from '../fleet/index.ts'
import { instanceOf } from '../instance/index.ts'
import type { Amount, Claim, NodeFacts, Tenant } from './model.ts'
import { sumOf } from './plan.ts'

type Pod = Live<'pods'>
type Container = NonNullable<Pod['spec']>['containers'][number]

const BUILD_LABEL = 'slipway/build'

export function nodeFactsOf(node: Live<'nodes'>): NodeFacts {
  const allocatable = node.status?.allocatable
  return {
    name: node.metadata.name,
    ready: isReady(node),
    schedulable: node.spec?.unschedulable !== true,
    addresses: (node.status?.addresses ?? []).map(({ address }) => address),
    kubeletVersion: node.status?.nodeInfo?.kubeletVersion ?? '',
    labels: node.metadata.labels ?? {},
    capacity: { ...amountOf(allocatable), instancesMax: quantityOf(allocatable?.['pods']) },
  }
}

/** A pod that takes something of its node; one that has ended does not. */
export function tenantOf(pod: Pod, use: Amount | undefined): Tenant | undefined {
  const { phase } = pod.status ?? {}
  if (phase === 'Succeeded' || phase === 'Failed') return undefined
  const { state, createdAt } = instanceOf(pod)
  return {
    namespace: pod.metadata.namespace ?? '',
    name: pod.metadata.name,
    claim: claimOf(pod),
    state,
    requested: requestsOf(pod),
    use: use ?? null,
    createdAt,
  }
}

function claimOf({ metadata }: Pod): Claim {
  const workloadId = metadata.labels?.[WORKLOAD_LABEL]
  const buildId = metadata.labels?.[BUILD_LABEL]
  if (workloadId !== undefined)
    return { kind: 'workload', workloadId, process: metadata.labels?.['slipway/process'] ?? '' }
  return buildId === undefined ? { kind: 'none' } : { kind: 'build', buildId }
}

/**
 * What the scheduler sets aside for a pod: its containers together, or one of those that run before them, if that is more.
 * https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers
 */
function requestsOf({ spec }: Pod): Amount {
  const of = ({ resources }: Container): Amount => amountOf(resources?.requests)
  const before = spec?.initContainers ?? []
  const isSidecar = ({ restartPolicy }: Container): boolean => restartPolicy === 'Always'
  const together = sumOf([...(spec?.containers ?? []), ...before.filter(isSidecar)].map(of))
  return before
    .filter((one) => !isSidecar(one))
    .map(of)
    .reduce(
      (most, one) => ({
        cpuCores: Math.max(most.cpuCores, one.cpuCores),
        memoryBytes: Math.max(most.memoryBytes, one.memoryBytes),
      }),
      together,
    )
}

export function amountOf(resources: Readonly<Record<string, string>> | undefined): Amount {
  return { cpuCores: quantityOf(resources?.['cpu']), memoryBytes: quantityOf(resources?.['memory']) }
}
