import { withCondition } from '../controllers/conditions.ts'
import type { Objects, Stored } from '../model.ts'
import { type Condition, CONTROLLER, type ListenerPlan, type ParentPlan } from './plan.ts'

type GatewayStatus = NonNullable<Stored<'gateways'>['status']>
type RouteStatus = NonNullable<Stored<'httproutes'>['status']>
type KnownConditions = GatewayStatus['conditions']

const ROUTE_KINDS = [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute' }]

/** Sets conditions for the present generation; those that say the same keep their time. */
function conditionsOf(
  known: KnownConditions,
  conditions: readonly Condition[],
  generation: number,
  now: string,
): NonNullable<KnownConditions> {
  let next = known ?? []
  for (const condition of conditions)
    next = withCondition(next, { ...condition, observedGeneration: generation, lastTransitionTime: now }, now)
  return next
}

/** The status of a Gateway, its listeners in the order of the spec. `portErrors` are ports that could not be bound. */
export function gatewayStatus(
  gateway: Stored<'gateways'>,
  listeners: readonly ListenerPlan[],
  facts: { readonly portErrors: ReadonlyMap<number, string>; readonly address: string; readonly now: string },
): Objects['gateways'] {
  const generation = gateway.metadata.generation ?? 1
  const states = listeners.map((plan) => {
    const unbound = plan.refusal ? undefined : facts.portErrors.get(plan.listener.port)
    const problem =
      plan.refusal ?? (unbound === undefined ? undefined : { reason: 'PortUnavailable', message: unbound })
    return { plan, problem }
  })
  const usable = states.filter(({ problem }) => problem === undefined).length
  const accepted: Condition =
    usable === states.length
      ? { type: 'Accepted', status: 'True', reason: 'Accepted', message: 'the Gateway is served' }
      : {
          type: 'Accepted',
          status: usable > 0 ? 'True' : 'False',
          reason: 'ListenersNotValid',
          message: states.find(({ problem }) => problem)?.problem?.message ?? '',
        }
  const programmed: Condition =
    usable > 0
      ? { type: 'Programmed', status: 'True', reason: 'Programmed', message: 'the ports are bound' }
      : { type: 'Programmed', status: 'False', reason: 'Invalid', message: 'no listener is served' }
  return {
    ...gateway,
    status: {
      ...gateway.status,
      addresses: [{ type: 'IPAddress', value: facts.address }],
      conditions: conditionsOf(gateway.status?.conditions, [accepted, programmed], generation, facts.now),
      listeners: states.map(({ plan, problem }) => {
        const known = gateway.status?.listeners?.find(({ name }) => name === plan.listener.name)?.conditions
        return {
          name: plan.listener.name,
          attachedRoutes: plan.attachedRoutes,
          supportedKinds: ROUTE_KINDS,
          conditions: conditionsOf(known, listenerConditions(problem), generation, facts.now),
        }
      }),
    },
  }
}

function listenerConditions(problem: ListenerPlan['refusal']): readonly Condition[] {
  const isConflict = problem?.reason === 'HostnameConflict'
  return [
    problem
      ? { type: 'Accepted', status: 'False', ...problem }
      : { type: 'Accepted', status: 'True', reason: 'Accepted', message: 'the listener is served' },
    problem
      ? { type: 'Programmed', status: 'False', reason: 'Invalid', message: problem.message }
      : { type: 'Programmed', status: 'True', reason: 'Programmed', message: 'the port is bound' },
    { type: 'ResolvedRefs', status: 'True', reason: 'ResolvedRefs', message: 'all references are resolved' },
    isConflict
      ? { type: 'Conflicted', status: 'True', reason: problem.reason, message: problem.message }
      : {
          type: 'Conflicted',
          status: 'False',
          reason: 'NoConflicts',
          message: 'no other listener is in the way',
        },
  ]
}

/** The status of a route: what we say about our parents, beside what others say about theirs. */
export function routeStatus(
  route: Stored<'httproutes'>,
  parents: readonly ParentPlan[],
  now: string,
): Objects['httproutes'] {
  const generation = route.metadata.generation ?? 1
  const known = route.status?.parents ?? []
  const others = known.filter(({ controllerName }) => controllerName !== CONTROLLER)
  const ours: RouteStatus['parents'] = parents.map(({ parentRef, conditions }) => {
    const before = known.find(
      (one) =>
        one.controllerName === CONTROLLER &&
        one.parentRef.name === parentRef.name &&
        one.parentRef.namespace === parentRef.namespace &&
        one.parentRef.sectionName === parentRef.sectionName &&
        one.parentRef.port === parentRef.port,
    )
    return {
      parentRef,
      controllerName: CONTROLLER,
      conditions: conditionsOf(before?.conditions, conditions, generation, now),
    }
  })
  return { ...route, status: { parents: [...others, ...ours] } }
}
