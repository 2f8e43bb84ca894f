import { AssertionError } from '@slipway/kit'

import type { Resource } from '../model.ts'
import type { JsonObject } from '../schema/json.ts'

const resources: { readonly [apiVersion: string]: { readonly [kind: string]: Resource } } = {
  v1: {
    Namespace: 'namespaces',
    Node: 'nodes',
    Pod: 'pods',
    Service: 'services',
    ConfigMap: 'configmaps',
    Secret: 'secrets',
    ServiceAccount: 'serviceaccounts',
    Event: 'events',
    ResourceQuota: 'resourcequotas',
  },
  'apps/v1': { Deployment: 'deployments', ReplicaSet: 'replicasets' },
  'batch/v1': { Job: 'jobs' },
  'coordination.k8s.io/v1': { Lease: 'leases' },
  'discovery.k8s.io/v1': { EndpointSlice: 'endpointslices' },
  'events.k8s.io/v1': { Event: 'events' },
  'gateway.networking.k8s.io/v1': {
    GatewayClass: 'gatewayclasses',
    Gateway: 'gateways',
    HTTPRoute: 'httproutes',
  },
}

/** The resource under which objects of this kind are kept; undefined for kinds that are only sent, such as Scale. */
export function resourceOf(apiVersion: string, kind: string): Resource | undefined {
  const kinds = Object.hasOwn(resources, apiVersion) ? resources[apiVersion] : undefined
  return kinds && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined
}

/** apiVersion and kind of an object of the resource: its own, where it has them. Core events are the ones that are kept. */
export function identityOf(
  resource: Resource,
  object: JsonObject,
): { readonly apiVersion: string; readonly kind: string } {
  const { apiVersion, kind } = object
  if (typeof apiVersion === 'string' && typeof kind === 'string') return { apiVersion, kind }
  for (const [version, kinds] of Object.entries(resources)) {
    const found = Object.entries(kinds).find(([, name]) => name === resource)
    if (found) return { apiVersion: version, kind: found[0] }
  }
  throw new AssertionError(`resource ${resource} has no kind`)
}
