/*
 * Where a pod goes. Filters say for each node why not; among the nodes that are left the scores decide: spread of pods of one
 * owner, then room and balance, then preferences. From some hundred nodes on the search ends as soon as enough fitting nodes are
 * found, beginning each time where the last search ended, as the real scheduler does; among many equal nodes the best of
 * a hundred is good enough.
 */
import { tolerates } from '../controllers/node/plan.ts'
import { matchesSelector } from '../controllers/selector.ts'
import {
  forbiddenDomains,
  isForbidden,
  matchesNodeAffinity,
  podAffinityRefusal,
  type PodTerms,
  preferredNodeWeight,
  countDomains,
  type Domains,
  requiredTerms,
  type PodTerm,
} from './affinity.ts'
import { controllerOf } from '../controllers/kit.ts'
import { podRequests } from './requests.ts'
import type { ClusterState, Node, NodeState, Pod } from './state.ts'

type Spread = NonNullable<NonNullable<Pod['spec']>['topologySpreadConstraints']>[number]

export type Decision =
  | { readonly kind: 'bind'; readonly node: string; readonly nextStart: number }
  | { readonly kind: 'unschedulable'; readonly message: string }

const ENOUGH_NODES = 100

/** Decides for one pod. `start` is where the search through the nodes begins. */
export function decide(state: ClusterState, pod: Pod, start: number): Decision {
  const nodes = [...state.nodes.values()]
  if (nodes.length === 0) return { kind: 'unschedulable', message: 'no nodes available to schedule pods' }
  const question = prepare(state, pod)
  const refusals = new Map<string, number>()
  const fitting: NodeState[] = []
  let looked = 0
  while (looked < nodes.length && fitting.length < ENOUGH_NODES) {
    const node = nodes[(start + looked) % nodes.length]
    looked += 1
    if (!node) continue
    const reasons = refusalsOf(question, node)
    if (reasons.length === 0) fitting.push(node)
    for (const reason of reasons) refusals.set(reason, (refusals.get(reason) ?? 0) + 1)
  }
  const best = bestOf(question, fitting)
  if (best) return { kind: 'bind', node: best.node.metadata.name, nextStart: (start + looked) % nodes.length }
  const reasons = [...refusals].map(([reason, count]) => `${count} ${reason}`).sort()
  return {
    kind: 'unschedulable',
    message: `0/${nodes.length} nodes are available: ${reasons.join(', ')}.`,
  }
}

type Question = {
  readonly pod: Pod
  readonly requests: ReadonlyMap<string, number>
  readonly terms: PodTerms
  readonly forbidden: ReadonlySet<string>
  readonly spreads: readonly { readonly spread: Spread; readonly domains: Domains; readonly least: number }[]
  readonly preferences: readonly {
    readonly term: PodTerm
    readonly domains: Domains
    readonly weight: number
  }[]
  readonly hostPorts: readonly string[]
}

function prepare(state: ClusterState, pod: Pod): Question {
  return {
    pod,
    requests: podRequests(pod),
    terms: requiredTerms(state, pod),
    forbidden: forbiddenDomains(state, pod),
    spreads: (pod.spec?.topologySpreadConstraints ?? []).map((spread) => spreadOf(state, pod, spread)),
    preferences: preferencesOf(state, pod),
    hostPorts: hostPortsOf(pod),
  }
}

function spreadOf(state: ClusterState, pod: Pod, spread: Spread) {
  const term = {
    topologyKey: spread.topologyKey,
    ...(spread.labelSelector ? { labelSelector: spread.labelSelector } : {}),
  }
  // Only nodes that the pod could go to count, for what is there and for the least crowded domain.
  const isEligible = (node: Node | undefined): boolean =>
    node !== undefined && pod.spec !== undefined && matchesNodeAffinity(pod.spec, node)
  const counted = countDomains(
    state,
    pod,
    term,
    (name, other) =>
      other.metadata.deletionTimestamp === undefined && isEligible(state.nodes.get(name)?.node),
  )
  const domains = new Map<string, number>()
  for (const { node } of state.nodes.values()) {
    const domain = node.metadata.labels?.[spread.topologyKey]
    if (domain !== undefined && isEligible(node)) domains.set(domain, counted.get(domain) ?? 0)
  }
  const least = domains.size < (spread.minDomains ?? 1) ? 0 : Math.min(...domains.values())
  return { spread, domains, least }
}

function preferencesOf(state: ClusterState, pod: Pod): Question['preferences'] {
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {}
  const towards = podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
  const away = podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
  return [
    ...towards.map(({ weight, podAffinityTerm: term }) => ({
      term,
      weight,
      domains: countDomains(state, pod, term),
    })),
    ...away.map(({ weight, podAffinityTerm: term }) => ({
      term,
      weight: -weight,
      domains: countDomains(state, pod, term),
    })),
  ]
}

function hostPortsOf(pod: Pod): readonly string[] {
  return (pod.spec?.containers ?? []).flatMap((container) =>
    (container.ports ?? []).flatMap(({ hostPort, protocol }) =>
      hostPort === undefined || hostPort === 0 ? [] : [`${protocol ?? 'TCP'}/${hostPort}`],
    ),
  )
}

/** Why a node does not take the pod, in the words of the real scheduler; empty when it does. */
function refusalsOf(question: Question, state: NodeState): readonly string[] {
  const { pod } = question
  const { node } = state
  const spec = pod.spec
  if (!spec) return ['node(s) were unschedulable']
  const taints = node.spec?.taints ?? []
  const isTolerated = (taint: (typeof taints)[number]): boolean =>
    (spec.tolerations ?? []).some((toleration) => tolerates(toleration, taint))
  const unschedulable = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }
  if (node.spec?.unschedulable === true && !isTolerated(unschedulable)) return ['node(s) were unschedulable']
  const untolerated = taints.find((taint) => taint.effect !== 'PreferNoSchedule' && !isTolerated(taint))
  if (untolerated) return [`node(s) had untolerated taint {${untolerated.key}: ${untolerated.value ?? ''}}`]
  if (!matchesNodeAffinity(spec, node)) return ["node(s) didn't match Pod's node affinity/selector"]
  if (hasPortConflict(question, state)) return ["node(s) didn't have free ports for the requested pod ports"]
  const lacking = lackingResources(question, state)
  if (lacking.length > 0) return lacking
  const crowded = spreadRefusal(question, node)
  if (crowded !== undefined) return [crowded]
  const unwanted = podAffinityRefusal(question.terms, node)
  if (unwanted !== undefined) return [unwanted]
  return isForbidden(question.forbidden, node)
    ? ["node(s) didn't satisfy existing pods anti-affinity rules"]
    : []
}

function hasPortConflict({ hostPorts }: Question, state: NodeState): boolean {
  if (hostPorts.length === 0) return false
  return [...state.pods.values()].some((pod) => hostPortsOf(pod).some((port) => hostPorts.includes(port)))
}

function lackingResources({ requests }: Question, state: NodeState): readonly string[] {
  const lacking: string[] = []
  const podsMax = state.allocatable.get('pods') ?? 110
  if (state.pods.size + 1 > podsMax) lacking.push('Too many pods')
  for (const [name, amount] of requests) {
    if (amount === 0) continue
    const room = (state.allocatable.get(name) ?? 0) - (state.requested.get(name) ?? 0)
    // Sums of decimal fractions such as 0.1 cores are off by less than this.
    if (amount > room + 1e-6) lacking.push(`Insufficient ${name}`)
  }
  return lacking
}

function spreadRefusal({ pod, spreads }: Question, node: Node): string | undefined {
  for (const { spread, domains, least } of spreads) {
    if (spread.whenUnsatisfiable === 'ScheduleAnyway') continue
    const domain = node.metadata.labels?.[spread.topologyKey]
    if (domain === undefined)
      return "node(s) didn't match pod topology spread constraints (missing required label)"
    const itself = matchesSelector(spread.labelSelector, pod.metadata.labels) ? 1 : 0
    if ((domains.get(domain) ?? 0) + itself - least > spread.maxSkew)
      return "node(s) didn't match pod topology spread constraints"
  }
  return undefined
}

function bestOf(question: Question, fitting: readonly NodeState[]): NodeState | undefined {
  let best: NodeState | undefined
  let bestScore = -Infinity
  for (const node of fitting) {
    const score = scoreOf(question, node)
    if (score <= bestScore) continue
    best = node
    bestScore = score
  }
  return best
}

const WEIGHTS = { spread: 40, room: 10, balance: 10, preference: 2, taint: 30 }

function scoreOf(question: Question, state: NodeState): number {
  const { pod } = question
  const owner = controllerOf(pod)?.uid
  const siblings = owner === undefined ? 0 : (state.podsByOwner.get(owner) ?? 0)
  const shares = ['cpu', 'memory'].map((name) => {
    const allocatable = state.allocatable.get(name) ?? 0
    const used = (state.requested.get(name) ?? 0) + (question.requests.get(name) ?? 0)
    return allocatable === 0 ? 1 : Math.min(1, used / allocatable)
  })
  const [cpu = 1, memory = 1] = shares
  const unwanted = (state.node.spec?.taints ?? []).filter(
    (taint) =>
      taint.effect === 'PreferNoSchedule' &&
      !(pod.spec?.tolerations ?? []).some((toleration) => tolerates(toleration, taint)),
  )
  return (
    -WEIGHTS.spread * siblings +
    WEIGHTS.room * (1 - (cpu + memory) / 2) +
    WEIGHTS.balance * (1 - Math.abs(cpu - memory)) -
    WEIGHTS.taint * unwanted.length +
    WEIGHTS.preference * preferenceOf(question, state.node)
  )
}

function preferenceOf({ pod, preferences, spreads }: Question, node: Node): number {
  let sum = pod.spec ? preferredNodeWeight(pod.spec, node) : 0
  for (const { term, domains, weight } of preferences) {
    const domain = node.metadata.labels?.[term.topologyKey]
    if (domain !== undefined) sum += weight * (domains.get(domain) ?? 0)
  }
  for (const { spread, domains, least } of spreads) {
    const domain = node.metadata.labels?.[spread.topologyKey]
    if (spread.whenUnsatisfiable === 'ScheduleAnyway' && domain !== undefined)
      sum -= 20 * ((domains.get(domain) ?? 0) - least)
  }
  return sum
}
