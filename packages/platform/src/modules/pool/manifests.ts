/* Nodes of a Cluster ↔ what Pools know of them. */
import type { Live, Patch } from '@slipway/kube'

import { FACT_LABELS, POOL_LABEL, quantityOf } from '../fleet/index.ts'
import type { NodeChange, NodeSight } from './model.ts'

const GIB = 1024 ** 3
const [cores, memory, disk, release] = FACT_LABELS

export function sightOf(node: Live<'nodes'>): NodeSight {
  const { name, resourceVersion, labels = {}, annotations } = node.metadata
  return {
    name,
    resourceVersion,
    labels,
    marked: annotations?.[POOL_LABEL],
    taints: node.spec?.taints ?? [],
    facts: factsOf(node),
  }
}

/** What a node tells in its status only, as labels that placement can ask for; what it does not tell is left out. */
function factsOf({ status }: Live<'nodes'>): Readonly<Record<string, string>> {
  const whole = (name: string, amount: number): readonly (readonly [string, string])[] =>
    amount >= 1 ? [[name, String(Math.floor(amount))]] : []
  const capacity = (resource: string): number => quantityOf(status?.capacity?.[resource])
  const kernel = /^\d{1,4}\.\d{1,4}/u.exec(status?.nodeInfo?.kernelVersion ?? '')?.[0]
  return Object.fromEntries([
    ...whole(cores, capacity('cpu')),
    ...whole(memory, capacity('memory') / GIB),
    ...whole(disk, capacity('ephemeral-storage') / GIB),
    ...(kernel === undefined ? [] : [[release, kernel] as const]),
  ])
}

/** Carries the version that was read: what somebody else wrote meanwhile is a conflict, never lost. */
export function patchOf({ resourceVersion, labels, mark, taints }: NodeChange): Patch {
  return {
    type: 'merge',
    body: {
      metadata: {
        resourceVersion,
        labels,
        ...(mark === undefined ? {} : { annotations: { [POOL_LABEL]: mark } }),
      },
      ...(taints === undefined ? {} : { spec: { taints } }),
    },
  }
}
