/*
 * From Gateways and HTTPRoutes to tables and conditions. A port belongs to one Gateway: the default one has its own, every other
 * port goes to the oldest Gateway that asks for it within the allowed range. What cannot be served exactly as written (regular
 * expressions, mirrors, other protocols) is refused by a condition, never served differently.
 */
import type {
  BackendReference,
  Gateway,
  HttpRoute,
  HttpRouteFilter,
  HttpRouteRule,
  ParentReference,
  Stored,
} from '../model.ts'
import { matchesSelector } from '../controllers/selector.ts'
import { durationMs } from './duration.ts'
import {
  type Backend,
  buildTable,
  commonHosts,
  type HostTable,
  type RouteOnHost,
  type Rule,
} from './table.ts'

export const CONTROLLER = 'slipway/gateway'
export const CLASS = 'slipway'
export const OWN_PORTS = 'slipway/own-ports'
const GROUP = 'gateway.networking.k8s.io'

type StoredGateway = Stored<'gateways'>
type StoredRoute = Stored<'httproutes'>
type Listener = NonNullable<Gateway['spec']>['listeners'][number]
export type Condition = {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
}

export type View = {
  readonly gateways: readonly StoredGateway[]
  readonly routes: readonly StoredRoute[]
  readonly hasServicePort: (namespace: string, name: string, port: number) => 'yes' | 'no-service' | 'no-port'
  readonly namespaceLabels: (namespace: string) => Readonly<Record<string, string>>
  readonly classNames: ReadonlySet<string>
  readonly defaultKey: string
  readonly ownPorts: { readonly first: number; readonly last: number } | undefined
}

export type PortPlan = {
  readonly port: number
  readonly gateway: string
  /** The most specific host name first. */
  readonly listeners: readonly { readonly hostname: string | undefined; readonly table: HostTable }[]
}
export type GatewayPlan = {
  readonly ports: readonly PortPlan[]
  readonly ruleKeys: ReadonlySet<string>
  readonly gateways: ReadonlyMap<string, readonly ListenerPlan[]>
  readonly routes: ReadonlyMap<string, readonly ParentPlan[]>
}
export type ListenerPlan = {
  readonly listener: Listener
  /** Why it is not served; undefined when it is. */
  readonly refusal: { readonly reason: string; readonly message: string } | undefined
  readonly attachedRoutes: number
}
export type ParentPlan = { readonly parentRef: ParentReference; readonly conditions: readonly Condition[] }

type Open = {
  readonly gateway: StoredGateway
  readonly listener: Listener
  readonly routes: RouteOnHost[]
  attached: number
}

/** Decides what is served where. Pure. */
export function planGateways(view: View): GatewayPlan {
  const ours = view.gateways
    .filter(({ spec }) => spec !== undefined && view.classNames.has(spec.gatewayClassName))
    .toSorted((a, b) => compareAge(view, a, b))
  const owners = new Map<number, string>()
  const opens: Open[] = []
  const gateways = new Map<
    string,
    {
      readonly listener: Listener
      readonly refusal: ListenerPlan['refusal']
      readonly open: Open | undefined
    }[]
  >()
  for (const gateway of ours) {
    const seen = new Set<string>()
    const listeners = (gateway.spec?.listeners ?? []).map((listener) => {
      const refusal = refuseListener({ view, gateway, listener, owners, seen })
      if (refusal) return { listener, refusal, open: undefined }
      owners.set(listener.port, keyOf(gateway))
      const open: Open = { gateway, listener, routes: [], attached: 0 }
      opens.push(open)
      return { listener, refusal, open }
    })
    gateways.set(keyOf(gateway), listeners)
  }

  const ruleKeys = new Set<string>()
  const routes = new Map<string, readonly ParentPlan[]>()
  for (const route of view.routes) {
    const parents = (route.spec?.parentRefs ?? []).flatMap((parentRef) =>
      attach({ view, route, parentRef, opens, known: gateways }),
    )
    routes.set(keyOf(route), parents)
    for (const [index] of (route.spec?.rules ?? []).entries()) ruleKeys.add(ruleKey(route, index))
  }
  return {
    ports: [...owners].map(([port, gateway]) => ({ port, gateway, listeners: tablesOf(opens, port) })),
    ruleKeys,
    gateways: new Map(
      [...gateways].map(([key, listeners]) => [
        key,
        listeners.map(({ listener, refusal, open }) => ({
          listener,
          refusal,
          attachedRoutes: open?.attached ?? 0,
        })),
      ]),
    ),
    routes,
  }
}

export function keyOf(object: {
  readonly metadata: { readonly namespace?: string; readonly name: string }
}): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`
}

function compareAge(view: View, a: StoredGateway, b: StoredGateway): number {
  const first = Number(keyOf(b) === view.defaultKey) - Number(keyOf(a) === view.defaultKey)
  const age = Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp)
  return first || age || (keyOf(a) < keyOf(b) ? -1 : 1)
}

type ListenerCase = {
  readonly view: View
  readonly gateway: StoredGateway
  readonly listener: Listener
  readonly owners: ReadonlyMap<number, string>
  readonly seen: Set<string>
}

function refuseListener({ view, gateway, listener, owners, seen }: ListenerCase): ListenerPlan['refusal'] {
  if (gateway.metadata.deletionTimestamp !== undefined)
    return { reason: 'PortUnavailable', message: 'the Gateway is being deleted' }
  if (listener.protocol !== 'HTTP')
    return {
      reason: 'UnsupportedProtocol',
      message: `protocol ${listener.protocol} is not served here; use HTTP`,
    }
  const isDefault = keyOf(gateway) === view.defaultKey
  const range = view.ownPorts
  if (!isDefault && (!range || listener.port < range.first || listener.port > range.last)) {
    const allowed = range ? `${range.first}-${range.last}` : 'none'
    return {
      reason: 'PortUnavailable',
      message: `port ${listener.port} is outside the ports that Gateways may have (${allowed})`,
    }
  }
  const owner = owners.get(listener.port)
  if (owner !== undefined && owner !== keyOf(gateway))
    return { reason: 'PortUnavailable', message: `port ${listener.port} belongs to Gateway ${owner}` }
  const identity = `${listener.port} ${listener.hostname?.toLowerCase() ?? ''}`
  if (seen.has(identity))
    return {
      reason: 'HostnameConflict',
      message: 'another listener of this Gateway has the same port and host name',
    }
  seen.add(identity)
  return undefined
}

function tablesOf(opens: readonly Open[], port: number): PortPlan['listeners'] {
  return opens
    .filter((open) => open.listener.port === port)
    .map((open) => ({ hostname: open.listener.hostname?.toLowerCase(), table: buildTable(open.routes) }))
    .toSorted((a, b) => specificity(b.hostname) - specificity(a.hostname))
}

function specificity(hostname: string | undefined): number {
  if (hostname === undefined) return 0
  return hostname.startsWith('*') ? hostname.length : 1_000 + hostname.length
}

type Attachment = {
  readonly view: View
  readonly route: StoredRoute
  readonly parentRef: ParentReference
  readonly opens: readonly Open[]
  readonly known: ReadonlyMap<string, unknown>
}

/** Attaches a route to a parent; nothing is said about parents that are not ours. */
function attach({ view, route, parentRef, opens, known }: Attachment): readonly ParentPlan[] {
  if ((parentRef.group ?? GROUP) !== GROUP || (parentRef.kind ?? 'Gateway') !== 'Gateway') return []
  const gatewayKey = `${parentRef.namespace ?? route.metadata.namespace ?? ''}/${parentRef.name}`
  if (!known.has(gatewayKey)) return []
  const { rules, problem } = compileRules(view, route)
  const resolved: Condition =
    problem === undefined
      ? {
          type: 'ResolvedRefs',
          status: 'True',
          reason: 'ResolvedRefs',
          message: 'all references are resolved',
        }
      : { type: 'ResolvedRefs', status: 'False', ...problem }
  const verdict = (status: string, reason: string, message: string): readonly ParentPlan[] => [
    { parentRef, conditions: [{ type: 'Accepted', status, reason, message }, resolved] },
  ]

  const unsupported = unsupportedIn(route)
  if (unsupported !== undefined) return verdict('False', 'UnsupportedValue', unsupported)
  const named = opens.filter(
    ({ gateway, listener }) =>
      keyOf(gateway) === gatewayKey &&
      (parentRef.sectionName === undefined || parentRef.sectionName === listener.name) &&
      (parentRef.port === undefined || parentRef.port === listener.port),
  )
  if (named.length === 0)
    return verdict('False', 'NoMatchingParent', 'no served listener of the Gateway fits the reference')
  const allowed = named.filter((open) => allows(view, open, route))
  if (allowed.length === 0)
    return verdict('False', 'NotAllowedByListeners', 'no listener allows routes of this namespace')
  let attached = 0
  for (const open of allowed) {
    const hosts = commonHosts(open.listener.hostname, route.spec?.hostnames)
    if (hosts.length === 0) continue
    attached += 1
    open.attached += 1
    const createdMs = Date.parse(route.metadata.creationTimestamp)
    for (const host of new Set(hosts)) open.routes.push({ host, createdMs, routeName: keyOf(route), rules })
  }
  if (attached === 0)
    return verdict('False', 'NoMatchingListenerHostname', 'no host name of the route fits a listener')
  return verdict('True', 'Accepted', 'the route is served')
}

function allows(view: View, { gateway, listener }: Open, route: StoredRoute): boolean {
  const namespace = route.metadata.namespace ?? ''
  const rule = listener.allowedRoutes?.namespaces
  const from = rule?.from ?? 'Same'
  if (from === 'All') return true
  if (from === 'Same') return namespace === gateway.metadata.namespace
  return from === 'Selector' && matchesSelector(rule?.selector, view.namespaceLabels(namespace))
}

function ruleKey(route: StoredRoute, index: number): string {
  return `${route.metadata.uid}/${index}`
}

type Compiled = {
  readonly rules: RouteOnHost['rules']
  readonly problem: Pick<Condition, 'reason' | 'message'> | undefined
}

function compileRules(view: View, route: StoredRoute): Compiled {
  let problem: Compiled['problem']
  const rules = (route.spec?.rules ?? []).map((rule, index) => {
    const backends = (rule.backendRefs ?? []).map((reference) => {
      const { backend, why } = resolveBackend(view, route, reference)
      problem ??= why
      return backend
    })
    return { rule: compileRule(route, index, backends), matches: rule.matches ?? [] }
  })
  return { rules, problem }
}

function compileRule(route: StoredRoute, index: number, backends: readonly Backend[]): Rule {
  const rule: HttpRouteRule = route.spec?.rules?.[index] ?? {}
  return {
    key: ruleKey(route, index),
    namespace: route.metadata.namespace ?? '',
    route: route.metadata.name,
    filters: rule.filters ?? [],
    backends,
    requestTimeoutMs: durationMs(rule.timeouts?.request),
    backendTimeoutMs: durationMs(rule.timeouts?.backendRequest),
  }
}

type Reference = BackendReference & { readonly filters?: readonly HttpRouteFilter[] }

function resolveBackend(
  view: View,
  route: StoredRoute,
  reference: Reference,
): { readonly backend: Backend; readonly why?: Pick<Condition, 'reason' | 'message'> } {
  const weight = reference.weight ?? 1
  const invalid = (reason: string, message: string) => ({
    backend: { kind: 'invalid' as const, name: reference.name, weight, why: message },
    why: { reason, message },
  })
  if ((reference.group ?? '') !== '' || (reference.kind ?? 'Service') !== 'Service')
    return invalid('InvalidKind', `backend ${reference.name} is not a Service`)
  const namespace = reference.namespace ?? route.metadata.namespace ?? ''
  if (namespace !== route.metadata.namespace)
    return invalid('RefNotPermitted', `backend ${namespace}/${reference.name} lies in another namespace`)
  if (reference.port === undefined)
    return invalid('BackendNotFound', `backend ${reference.name} names no port`)
  const found = view.hasServicePort(namespace, reference.name, reference.port)
  if (found === 'no-service') return invalid('BackendNotFound', `Service ${reference.name} does not exist`)
  if (found === 'no-port')
    return invalid('BackendNotFound', `Service ${reference.name} has no port ${reference.port}`)
  const { name, port, filters = [] } = reference
  return { backend: { kind: 'service', namespace, name, port, weight, filters } }
}

const FILTERS = new Set(['RequestHeaderModifier', 'ResponseHeaderModifier', 'RequestRedirect', 'URLRewrite'])

/** The first thing in a route that would have to be served differently from what it says. */
function unsupportedIn({ spec }: HttpRoute): string | undefined {
  for (const rule of spec?.rules ?? []) {
    const filters = [
      ...(rule.filters ?? []),
      ...(rule.backendRefs ?? []).flatMap((reference) => reference.filters ?? []),
    ]
    const filter = filters.find(({ type }) => !FILTERS.has(type))
    if (filter) return `filter ${filter.type} is not served here`
    for (const match of rule.matches ?? []) {
      const items = [match.path, ...(match.headers ?? []), ...(match.queryParams ?? [])]
      // A stranger's regular expression could stop the gateway for everybody.
      if (items.some((item) => item?.type === 'RegularExpression'))
        return 'matches of type RegularExpression are not served here'
    }
  }
  return undefined
}
