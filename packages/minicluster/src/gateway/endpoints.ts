import { indexObjects } from '../controllers/object-index.ts'
import { SERVICE_LABEL } from '../controllers/endpointslice/plan.ts'
import { isReady } from '../controllers/pods.ts'
import type { Registry, Stored } from '../model.ts'

export type Endpoint = {
  readonly key: string
  readonly address: string
  readonly port: number
  /** The pod behind it, when there is one. */
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string } | undefined
}
type Endpoints = { readonly ready: readonly Endpoint[]; readonly ending: readonly Endpoint[] }

export type EndpointSource = Disposable & {
  /** Endpoints of a Service's port: the ready ones, and those that still serve while they end. */
  readonly of: (namespace: string, service: string, port: number) => Endpoints
  /** False as soon as the pod is known to end or not to be ready, before any EndpointSlice says so. */
  readonly isUp: (endpoint: Endpoint) => boolean
}

const NONE: Endpoints = { ready: [], ending: [] }

/** Reads endpoints from the EndpointSlices and keeps them until a slice or the Service changes. */
export function endpointSource(registry: Registry): EndpointSource {
  const slices = indexObjects(registry, 'endpointslices', (slice) => [
    `${slice.metadata.namespace ?? ''}/${slice.metadata.labels?.[SERVICE_LABEL] ?? ''}`,
  ])
  const cache = new Map<string, Map<number, Endpoints>>()
  const observer = registry.observe(({ resource, object }) => {
    if (resource === 'services') cache.delete(`${object.metadata.namespace ?? ''}/${object.metadata.name}`)
    if (resource === 'endpointslices')
      cache.delete(`${object.metadata.namespace ?? ''}/${object.metadata.labels?.[SERVICE_LABEL] ?? ''}`)
  })

  return {
    of(namespace, service, port) {
      const key = `${namespace}/${service}`
      const known = cache.get(key)?.get(port)
      if (known) return known
      const found = registry.get('services', namespace, service)
      const servicePort = found?.spec?.ports?.find((one) => one.port === port)
      const endpoints = servicePort ? endpointsOf(slices.get(key), servicePort.name ?? '') : NONE
      const ports = cache.get(key) ?? new Map<number, Endpoints>()
      ports.set(port, endpoints)
      cache.set(key, ports)
      return endpoints
    },
    isUp({ pod }) {
      if (!pod) return true
      const found = registry.get('pods', pod.namespace, pod.name)
      return (
        found?.metadata.uid === pod.uid && found.metadata.deletionTimestamp === undefined && isReady(found)
      )
    },
    [Symbol.dispose]() {
      observer[Symbol.dispose]()
      slices[Symbol.dispose]()
    },
  }
}

function endpointsOf(slices: readonly Stored<'endpointslices'>[], portName: string): Endpoints {
  const ready: Endpoint[] = []
  const ending: Endpoint[] = []
  for (const slice of slices) {
    const port = slice.ports?.find((one) => (one.name ?? '') === portName)?.port
    if (port === undefined || slice.addressType === 'FQDN') continue
    for (const { addresses, conditions, targetRef } of slice.endpoints ?? []) {
      const [address] = addresses
      if (address === undefined) continue
      const pod =
        targetRef?.kind === 'Pod' && targetRef.name !== undefined && targetRef.uid !== undefined
          ? { namespace: slice.metadata.namespace ?? '', name: targetRef.name, uid: targetRef.uid }
          : undefined
      const endpoint = { key: `${address}:${port}`, address, port, pod }
      // Absent readiness means ready, by the definition of EndpointConditions.
      if (conditions?.ready !== false) ready.push(endpoint)
      else if (conditions.serving === true && conditions.terminating === true) ending.push(endpoint)
    }
  }
  return { ready, ending }
}
