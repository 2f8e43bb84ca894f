import type { Stored } from '../model.ts'
import { controllerOf } from '../controllers/kit.ts'
import { type Amounts, amountsOf, podRequests } from './requests.ts'

export type Pod = Stored<'pods'>
export type Node = Stored<'nodes'>

/** A node with what runs on it or is about to. */
export type NodeState = {
  readonly node: Node
  readonly allocatable: Amounts
  readonly requested: Map<string, number>
  readonly pods: Map<string, Pod>
  /** Pods per controller, so that those of one owner spread. */
  readonly podsByOwner: Map<string, number>
}

/** The scheduler's picture of the cluster; decisions stand in it at once, before they are written. */
export type ClusterState = {
  readonly nodes: Map<string, NodeState>
  /** Where each counted pod is. */
  readonly placed: Map<string, { readonly node: string; readonly pod: Pod }>
  /** Those of the placed pods that keep others away (required anti-affinity), which are few. */
  readonly repelling: Map<string, { readonly node: string; readonly pod: Pod }>
  /** Pods counted for a node that is not known (yet). */
  readonly homeless: Map<string, Map<string, Pod>>
}

export function emptyState(): ClusterState {
  return { nodes: new Map(), placed: new Map(), repelling: new Map(), homeless: new Map() }
}

export function putNode(state: ClusterState, node: Node): void {
  const { name } = node.metadata
  const known = state.nodes.get(name)
  const allocatable = amountsOf(node.status?.allocatable ?? node.status?.capacity)
  if (known) {
    state.nodes.set(name, { ...known, node, allocatable })
    return
  }
  const next: NodeState = { node, allocatable, requested: new Map(), pods: new Map(), podsByOwner: new Map() }
  state.nodes.set(name, next)
  for (const pod of state.homeless.get(name)?.values() ?? []) count(next, pod, 1)
  state.homeless.delete(name)
}

export function dropNode(state: ClusterState, name: string): void {
  const known = state.nodes.get(name)
  if (!known) return
  state.nodes.delete(name)
  if (known.pods.size > 0) state.homeless.set(name, known.pods)
}

/** Counts a pod for a node, wherever it was counted before. */
export function placePod(state: ClusterState, pod: Pod, node: string): void {
  const before = state.placed.get(pod.metadata.uid)
  if (before?.pod === pod && before.node === node) return
  removePod(state, pod.metadata.uid)
  state.placed.set(pod.metadata.uid, { node, pod })
  if (pod.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution)
    state.repelling.set(pod.metadata.uid, { node, pod })
  const known = state.nodes.get(node)
  if (known) count(known, pod, 1)
  else {
    const waiting = state.homeless.get(node) ?? new Map<string, Pod>()
    waiting.set(pod.metadata.uid, pod)
    state.homeless.set(node, waiting)
  }
}

export function removePod(state: ClusterState, uid: string): void {
  const before = state.placed.get(uid)
  if (!before) return
  state.placed.delete(uid)
  state.repelling.delete(uid)
  const known = state.nodes.get(before.node)
  if (known) count(known, before.pod, -1)
  else state.homeless.get(before.node)?.delete(uid)
}

function count(node: NodeState, pod: Pod, sign: 1 | -1): void {
  if (sign === 1) node.pods.set(pod.metadata.uid, pod)
  else node.pods.delete(pod.metadata.uid)
  for (const [name, amount] of podRequests(pod))
    node.requested.set(name, (node.requested.get(name) ?? 0) + sign * amount)
  const owner = controllerOf(pod)?.uid
  if (owner === undefined) return
  const left = (node.podsByOwner.get(owner) ?? 0) + sign
  if (left > 0) node.podsByOwner.set(owner, left)
  else node.podsByOwner.delete(owner)
}
