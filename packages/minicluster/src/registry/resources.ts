import type { AnyObject, Resource } from '../model.ts'
import { objectOf, textOf } from '../schema/json.ts'

export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch'

/** A path below an object, with the kind that travels there. */
export type Subresource = {
  readonly name: string
  readonly kind: string
  readonly group?: string
  readonly version?: string
  readonly verbs: readonly Verb[]
}

/** One served resource. Two definitions may show the same kept objects (events do). */
export type ResourceDefinition = {
  readonly resource: Resource
  readonly group: string
  readonly version: string
  readonly apiVersion: string
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly namespaced: boolean
  readonly verbs: readonly Verb[]
  readonly subresources: readonly Subresource[]
  /** metadata.generation counts changes of the wanted state. */
  readonly counted: boolean
  /** Served by a CustomResourceDefinition on a real cluster: no strategic merge patch. */
  readonly custom: boolean
  /** Field selectors besides metadata.name and metadata.namespace. */
  readonly fields: Readonly<Record<string, (object: AnyObject) => string>>
}

const OBJECT_VERBS: readonly Verb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
]
const CHANGE: readonly Verb[] = ['get', 'patch', 'update']
const STREAM: readonly Verb[] = ['create', 'get']

type Row = Partial<ResourceDefinition> & {
  readonly resource: Resource
  readonly group: string
  readonly kind: string
  readonly singular: string
}

const at =
  (...path: readonly string[]) =>
  (object: AnyObject): string => {
    let value: unknown = object
    for (const key of path) value = objectOf(value)[key]
    return typeof value === 'boolean' || typeof value === 'number' ? String(value) : textOf(value)
  }
const flag =
  (...path: readonly string[]) =>
  (object: AnyObject): string =>
    at(...path)(object) || 'false'
const count =
  (...path: readonly string[]) =>
  (object: AnyObject): string =>
    at(...path)(object) || '0'

const eventFields = {
  'involvedObject.kind': at('involvedObject', 'kind'),
  'involvedObject.namespace': at('involvedObject', 'namespace'),
  'involvedObject.name': at('involvedObject', 'name'),
  'involvedObject.uid': at('involvedObject', 'uid'),
  'involvedObject.apiVersion': at('involvedObject', 'apiVersion'),
  'involvedObject.resourceVersion': at('involvedObject', 'resourceVersion'),
  'involvedObject.fieldPath': at('involvedObject', 'fieldPath'),
  reason: at('reason'),
  reportingComponent: at('reportingComponent'),
  source: at('source', 'component'),
  type: at('type'),
}

const scale: Subresource = {
  name: 'scale',
  group: 'autoscaling',
  version: 'v1',
  kind: 'Scale',
  verbs: CHANGE,
}
const status = (kind: string): Subresource => ({ name: 'status', kind, verbs: CHANGE })

const rows: readonly Row[] = [
  { resource: 'configmaps', group: '', kind: 'ConfigMap', singular: 'configmap', shortNames: ['cm'] },
  {
    resource: 'events',
    group: '',
    kind: 'Event',
    singular: 'event',
    shortNames: ['ev'],
    fields: eventFields,
  },
  {
    resource: 'namespaces',
    group: '',
    kind: 'Namespace',
    singular: 'namespace',
    shortNames: ['ns'],
    namespaced: false,
    verbs: OBJECT_VERBS.filter((verb) => verb !== 'deletecollection'),
    subresources: [status('Namespace'), { name: 'finalize', kind: 'Namespace', verbs: ['update'] }],
    fields: { 'status.phase': at('status', 'phase'), name: at('metadata', 'name') },
  },
  {
    resource: 'nodes',
    group: '',
    kind: 'Node',
    singular: 'node',
    shortNames: ['no'],
    namespaced: false,
    subresources: [status('Node')],
    fields: { 'spec.unschedulable': flag('spec', 'unschedulable') },
  },
  {
    resource: 'pods',
    group: '',
    kind: 'Pod',
    singular: 'pod',
    shortNames: ['po'],
    categories: ['all'],
    counted: true,
    subresources: [
      status('Pod'),
      { name: 'attach', kind: 'PodAttachOptions', verbs: STREAM },
      { name: 'binding', kind: 'Binding', verbs: ['create'] },
      { name: 'eviction', group: 'policy', version: 'v1', kind: 'Eviction', verbs: ['create'] },
      { name: 'exec', kind: 'PodExecOptions', verbs: STREAM },
      { name: 'log', kind: 'Pod', verbs: ['get'] },
      { name: 'portforward', kind: 'PodPortForwardOptions', verbs: STREAM },
    ],
    fields: {
      'spec.nodeName': at('spec', 'nodeName'),
      'spec.restartPolicy': at('spec', 'restartPolicy'),
      'spec.schedulerName': at('spec', 'schedulerName'),
      'spec.serviceAccountName': at('spec', 'serviceAccountName'),
      'spec.hostNetwork': flag('spec', 'hostNetwork'),
      'status.phase': at('status', 'phase'),
      'status.podIP': at('status', 'podIP'),
      'status.nominatedNodeName': at('status', 'nominatedNodeName'),
    },
  },
  {
    resource: 'resourcequotas',
    group: '',
    kind: 'ResourceQuota',
    singular: 'resourcequota',
    shortNames: ['quota'],
    subresources: [status('ResourceQuota')],
  },
  { resource: 'secrets', group: '', kind: 'Secret', singular: 'secret', fields: { type: at('type') } },
  {
    resource: 'serviceaccounts',
    group: '',
    kind: 'ServiceAccount',
    singular: 'serviceaccount',
    shortNames: ['sa'],
    subresources: [
      {
        name: 'token',
        group: 'authentication.k8s.io',
        version: 'v1',
        kind: 'TokenRequest',
        verbs: ['create'],
      },
    ],
  },
  {
    resource: 'services',
    group: '',
    kind: 'Service',
    singular: 'service',
    shortNames: ['svc'],
    categories: ['all'],
    subresources: [status('Service')],
    fields: { 'spec.clusterIP': at('spec', 'clusterIP'), 'spec.type': at('spec', 'type') },
  },
  {
    resource: 'deployments',
    group: 'apps',
    kind: 'Deployment',
    singular: 'deployment',
    shortNames: ['deploy'],
    categories: ['all'],
    counted: true,
    subresources: [scale, status('Deployment')],
  },
  {
    resource: 'replicasets',
    group: 'apps',
    kind: 'ReplicaSet',
    singular: 'replicaset',
    shortNames: ['rs'],
    categories: ['all'],
    counted: true,
    subresources: [scale, status('ReplicaSet')],
    fields: { 'status.replicas': count('status', 'replicas') },
  },
  {
    resource: 'jobs',
    group: 'batch',
    kind: 'Job',
    singular: 'job',
    categories: ['all'],
    counted: true,
    subresources: [status('Job')],
    fields: { 'status.successful': count('status', 'succeeded') },
  },
  { resource: 'leases', group: 'coordination.k8s.io', kind: 'Lease', singular: 'lease' },
  {
    resource: 'endpointslices',
    group: 'discovery.k8s.io',
    kind: 'EndpointSlice',
    singular: 'endpointslice',
    counted: true,
  },
  {
    resource: 'events',
    group: 'events.k8s.io',
    kind: 'Event',
    singular: 'event',
    shortNames: ['ev'],
    fields: {
      reason: at('reason'),
      type: at('type'),
      reportingController: at('reportingComponent'),
      'regarding.kind': at('involvedObject', 'kind'),
      'regarding.namespace': at('involvedObject', 'namespace'),
      'regarding.name': at('involvedObject', 'name'),
      'regarding.uid': at('involvedObject', 'uid'),
      'regarding.apiVersion': at('involvedObject', 'apiVersion'),
      'regarding.resourceVersion': at('involvedObject', 'resourceVersion'),
      'regarding.fieldPath': at('involvedObject', 'fieldPath'),
    },
  },
  {
    resource: 'gatewayclasses',
    group: 'gateway.networking.k8s.io',
    kind: 'GatewayClass',
    singular: 'gatewayclass',
    shortNames: ['gc'],
    categories: ['gateway-api'],
    namespaced: false,
    counted: true,
    custom: true,
    subresources: [status('GatewayClass')],
  },
  {
    resource: 'gateways',
    group: 'gateway.networking.k8s.io',
    kind: 'Gateway',
    singular: 'gateway',
    shortNames: ['gtw'],
    categories: ['gateway-api'],
    counted: true,
    custom: true,
    subresources: [status('Gateway')],
  },
  {
    resource: 'httproutes',
    group: 'gateway.networking.k8s.io',
    kind: 'HTTPRoute',
    singular: 'httproute',
    categories: ['gateway-api'],
    counted: true,
    custom: true,
    subresources: [status('HTTPRoute')],
  },
]

/** Every kept resource that is served, in the order of discovery. */
export const definitions: readonly ResourceDefinition[] = rows.map((row) => {
  const version = row.version ?? 'v1'
  return {
    version,
    apiVersion: row.group === '' ? version : `${row.group}/${version}`,
    plural: row.resource,
    shortNames: [],
    categories: [],
    namespaced: true,
    verbs: OBJECT_VERBS,
    subresources: [],
    counted: false,
    custom: false,
    fields: {},
    ...row,
  }
})

const own = new Map<Resource, ResourceDefinition>()
for (const definition of definitions) {
  if (!own.has(definition.resource)) own.set(definition.resource, definition)
}

/** The definition in whose form objects of the resource are kept. */
export function definitionOf(resource: Resource): ResourceDefinition {
  const definition = own.get(resource)
  if (!definition) throw new Error(`no such resource: ${resource}`)
  return definition
}

export function hasSubresource(definition: ResourceDefinition, name: string): boolean {
  return definition.subresources.some((subresource) => subresource.name === name)
}
