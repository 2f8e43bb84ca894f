import { HOUR_MS, MINUTE_MS } from '@slipway/kit'

import type { Objects, Stored } from '../model.ts'
import { formatAmount, usageOfQuota } from '../registry/quota.ts'
import { definitions } from '../registry/resources.ts'
import { forEachBounded, isStatus, keyOf, type Parts, runController, splitKey, unlessGone } from './kit.ts'

const EVENT_LIFE_MS = HOUR_MS
const WRITES_AT_ONCE = 16

/** Removes Events one hour after they were last seen. */
export function startEventExpiry(parts: Parts): AsyncDisposable {
  const queueKey = 'events'
  return runController(parts, {
    name: 'event-expiry',
    concurrency: 1,
    keysOf: () => [],
    firstKeys: () => [queueKey],
    async reconcile() {
      const oldestMs = parts.clock.now().getTime() - EVENT_LIFE_MS
      const expired = parts.registry.list('events').filter((event) => lastSeenMs(event) < oldestMs)
      await forEachBounded(expired, WRITES_AT_ONCE, ({ metadata }) =>
        unlessGone(parts.registry.remove('events', metadata.namespace, metadata.name)),
      )
      return { againInMs: MINUTE_MS }
    },
  })
}

function lastSeenMs(event: Stored<'events'>): number {
  const times = [
    event.lastTimestamp,
    event.series?.lastObservedTime,
    event.eventTime,
    event.metadata.creationTimestamp,
  ]
  return Math.max(
    ...times.filter((time) => time !== undefined && time !== null).map((time) => Date.parse(time)),
  )
}

/** Keeps `status.used` of every ResourceQuota. Admission counts for itself; this is what people see. */
export function startQuotaController(parts: Parts): AsyncDisposable {
  const { registry } = parts
  const counted = new Set(definitions.filter(({ namespaced }) => namespaced).map(({ resource }) => resource))
  return runController(parts, {
    name: 'resourcequota-controller',
    concurrency: 2,
    keysOf(change) {
      if (change.resource === 'resourcequotas') return [keyOf(change.object)]
      if (!counted.has(change.resource) || change.resource === 'events') return []
      // Most updates leave the use as it is; pods may end, resize or move in or out of a scope.
      if (change.type === 'MODIFIED' && change.resource !== 'pods' && change.resource !== 'services')
        return []
      return registry.list('resourcequotas', change.object.metadata.namespace).map(keyOf)
    },
    firstKeys: () => registry.list('resourcequotas').map(keyOf),
    async reconcile(key) {
      const { namespace, name } = splitKey(key)
      const quota = registry.get('resourcequotas', namespace, name)
      if (!quota || quota.metadata.deletionTimestamp !== undefined) return {}
      const view = {
        get: registry.get,
        list: registry.list,
      } as unknown as Parameters<typeof usageOfQuota>[1]
      const amounts = usageOfQuota(quota, view)
      const used = Object.fromEntries(
        Object.entries(amounts).map(([resource, amount]) => [resource, formatAmount(resource, amount)]),
      )
      const status = { ...(quota.spec?.hard ? { hard: quota.spec.hard } : {}), used }
      await unlessGone(
        registry.updateStatus('resourcequotas', { ...quota, status }, 'resourcequota-controller'),
      )
      return {}
    },
  })
}

const FIRST_NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease', 'slipway-system']
const API_ADDRESS = '10.96.0.1'

/** Makes what every cluster has from its first moment: the system namespaces and the Service `default/kubernetes`. */
export async function furnishCluster({ registry }: Parts, apiPort: number): Promise<void> {
  for (const name of FIRST_NAMESPACES)
    await unlessThere(
      registry.create(
        'namespaces',
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
        'kube-apiserver',
      ),
    )
  const labels = { component: 'apiserver', provider: 'kubernetes' }
  const service: Objects['services'] = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'kubernetes', namespace: 'default', labels },
    spec: {
      type: 'ClusterIP',
      clusterIP: API_ADDRESS,
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: apiPort }],
    },
  }
  const present = registry.get('services', 'default', 'kubernetes')
  if (!present) await unlessThere(registry.create('services', service, 'kube-apiserver'))
  else if (present.spec?.ports?.[0]?.targetPort !== apiPort && service.spec?.ports)
    await registry.update(
      'services',
      { ...present, spec: { ...present.spec, ports: service.spec.ports } },
      'kube-apiserver',
    )
  await furnishEndpoints(registry, apiPort)
}

async function furnishEndpoints(registry: Parts['registry'], apiPort: number): Promise<void> {
  const slice: Objects['endpointslices'] = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': 'kubernetes' },
    },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
    ports: [{ name: 'https', port: apiPort, protocol: 'TCP' }],
  }
  const present = registry.get('endpointslices', 'default', 'kubernetes')
  if (!present) await unlessThere(registry.create('endpointslices', slice, 'kube-apiserver'))
  else if (present.ports?.[0]?.port !== apiPort)
    await registry.update(
      'endpointslices',
      { ...present, ...(slice.ports ? { ports: slice.ports } : {}) },
      'kube-apiserver',
    )
}

/** Present from an earlier start. */
async function unlessThere(write: Promise<unknown>): Promise<void> {
  try {
    await write
  } catch (thrown) {
    if (!isStatus(thrown, 'AlreadyExists')) throw thrown
  }
}
