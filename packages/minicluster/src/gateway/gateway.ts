import { errorOf } from '@slipway/kit'

import { timeText } from '../controllers/conditions.ts'
import { forEachBounded, isSameJson, isStatus, keyQueue, type Parts, unlessGone } from '../controllers/kit.ts'
import type { Change, Objects } from '../model.ts'
import { newRotation, pruneRotation } from './balance.ts'
import { endpointSource } from './endpoints.ts'
import { type Listener, openListener } from './listener.ts'
import { gatewayMetrics } from './metrics.ts'
import { CLASS, CONTROLLER, type GatewayPlan, keyOf, OWN_PORTS, planGateways, type View } from './plan.ts'
import { type ProxyParts, upstreamAgents } from './proxy.ts'
import { gatewayStatus, routeStatus } from './status.ts'

const MANAGER = 'slipway-gateway'
const DEFAULT_NAMESPACE = 'slipway-system'
const DEFAULT_NAME = 'default'
const OWN_ADDRESS = '127.0.0.1'
const DRAIN_MS = 10_000

export type GatewayOptions = {
  /** Of the default Gateway; 0 for any free one. */
  readonly port: number
  /** The address the default Gateway binds; all others stay on 127.0.0.1. */
  readonly address: string
  /** Ports that other Gateways may have, such as `18000-18999`. */
  readonly ownPorts: string
}

export type RunningGateway = AsyncDisposable & {
  readonly port: number
  /** What was counted, in the Prometheus text format. */
  readonly metricsText: () => string
  /** As disposing, with another limit for requests under way. */
  readonly close: (drainMs: number) => Promise<void>
}

type Room = Parts &
  ProxyParts & {
    readonly options: GatewayOptions
    readonly listeners: Map<number, Listener>
    readonly portErrors: Map<number, string>
    readonly defaultListener: Listener
    plan: GatewayPlan
  }

/**
 * Serves the Gateways of class `slipway`.
 * @throws {Error} the system's, when the default port cannot be bound
 */
export async function startGateway(parts: Parts, options: GatewayOptions): Promise<RunningGateway> {
  const endpoints = endpointSource(parts.registry)
  const proxy: Parts & ProxyParts = {
    ...parts,
    endpoints,
    rotation: newRotation(),
    metrics: gatewayMetrics(),
    agents: upstreamAgents(),
    load: new Map(),
  }
  const defaultListener = await openListener(proxy, options.address, options.port)
  const room: Room = {
    ...proxy,
    options,
    listeners: new Map([[defaultListener.port, defaultListener]]),
    portErrors: new Map(),
    defaultListener,
    plan: { ports: [], ruleKeys: new Set(), gateways: new Map(), routes: new Map() },
  }
  await furnish(room)
  rebuild(room)
  // Routing is swapped in memory at once; ports and conditions follow by the queue.
  const queue = keyQueue(parts, {
    name: 'gateway',
    concurrency: 1,
    async reconcile() {
      await bindPorts(room)
      await writeStatuses(room)
      // A port that somebody else holds may become free.
      return room.portErrors.size > 0 ? { againInMs: 5_000 } : {}
    },
  })
  let isPending = false
  const observer = parts.registry.observe((change) => {
    if (!isRouting(change) || isPending) return
    isPending = true
    setImmediate(() => {
      isPending = false
      rebuild(room)
      queue.wake('all')
    })
  })
  queue.wake('all')

  async function close(drainMs: number): Promise<void> {
    observer[Symbol.dispose]()
    await queue[Symbol.asyncDispose]()
    await Promise.all([...room.listeners.values()].map((listener) => listener.close(drainMs)))
    room.agents.kept.destroy()
    room.agents.fresh.destroy()
    endpoints[Symbol.dispose]()
  }
  return {
    port: defaultListener.port,
    metricsText: room.metrics.text,
    close,
    [Symbol.asyncDispose]: () => close(DRAIN_MS),
  }
}

/** Writes of a status, our own among them, change no routing. */
function isRouting(change: Change): boolean {
  switch (change.resource) {
    case 'gatewayclasses':
    case 'gateways':
    case 'httproutes':
    case 'services':
      return (
        change.type !== 'MODIFIED' ||
        !isSameJson(change.object.spec, change.old?.spec) ||
        change.object.metadata.deletionTimestamp !== change.old?.metadata.deletionTimestamp ||
        change.object.metadata.annotations?.[OWN_PORTS] !== change.old?.metadata.annotations?.[OWN_PORTS]
      )
    case 'namespaces':
      return !isSameJson(change.object.metadata.labels, change.old?.metadata.labels)
    default:
      return false
  }
}

function rebuild(room: Room): void {
  const { registry } = room
  const classes = registry.list('gatewayclasses').filter(({ spec }) => spec?.controllerName === CONTROLLER)
  const view: View = {
    gateways: registry.list('gateways'),
    routes: registry.list('httproutes').filter(({ metadata }) => metadata.deletionTimestamp === undefined),
    hasServicePort(namespace, name, port) {
      const service = registry.get('services', namespace, name)
      if (!service) return 'no-service'
      return service.spec?.ports?.some((one) => one.port === port) ? 'yes' : 'no-port'
    },
    namespaceLabels: (name) => registry.get('namespaces', undefined, name)?.metadata.labels ?? {},
    classNames: new Set(classes.map(({ metadata }) => metadata.name)),
    defaultKey: `${DEFAULT_NAMESPACE}/${DEFAULT_NAME}`,
    ownPorts: portRange(
      classes.find(({ metadata }) => metadata.name === CLASS)?.metadata.annotations?.[OWN_PORTS],
    ),
  }
  const before = room.plan
  room.plan = planGateways(view)
  pruneRotation(room.rotation, room.plan.ruleKeys)
  for (const key of before.routes.keys()) {
    const [namespace = '', name = ''] = key.split('/')
    if (!room.plan.routes.has(key)) room.metrics.forget(namespace, name)
  }
  for (const [port, listener] of room.listeners)
    listener.setRouting(room.plan.ports.find((one) => one.port === port)?.listeners ?? [])
}

function portRange(text: string | undefined): View['ownPorts'] {
  const match = /^([0-9]{1,5})-([0-9]{1,5})$/.exec(text ?? '')
  return match ? { first: Number(match[1]), last: Number(match[2]) } : undefined
}

async function bindPorts(room: Room): Promise<void> {
  const wanted = new Set(room.plan.ports.map(({ port }) => port))
  for (const [port, listener] of room.listeners) {
    if (wanted.has(port) || listener === room.defaultListener) continue
    room.listeners.delete(port)
    // Requests under way finish while the rest goes on.
    void listener.close(DRAIN_MS)
  }
  for (const port of room.portErrors.keys()) if (!wanted.has(port)) room.portErrors.delete(port)
  for (const { port } of room.plan.ports) {
    if (room.listeners.has(port)) continue
    try {
      const listener = await openListener(room, OWN_ADDRESS, port)
      room.listeners.set(port, listener)
      room.portErrors.delete(port)
      listener.setRouting(room.plan.ports.find((one) => one.port === port)?.listeners ?? [])
    } catch (thrown) {
      room.portErrors.set(port, `port ${port} cannot be bound: ${errorOf(thrown).message}`)
    }
  }
}

async function writeStatuses(room: Room): Promise<void> {
  const { registry, plan } = room
  const now = timeText(room.clock.now())
  await writeClassStatus(room, now)
  for (const [key, listeners] of plan.gateways) {
    const gateway = registry.list('gateways').find((one) => keyOf(one) === key)
    if (!gateway) continue
    const next = gatewayStatus(gateway, listeners, { portErrors: room.portErrors, address: OWN_ADDRESS, now })
    if (!isSameJson(next.status, gateway.status))
      await unlessGone(registry.updateStatus('gateways', next, MANAGER))
  }
  await forEachBounded([...plan.routes], 16, async ([key, parents]) => {
    const [namespace = '', name = ''] = key.split('/')
    const route = registry.get('httproutes', namespace, name)
    if (!route || (parents.length === 0 && route.status === undefined)) return
    const next = routeStatus(route, parents, now)
    if (!isSameJson(next.status, route.status))
      await unlessGone(registry.updateStatus('httproutes', next, MANAGER))
  })
}

async function writeClassStatus({ registry }: Room, now: string): Promise<void> {
  for (const gatewayClass of registry.list('gatewayclasses')) {
    const isOurs = gatewayClass.spec?.controllerName === CONTROLLER
    const isSaid = gatewayClass.status?.conditions?.some(
      ({ type, status, observedGeneration }) =>
        type === 'Accepted' &&
        status === 'True' &&
        observedGeneration === (gatewayClass.metadata.generation ?? 1),
    )
    if (!isOurs || isSaid) continue
    const condition = {
      type: 'Accepted',
      status: 'True',
      reason: 'Accepted',
      message: 'Gateways of this class are served',
      observedGeneration: gatewayClass.metadata.generation ?? 1,
      lastTransitionTime: now,
    }
    await unlessGone(
      registry.updateStatus(
        'gatewayclasses',
        { ...gatewayClass, status: { conditions: [condition] } },
        MANAGER,
      ),
    )
  }
}

/** Makes the class and the default Gateway, and sets what belongs to us in them; the rest is the user's. */
async function furnish({ registry, options, defaultListener }: Room): Promise<void> {
  const gatewayClass = registry.get('gatewayclasses', undefined, CLASS)
  if (!gatewayClass)
    await unlessPresent(
      registry.create(
        'gatewayclasses',
        {
          apiVersion: 'gateway.networking.k8s.io/v1',
          kind: 'GatewayClass',
          metadata: { name: CLASS, annotations: { [OWN_PORTS]: options.ownPorts } },
          spec: { controllerName: CONTROLLER, description: 'The gateway of the embedded cluster' },
        },
        MANAGER,
      ),
    )
  else if (gatewayClass.metadata.annotations?.[OWN_PORTS] !== options.ownPorts) {
    const annotations = { ...gatewayClass.metadata.annotations, [OWN_PORTS]: options.ownPorts }
    await registry.update(
      'gatewayclasses',
      { ...gatewayClass, metadata: { ...gatewayClass.metadata, annotations } },
      MANAGER,
    )
  }
  const spec: NonNullable<Objects['gateways']['spec']> = {
    gatewayClassName: CLASS,
    listeners: [
      {
        name: 'http',
        port: defaultListener.port,
        protocol: 'HTTP',
        allowedRoutes: { namespaces: { from: 'All' } },
      },
    ],
  }
  const present = registry.get('gateways', DEFAULT_NAMESPACE, DEFAULT_NAME)
  if (present) {
    if (present.spec?.listeners[0]?.port !== defaultListener.port)
      await registry.update('gateways', { ...present, spec }, MANAGER)
    return
  }
  await unlessPresent(
    registry.create(
      'gateways',
      {
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'Gateway',
        metadata: { name: DEFAULT_NAME, namespace: DEFAULT_NAMESPACE },
        spec,
      },
      MANAGER,
    ),
  )
}

/** Somebody made it in between. */
async function unlessPresent(write: Promise<unknown>): Promise<void> {
  try {
    await write
  } catch (thrown) {
    if (!isStatus(thrown, 'AlreadyExists')) throw thrown
  }
}
