/*
 * Whether a node takes an Instance, and if not, why: the scheduler's filters as far as what is generated here meets them. Pure.
 * Readiness and cordon, taints, labels, room, spread, and neighbours that one must have, must not have, or that want to be alone.
 */
import type { Live } from '@slipway/kube'

import { amountOf, isReady, requestsOf, type Amount } from '../fleet/index.ts'

type Node = Live<'nodes'>
export type PodSpec = NonNullable<Live<'pods'>['spec']>
/** What the scheduler looks at of a pod. */
export type Tenant = {
  readonly namespace: string | undefined
  readonly labels: Readonly<Record<string, string>>
  readonly spec: PodSpec
}
/** What a node has left, and who is there. */
export type Room = {
  readonly node: Node
  readonly tenants: Tenant[]
  milliCores: number
  memoryBytes: number
  instances: number
}

/** The first thing that keeps an Instance off a node; `what` is the label, the taint, or the Workload that is meant. */
export type Exclusion = {
  readonly why:
    | 'unready'
    | 'cordoned'
    | 'taint'
    | 'label'
    | 'rule'
    | 'cpu'
    | 'memory'
    | 'instances'
    | 'spread'
    | 'repelled'
    | 'apart'
    | 'together'
  readonly what: string
}

type Affinity = NonNullable<PodSpec['affinity']>
type PodTerm = NonNullable<
  NonNullable<Affinity['podAffinity']>['requiredDuringSchedulingIgnoredDuringExecution']
>[number]
type SpreadConstraint = NonNullable<PodSpec['topologySpreadConstraints']>[number]
type LabelSelector = NonNullable<PodTerm['labelSelector']>
type Requirement = { readonly key: string; readonly operator: string; readonly values?: readonly string[] }
type Labels = Readonly<Record<string, string>>

export function roomOf(node: Node): Room {
  const { cpuCores, memoryBytes } = amountOf(node.status?.allocatable)
  const instances = Number(node.status?.allocatable?.['pods'] ?? 0)
  return { node, tenants: [], milliCores: Math.round(cpuCores * 1_000), memoryBytes, instances }
}

export function settleIn(room: Room, tenant: Tenant): void {
  const { cpuCores, memoryBytes } = requestsOf(tenant.spec)
  room.tenants.push(tenant)
  room.milliCores -= Math.round(cpuCores * 1_000)
  room.memoryBytes -= memoryBytes
  room.instances -= 1
}

/** Asks of each room why it does not take the newcomer; undefined where it does. What concerns all rooms is counted once. */
export function askRooms(rooms: readonly Room[], newcomer: Tenant): (room: Room) => Exclusion | undefined {
  const amount = requestsOf(newcomer.spec)
  const company = companyOf(rooms, newcomer)
  return (room) =>
    closedBy(room.node, newcomer.spec) ??
    lackOf(room, amount) ??
    crowdedBy(company, room.node) ??
    companyBy(company, room.node)
}

function closedBy(node: Node, spec: PodSpec): Exclusion | undefined {
  if (!isReady(node)) return { why: 'unready', what: '' }
  if (node.spec?.unschedulable === true) return { why: 'cordoned', what: '' }
  const taint = (node.spec?.taints ?? []).find(
    (one) => one.effect !== 'PreferNoSchedule' && !isTolerated(one, spec),
  )
  if (taint) return { why: 'taint', what: taint.value ? `${taint.key}=${taint.value}` : taint.key }
  const has = node.metadata.labels ?? {}
  const selected = Object.entries(spec.nodeSelector ?? {}).find(([name, value]) => has[name] !== value)
  if (selected) return { why: 'label', what: selected.join('=') }
  return unlikeBy(node, spec)
}

function isTolerated(
  taint: NonNullable<NonNullable<Node['spec']>['taints']>[number],
  { tolerations = [] }: PodSpec,
): boolean {
  return tolerations.some(
    ({ key, value, effect, operator }) =>
      (key === undefined || key === '' || key === taint.key) &&
      (effect === undefined || effect === '' || effect === taint.effect) &&
      (operator === 'Exists' || (value ?? '') === (taint.value ?? '')),
  )
}

/** Required node affinity: terms are alternatives; of one that fails, the first condition that does is told. */
function unlikeBy(node: Node, spec: PodSpec): Exclusion | undefined {
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  if (required === undefined) return undefined
  const failures = required.nodeSelectorTerms.map(({ matchExpressions = [], matchFields = [] }) => {
    if (matchExpressions.length + matchFields.length === 0) return { key: '', operator: 'Exists' }
    return (
      matchExpressions.find((one) => !isMet(one, node.metadata.labels?.[one.key])) ??
      matchFields.find((one) => !isMet(one, one.key === 'metadata.name' ? node.metadata.name : undefined))
    )
  })
  const [first] = failures
  return failures.some((one) => one === undefined) || first === undefined ? undefined : unmet(first)
}

function unmet({ key, operator, values = [] }: Requirement): Exclusion {
  switch (operator) {
    case 'In':
      return {
        why: 'label',
        what: values.length === 1 ? `${key}=${values[0]}` : `${key} in ${values.join(', ')}`,
      }
    case 'Exists':
      return { why: 'label', what: key }
    case 'NotIn':
      return { why: 'rule', what: `${key} not in ${values.join(', ')}` }
    case 'DoesNotExist':
      return { why: 'rule', what: `no ${key}` }
    default:
      return { why: 'rule', what: `${key} ${operator === 'Gt' ? '>' : '<'} ${values[0] ?? ''}` }
  }
}

function isMet({ operator, values = [] }: Requirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    default: {
      // Only whole numbers are compared; a label that is none meets no such condition.
      const [bound = ''] = values
      if (value === undefined || !/^-?[0-9]+$/u.test(value) || !/^-?[0-9]+$/u.test(bound)) return false
      return operator === 'Gt' ? Number(value) > Number(bound) : Number(value) < Number(bound)
    }
  }
}

function lackOf(room: Room, { cpuCores, memoryBytes }: Amount): Exclusion | undefined {
  if (room.instances < 1) return { why: 'instances', what: '' }
  if (room.milliCores < Math.round(cpuCores * 1_000)) return { why: 'cpu', what: '' }
  return room.memoryBytes < memoryBytes ? { why: 'memory', what: '' } : undefined
}

type Counted<Rule> = { readonly rule: Rule; readonly domains: ReadonlyMap<string, number> }
type Company = {
  readonly newcomer: Tenant
  readonly apart: readonly Counted<PodTerm>[]
  readonly together: readonly Counted<PodTerm>[]
  readonly spreads: readonly (Counted<SpreadConstraint> & { readonly least: number })[]
  /** `key=value` of the domains that Instances there keep free of such a newcomer. */
  readonly kept: ReadonlySet<string>
}

function companyOf(rooms: readonly Room[], newcomer: Tenant): Company {
  const { affinity, topologySpreadConstraints: spreads = [] } = newcomer.spec
  const count = (rule: PodTerm): Counted<PodTerm> => ({
    rule,
    domains: countDomains(rooms, rule.topologyKey, (tenant) => isMeant(rule, newcomer.namespace, tenant)),
  })
  return {
    newcomer,
    apart: (affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(count),
    together: (affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(count),
    spreads: spreads
      .filter(({ whenUnsatisfiable }) => whenUnsatisfiable !== 'ScheduleAnyway')
      .map((rule) => countSpread(rooms, newcomer, rule)),
    kept: keptDomains(rooms, newcomer),
  }
}

function domainOf(node: Node, key: string): string | undefined {
  return node.metadata.labels?.[key]
}

function countDomains(
  rooms: readonly Room[],
  key: string,
  means: (tenant: Tenant) => boolean,
): Map<string, number> {
  const domains = new Map<string, number>()
  for (const { node, tenants } of rooms) {
    const domain = domainOf(node, key)
    const count = domain === undefined ? 0 : tenants.filter(means).length
    if (domain !== undefined && count > 0) domains.set(domain, (domains.get(domain) ?? 0) + count)
  }
  return domains
}

/** Only the nodes that an Instance could be on by their labels count, for what is there and for the emptiest domain. */
function countSpread(rooms: readonly Room[], newcomer: Tenant, rule: SpreadConstraint) {
  const eligible = rooms.filter(({ node }) => isLike(node, newcomer.spec))
  const counted = countDomains(
    eligible,
    rule.topologyKey,
    ({ namespace, labels }) => namespace === newcomer.namespace && selects(rule.labelSelector, labels),
  )
  const found = new Set(eligible.flatMap(({ node }) => domainOf(node, rule.topologyKey) ?? []))
  const least = Math.min(...[...found].map((domain) => counted.get(domain) ?? 0))
  return { rule, domains: counted, least: found.size < (rule.minDomains ?? 1) ? 0 : least }
}

function isLike(node: Node, spec: PodSpec): boolean {
  const has = node.metadata.labels ?? {}
  const isSelected = Object.entries(spec.nodeSelector ?? {}).every(([name, value]) => has[name] === value)
  return isSelected && unlikeBy(node, spec) === undefined
}

function keptDomains(rooms: readonly Room[], newcomer: Tenant): ReadonlySet<string> {
  const kept = new Set<string>()
  for (const { node, tenants } of rooms)
    for (const { namespace, spec } of tenants)
      for (const term of spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ??
        []) {
        const domain = domainOf(node, term.topologyKey)
        if (domain !== undefined && isMeant(term, namespace, newcomer))
          kept.add(`${term.topologyKey}=${domain}`)
      }
  return kept
}

/** Whether a term of a pod in `namespace` means a tenant. A namespaceSelector other than the empty one is not resolved. */
function isMeant(term: PodTerm, namespace: string | undefined, tenant: Tenant): boolean {
  const everywhere = term.namespaceSelector !== undefined && Object.keys(term.namespaceSelector).length === 0
  const namespaces = term.namespaces?.length ? term.namespaces : [namespace]
  if (!everywhere && !namespaces.some((one) => one === tenant.namespace)) return false
  return selects(term.labelSelector, tenant.labels)
}

function selects(selector: LabelSelector | undefined, labels: Labels): boolean {
  if (selector === undefined) return false
  const isEqual = Object.entries(selector.matchLabels ?? {}).every(([name, value]) => labels[name] === value)
  return isEqual && (selector.matchExpressions ?? []).every((one) => isMet(one, labels[one.key]))
}

function crowdedBy({ newcomer, spreads }: Company, node: Node): Exclusion | undefined {
  const crowded = spreads.find(({ rule, domains, least }) => {
    const domain = domainOf(node, rule.topologyKey)
    if (domain === undefined) return true
    const itself = selects(rule.labelSelector, newcomer.labels) ? 1 : 0
    return (domains.get(domain) ?? 0) + itself - least > rule.maxSkew
  })
  return crowded && { why: 'spread', what: crowded.rule.topologyKey }
}

function companyBy(company: Company, node: Node): Exclusion | undefined {
  const near = company.apart.find(({ rule, domains }) => domains.has(domainOf(node, rule.topologyKey) ?? ''))
  if (near) return { why: 'apart', what: meantBy(near.rule) }
  const { together, newcomer } = company
  // The first of those that want their own company may begin anywhere that has the label.
  const isFirst = together.every(
    ({ rule, domains }) => domains.size === 0 && isMeant(rule, newcomer.namespace, newcomer),
  )
  const alone = together.find(({ rule, domains }) => {
    const domain = domainOf(node, rule.topologyKey)
    return domain === undefined || (!isFirst && !domains.has(domain))
  })
  if (alone) return { why: 'together', what: meantBy(alone.rule) }
  const labels = Object.entries(node.metadata.labels ?? {})
  const isKept = labels.some(([name, value]) => company.kept.has(`${name}=${value}`))
  return isKept ? { why: 'repelled', what: '' } : undefined
}

/** Whom a term means, in a word: the value by which our terms begin. */
function meantBy({ labelSelector }: PodTerm): string {
  return Object.values(labelSelector?.matchLabels ?? {})[0] ?? ''
}
