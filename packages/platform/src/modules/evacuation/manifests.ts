import type { Live } from '@slipway/kube'

import { isReady, PROCESS_LABEL, VERSION_LABEL, WORKLOAD_LABEL } from '../fleet/index.ts'
import { instanceOf } from '../instance/index.ts'
import type { Seat } from './model.ts'

type Pod = Live<'pods'>

export function seatOf(pod: Pod, organizationId: string): Seat {
  const { workloadId, process, version, name, node, ready, createdAt } = instanceOf(pod)
  const { uid, namespace = '', deletionTimestamp } = pod.metadata
  const leaving = deletionTimestamp !== undefined
  return {
    uid,
    name,
    namespace,
    workloadId,
    organizationId,
    process,
    version,
    node,
    ready,
    leaving,
    createdAt,
  }
}

/** Whose Instances a Deployment counts, as `kinOf` names them, and how many there should be. */
export function wantedOf({ metadata, spec }: Live<'deployments'>): readonly [kin: string, wanted: number] {
  const of = (label: string): string => metadata.labels?.[label] ?? ''
  return [`${of(WORKLOAD_LABEL)} ${of(PROCESS_LABEL)} ${of(VERSION_LABEL)}`, spec?.replicas ?? 1]
}

export type NodeSight = {
  readonly name: string
  readonly ready: boolean
  readonly schedulable: boolean
  /** Since when it is ready, or is not. */
  readonly since: Date | undefined
}

export function nodeSightOf(node: Live<'nodes'>): NodeSight {
  const at = node.status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime
  return {
    name: node.metadata.name,
    ready: isReady(node),
    schedulable: node.spec?.unschedulable !== true,
    since: at === undefined || at === null ? undefined : new Date(at),
  }
}
