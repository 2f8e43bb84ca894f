import { matchesLabels, matchesSelector } from '../controllers/selector.ts'
import type { ClusterState, Node, Pod } from './state.ts'

type Spec = NonNullable<Pod['spec']>
type NodeAffinity = NonNullable<NonNullable<Spec['affinity']>['nodeAffinity']>
type NodeTerm = NonNullable<
  NodeAffinity['requiredDuringSchedulingIgnoredDuringExecution']
>['nodeSelectorTerms'][number]
type Requirement = NonNullable<NodeTerm['matchExpressions']>[number]
export type PodTerm = NonNullable<
  NonNullable<NonNullable<Spec['affinity']>['podAffinity']>['requiredDuringSchedulingIgnoredDuringExecution']
>[number]

export function matchesNodeAffinity(spec: Spec, node: Node): boolean {
  if (!matchesLabels(spec.nodeSelector, node.metadata.labels)) return false
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  // Terms are alternatives; none at all match nothing.
  return required === undefined || required.nodeSelectorTerms.some((term) => matchesTerm(term, node))
}

/** The weights of all preferences the node fulfils. */
export function preferredNodeWeight(spec: Spec, node: Node): number {
  const preferred = spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
  return preferred.reduce(
    (sum, { weight, preference }) => sum + (matchesTerm(preference, node) ? weight : 0),
    0,
  )
}

function matchesTerm(term: NodeTerm, node: Node): boolean {
  const expressions = term.matchExpressions ?? []
  const fields = term.matchFields ?? []
  if (expressions.length === 0 && fields.length === 0) return false
  return (
    expressions.every((one) => matchesRequirement(one, node.metadata.labels?.[one.key])) &&
    fields.every((one) =>
      matchesRequirement(one, one.key === 'metadata.name' ? node.metadata.name : undefined),
    )
  )
}

function matchesRequirement({ operator, values = [] }: Requirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return wholeNumber(value) > wholeNumber(values[0])
    case 'Lt':
      return wholeNumber(value) < wholeNumber(values[0])
    default:
      return false
  }
}

/** Only whole numbers are compared; with anything else no comparison holds. */
function wholeNumber(text: string | undefined): number {
  return text !== undefined && /^[+-]?[0-9]+$/u.test(text) ? Number(text) : NaN
}

/** How many pods that a term means stand in each domain of its topology key. */
export type Domains = ReadonlyMap<string, number>

/**
 * Counts, over the whole cluster, the pods a term of `pod` means by the value of the term's topology key on their node. Those
 * that are being deleted count as long as they are there.
 * @param counts - leaves others out
 */
export function countDomains(
  state: ClusterState,
  pod: Pod,
  term: PodTerm,
  counts: (node: string, other: Pod) => boolean = () => true,
): Domains {
  const domains = new Map<string, number>()
  for (const { node, pod: other } of state.placed.values()) {
    if (!termMeans(term, pod.metadata.namespace, other) || !counts(node, other)) continue
    const domain = state.nodes.get(node)?.node.metadata.labels?.[term.topologyKey]
    if (domain !== undefined) domains.set(domain, (domains.get(domain) ?? 0) + 1)
  }
  return domains
}

/** Says whether a term of a pod in `namespace` means `other`. A namespaceSelector other than the empty one is not resolved. */
export function termMeans(term: PodTerm, namespace: string | undefined, other: Pod): boolean {
  const everywhere = term.namespaceSelector !== undefined && Object.keys(term.namespaceSelector).length === 0
  const namespaces = term.namespaces?.length ? term.namespaces : [namespace]
  if (!everywhere && !namespaces.some((one) => one === other.metadata.namespace)) return false
  return matchesSelector(term.labelSelector, other.metadata.labels)
}

export type PodTerms = {
  readonly affinity: readonly {
    readonly term: PodTerm
    readonly domains: Domains
    readonly meansItself: boolean
  }[]
  readonly antiAffinity: readonly { readonly term: PodTerm; readonly domains: Domains }[]
}

/** The required terms of a pod, with the domains counted once for all nodes. */
export function requiredTerms(state: ClusterState, pod: Pod): PodTerms {
  const affinity = pod.spec?.affinity
  return {
    affinity: (affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => ({
      term,
      domains: countDomains(state, pod, term),
      meansItself: termMeans(term, pod.metadata.namespace, pod),
    })),
    antiAffinity: (affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(
      (term) => ({
        term,
        domains: countDomains(state, pod, term),
      }),
    ),
  }
}

/** The reason of the real scheduler why pod affinity keeps a pod off a node. */
export function podAffinityRefusal(terms: PodTerms, node: Node): string | undefined {
  const domainOf = (term: PodTerm): string | undefined => node.metadata.labels?.[term.topologyKey]
  // The first pod of a group that wants its own company may start anywhere that has the labels.
  const isFirst = terms.affinity.every(({ domains, meansItself }) => meansItself && domains.size === 0)
  for (const { term, domains } of terms.affinity) {
    const domain = domainOf(term)
    if (domain === undefined || (!isFirst && !domains.has(domain)))
      return "node(s) didn't match pod affinity rules"
  }
  for (const { term, domains } of terms.antiAffinity) {
    const domain = domainOf(term)
    if (domain !== undefined && domains.has(domain)) return "node(s) didn't match pod anti-affinity rules"
  }
  return undefined
}

/** Domains that pods already placed keep free of pods such as this one, as `key=value`. */
export function forbiddenDomains(state: ClusterState, pod: Pod): ReadonlySet<string> {
  const forbidden = new Set<string>()
  for (const { node, pod: other } of state.repelling.values()) {
    const terms = other.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution
    if (!terms) continue
    for (const term of terms) {
      const domain = state.nodes.get(node)?.node.metadata.labels?.[term.topologyKey]
      if (domain !== undefined && termMeans(term, other.metadata.namespace, pod))
        forbidden.add(`${term.topologyKey}=${domain}`)
    }
  }
  return forbidden
}

export function isForbidden(forbidden: ReadonlySet<string>, node: Node): boolean {
  if (forbidden.size === 0) return false
  return Object.entries(node.metadata.labels ?? {}).some(([key, value]) => forbidden.has(`${key}=${value}`))
}
