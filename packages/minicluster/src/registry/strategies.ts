import type { AnyObject } from '../model.ts'
import { listOf, objectOf, textOf, without, type JsonObject } from '../schema/json.ts'
import { PRIORITIES } from './admit.ts'
import { hasSubresource, type ResourceDefinition } from './resources.ts'

/*
 * What a resource does to an object before it is validated: which parts a client may not set on create, which parts of
 * the old object an update keeps. Pure; the words follow the strategies of the real API server.
 */

/** The new object as it is kept: status cleared, and what only the server sets. */
export function prepareCreate(definition: ResourceDefinition, object: AnyObject): AnyObject {
  const fresh = hasSubresource(definition, 'status') ? withFreshStatus(definition, object) : object
  switch (definition.resource) {
    case 'namespaces':
      return { ...fresh, spec: { ...objectOf(fresh['spec']), finalizers: ['kubernetes'] } }
    case 'secrets':
      return withStringData(fresh)
    case 'pods':
      return withAdmission(fresh)
    default:
      return fresh
  }
}

/** Every stored definition has the fields of the old object that a main update may not change. */
export function prepareUpdate(
  definition: ResourceDefinition,
  object: AnyObject,
  old: AnyObject,
  finalize: boolean,
): AnyObject {
  const kept = hasSubresource(definition, 'status') ? withStatus(object, old['status']) : object
  switch (definition.resource) {
    case 'namespaces': {
      const wanted = finalize ? objectOf(object['spec'])['finalizers'] : objectOf(old['spec'])['finalizers']
      return {
        ...kept,
        spec: {
          ...without(objectOf(kept['spec']), 'finalizers'),
          ...(wanted === undefined ? {} : { finalizers: wanted }),
        },
      }
    }
    case 'secrets':
      return withStringData(kept)
    default:
      return kept
  }
}

/** The old object with the new status, and the little metadata that writers of a status may change. */
export function prepareStatus(definition: ResourceDefinition, object: AnyObject, old: AnyObject): AnyObject {
  const next = withStatus({ ...old, metadata: { ...old.metadata } }, object['status'])
  if (definition.resource === 'pods') return withOwnAnnotations(next, object)
  const { annotations, labels } = object.metadata
  if (definition.resource === 'deployments' && annotations)
    return { ...next, metadata: { ...next.metadata, annotations } }
  if (definition.resource !== 'nodes') return next
  return {
    ...next,
    metadata: { ...next.metadata, ...(annotations ? { annotations } : {}), ...(labels ? { labels } : {}) },
  }
}

/** True when something outside metadata and status differs, which a generation counts. */
export function countsAsChange(
  definition: ResourceDefinition,
  object: AnyObject,
  old: AnyObject,
  same: (a: unknown, b: unknown) => boolean,
): boolean {
  const wanted = (one: AnyObject): JsonObject => without(one, 'metadata', 'status')
  if (!same(wanted(object), wanted(old))) return true
  return definition.resource === 'deployments' && !same(object.metadata.annotations, old.metadata.annotations)
}

function withStatus(object: AnyObject, status: unknown): AnyObject {
  const { status: _, ...rest } = object
  return status === undefined ? rest : { ...rest, status }
}

function withFreshStatus(definition: ResourceDefinition, object: AnyObject): AnyObject {
  switch (definition.resource) {
    case 'nodes':
      // A kubelet registers its node together with the status.
      return object['status'] === undefined ? { ...object, status: {} } : object
    case 'pods':
      return { ...object, status: { phase: 'Pending', qosClass: qosClassOf(objectOf(object['spec'])) } }
    case 'namespaces':
      return { ...object, status: { phase: 'Active' } }
    case 'services':
      return { ...object, status: { loadBalancer: {} } }
    case 'replicasets':
      return { ...object, status: { replicas: 0 } }
    default:
      return definition.custom ? withStatus(object, customStatus(definition)) : { ...object, status: {} }
  }
}

/** The status that the schemas of the Gateway API give to what no controller has seen yet. */
function customStatus({ resource }: ResourceDefinition): JsonObject | undefined {
  const types = { gatewayclasses: ['Accepted'], gateways: ['Accepted', 'Programmed'] }
  const wanted = resource === 'gatewayclasses' || resource === 'gateways' ? types[resource] : []
  if (wanted.length === 0) return undefined
  const conditions = wanted.map((type) => ({
    lastTransitionTime: '1970-01-01T00:00:00Z',
    message: 'Waiting for controller',
    reason: 'Pending',
    status: 'Unknown',
    type,
  }))
  return { conditions }
}

const SERVER_SET: Partial<Record<string, readonly string[]>> = {
  pods: ['preemptionPolicy', 'priority', 'serviceAccount', 'serviceAccountName', 'tolerations'],
  services: ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'],
  jobs: ['selector'],
  namespaces: ['finalizers'],
}
const JOB_LABELS = [
  'batch.kubernetes.io/controller-uid',
  'batch.kubernetes.io/job-name',
  'controller-uid',
  'job-name',
]

/**
 * The new object as its manager owns it: with the defaults of its type, but without what the server set for reasons of
 * its own and the manager did not send.
 */
export function ownedByCreator(
  definition: ResourceDefinition,
  object: AnyObject,
  sent: JsonObject,
): AnyObject {
  const fields = SERVER_SET[definition.resource]
  if (!fields) return object
  const sentSpec = objectOf(sent['spec'])
  const spec = without(objectOf(object['spec']), ...fields.filter((field) => sentSpec[field] === undefined))
  if (definition.resource !== 'jobs') return { ...object, spec }
  const template = objectOf(spec['template'])
  return {
    ...withoutJobLabels(object, sent),
    spec: { ...spec, template: withoutJobLabels(template, objectOf(sentSpec['template'])) },
  }
}

function withoutJobLabels<T extends JsonObject>(object: T, sent: JsonObject): T {
  const metadata = objectOf(object['metadata'])
  const sentLabels = objectOf(objectOf(sent['metadata'])['labels'])
  const labels = without(
    objectOf(metadata['labels']),
    ...JOB_LABELS.filter((key) => sentLabels[key] === undefined),
  )
  const rest = without(metadata, 'labels')
  return { ...object, metadata: Object.keys(labels).length === 0 ? rest : { ...rest, labels } }
}

/** Source: "Configure Quality of Service for Pods" in the Kubernetes documentation. */
function qosClassOf(spec: JsonObject): string {
  const containers = [...listOf(spec['containers']), ...listOf(spec['initContainers'])].map((one) =>
    objectOf(objectOf(one)['resources']),
  )
  const amount = (resources: JsonObject, side: string, name: string): unknown =>
    objectOf(resources[side])[name]
  const named = containers.some((resources) =>
    ['requests', 'limits'].some((side) => ['cpu', 'memory'].some((name) => amount(resources, side, name))),
  )
  if (!named) return 'BestEffort'
  const full = containers.every((resources) =>
    ['cpu', 'memory'].every((name) => {
      const limit = amount(resources, 'limits', name)
      return limit !== undefined && (amount(resources, 'requests', name) ?? limit) === limit
    }),
  )
  return full ? 'Guaranteed' : 'Burstable'
}

function withStringData(secret: AnyObject): AnyObject {
  const { stringData, ...rest } = secret
  if (stringData === undefined) return secret
  const added = Object.entries(objectOf(stringData)).map(([key, value]): [string, string] => [
    key,
    Buffer.from(textOf(value), 'utf8').toString('base64'),
  ])
  const data = { ...objectOf(secret['data']), ...Object.fromEntries(added) }
  return { ...rest, data }
}

function withAdmission(pod: AnyObject): AnyObject {
  const spec = objectOf(pod['spec'])
  const name = textOf(spec['serviceAccountName']) || textOf(spec['serviceAccount']) || 'default'
  const priority = PRIORITIES[textOf(spec['priorityClassName'])] ?? spec['priority']
  return {
    ...pod,
    spec: {
      ...spec,
      serviceAccountName: name,
      serviceAccount: name,
      ...(priority === undefined ? {} : { priority }),
    },
  }
}

/** The kubelet reports with a pod's status which ports it really uses; nothing else of the metadata is taken over. */
function withOwnAnnotations(next: AnyObject, object: AnyObject): AnyObject {
  const isOwn = ([key]: [string, string]): boolean => key.startsWith('slipway/')
  const own = Object.entries(object.metadata.annotations ?? {}).filter(isOwn)
  const others = Object.entries(next.metadata.annotations ?? {}).filter((entry) => !isOwn(entry))
  const { annotations: _, ...metadata } = next.metadata
  const annotations = Object.fromEntries([...others, ...own])
  return {
    ...next,
    metadata: Object.keys(annotations).length === 0 ? metadata : { ...metadata, annotations },
  }
}
