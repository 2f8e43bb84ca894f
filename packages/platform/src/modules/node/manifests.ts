/* Nodes and pods → who asks for how much. */
import type { Live } from '@slipway/kube'

import {
  amountOf,
  BUILD_LABEL,
  hasEnded,
  isReady,
  PROCESS_LABEL,
  quantityOf,
  requestsOf,
  WORKLOAD_LABEL,
} from '../fleet/index.ts'
import { instanceOf } from '../instance/index.ts'
import type { Amount, Claim, NodeFacts, Tenant } from './model.ts'

type Pod = Live<'pods'>

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
  if (hasEnded(pod)) return undefined
  const { state, createdAt } = instanceOf(pod)
  return {
    namespace: pod.metadata.namespace ?? '',
    name: pod.metadata.name,
    claim: claimOf(pod),
    state,
    requested: requestsOf(pod.spec),
    use: use ?? null,
    createdAt,
  }
}

function claimOf({ metadata }: Pod): Claim {
  const workloadId = metadata.labels?.[WORKLOAD_LABEL]
  const buildId = metadata.labels?.[BUILD_LABEL]
  if (workloadId !== undefined)
    return { kind: 'workload', workloadId, process: metadata.labels?.[PROCESS_LABEL] ?? '' }
  return buildId === undefined ? { kind: 'none' } : { kind: 'build', buildId }
}
