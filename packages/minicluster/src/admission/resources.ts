import type { Resource } from '../model.ts'

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
