import type { AnyObject, Resource } from '../model.ts'
import { listOf, objectOf, textOf, type JsonObject } from '../schema/json.ts'
import {
  ageText,
  conditionOf,
  conditionStatus,
  containersOf,
  durationText,
  numberAt,
  spec,
  status,
} from './cells.ts'
import { podReady, podRestarts, podStatus } from './pod-cells.ts'

/*
 * The columns of `kubectl get`, as the printers of the real API server make them. A column with priority 1 is shown in
 * wide output only.
 */
export type Column = {
  readonly name: string
  readonly type: 'string' | 'integer' | 'date'
  readonly format: string
  readonly description: string
  readonly priority: 0 | 1
  readonly cell: (object: AnyObject, now: Date) => string | number
}

type Cell = Column['cell']

function column(name: string, cell: Cell, more: Partial<Column> = {}): Column {
  return { name, type: 'string', format: '', description: name, priority: 0, cell, ...more }
}
const wide = (name: string, cell: Cell): Column => column(name, cell, { priority: 1 })
const whole = (name: string, cell: Cell): Column => column(name, cell, { type: 'integer' })

const orNone = (text: string): string => (text === '' ? '<none>' : text)

const name = column('Name', (object) => object.metadata.name, { format: 'name' })
const age = column('Age', (object, now) => ageText(object.metadata.creationTimestamp, now))
const customAge: Column = { ...age, type: 'date' }
const podTemplate = (object: AnyObject): JsonObject => objectOf(objectOf(spec(object)['template'])['spec'])
const workload = [
  wide('Containers', (object) =>
    containersOf(podTemplate(object))
      .map((one) => textOf(one['name']))
      .join(','),
  ),
  wide('Images', (object) =>
    containersOf(podTemplate(object))
      .map((one) => textOf(one['image']))
      .join(','),
  ),
  wide('Selector', (object) => orNone(selectorText(objectOf(spec(object)['selector'])))),
]

export const columns: Readonly<Record<Resource, readonly Column[]>> = {
  namespaces: [name, column('Status', (object) => textOf(status(object)['phase'])), age],
  nodes: [
    name,
    column('Status', nodeStatus),
    column('Roles', nodeRoles),
    age,
    column('Version', (object) => textOf(objectOf(status(object)['nodeInfo'])['kubeletVersion'])),
    wide('Internal-IP', (object) => nodeAddress(object, 'InternalIP')),
    wide('External-IP', (object) => nodeAddress(object, 'ExternalIP')),
    ...[
      ['OS-Image', 'osImage'],
      ['Kernel-Version', 'kernelVersion'],
      ['Container-Runtime', 'containerRuntimeVersion'],
    ].map(([title = '', key = '']) =>
      wide(title, (object) => textOf(objectOf(status(object)['nodeInfo'])[key]) || '<unknown>'),
    ),
  ],
  pods: [
    name,
    column('Ready', podReady),
    column('Status', podStatus),
    column('Restarts', podRestarts),
    age,
    wide('IP', (object) => orNone(textOf(status(object)['podIP']))),
    wide('Node', (object) => orNone(textOf(spec(object)['nodeName']))),
    wide('Nominated Node', (object) => orNone(textOf(status(object)['nominatedNodeName']))),
    wide('Readiness Gates', () => '<none>'),
  ],
  services: [
    name,
    column('Type', (object) => textOf(spec(object)['type'])),
    column('Cluster-IP', (object) => orNone(textOf(spec(object)['clusterIP']))),
    column('External-IP', externalAddress),
    column('Port(s)', servicePorts),
    age,
    wide('Selector', (object) => orNone(pairsText(objectOf(spec(object)['selector'])))),
  ],
  endpointslices: [
    name,
    column('AddressType', (object) => textOf(object['addressType'])),
    column('Ports', (object) => slicePorts(object)),
    column('Endpoints', sliceEndpoints),
    age,
  ],
  configmaps: [
    name,
    column('Data', (object) => keyCount(object['data']) + keyCount(object['binaryData'])),
    age,
  ],
  secrets: [
    name,
    column('Type', (object) => textOf(object['type'])),
    column('Data', (object) => keyCount(object['data'])),
    age,
  ],
  serviceaccounts: [name, age],
  events: [
    column('Last Seen', (object, now) => ageText(lastSeen(object), now)),
    column('Type', (object) => textOf(object['type'])),
    column('Reason', (object) => textOf(object['reason'])),
    column('Object', (object) => {
      const about = objectOf(object['involvedObject'])
      return `${textOf(about['kind']).toLowerCase()}/${textOf(about['name'])}`
    }),
    wide('Subobject', (object) => textOf(objectOf(object['involvedObject'])['fieldPath'])),
    wide('Source', (object) => {
      const source = objectOf(object['source'])
      const component = textOf(source['component']) || textOf(object['reportingComponent'])
      return textOf(source['host']) === '' ? component : `${component}, ${textOf(source['host'])}`
    }),
    column('Message', (object) => textOf(object['message']).trim()),
    wide('First Seen', (object, now) =>
      ageText(textOf(object['firstTimestamp']) || textOf(object['eventTime']), now),
    ),
    wide('Count', (object) =>
      String(numberAt(objectOf(object['series']), 'count') || numberAt(object, 'count') || 1),
    ),
    column('Name', (object) => object.metadata.name, { format: 'name', priority: 1 }),
  ],
  deployments: [
    name,
    column(
      'Ready',
      (object) => `${numberAt(status(object), 'readyReplicas')}/${numberAt(spec(object), 'replicas')}`,
    ),
    column('Up-to-date', (object) => numberAt(status(object), 'updatedReplicas')),
    column('Available', (object) => numberAt(status(object), 'availableReplicas')),
    age,
    ...workload,
  ],
  replicasets: [
    name,
    whole('Desired', (object) => numberAt(spec(object), 'replicas')),
    whole('Current', (object) => numberAt(status(object), 'replicas')),
    whole('Ready', (object) => numberAt(status(object), 'readyReplicas')),
    age,
    ...workload,
  ],
  jobs: [
    name,
    column('Status', jobStatus),
    column('Completions', jobCompletions),
    column('Duration', jobDuration),
    age,
    ...workload,
  ],
  leases: [name, column('Holder', (object) => textOf(spec(object)['holderIdentity'])), age],
  resourcequotas: [
    name,
    column('Request', (object) => quotaText(object, (key) => !key.startsWith('limits.'))),
    column('Limit', (object) => quotaText(object, (key) => key.startsWith('limits.'))),
    age,
  ],
  gatewayclasses: [
    name,
    column('Controller', (object) => textOf(spec(object)['controllerName'])),
    column('Accepted', (object) => conditionStatus(object, 'Accepted')),
    customAge,
    wide('Description', (object) => textOf(spec(object)['description'])),
  ],
  gateways: [
    name,
    column('Class', (object) => textOf(spec(object)['gatewayClassName'])),
    column('Address', (object) => textOf(objectOf(listOf(status(object)['addresses'])[0])['value'])),
    column('Programmed', (object) => conditionStatus(object, 'Programmed')),
    customAge,
  ],
  httproutes: [
    name,
    column('Hostnames', (object) => {
      const hostnames = listOf(spec(object)['hostnames'])
      return hostnames.length === 0 ? '' : JSON.stringify(hostnames)
    }),
    customAge,
  ],
}

function keyCount(value: unknown): number {
  return Object.keys(objectOf(value)).length
}

function pairsText(labels: JsonObject): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${textOf(value)}`)
    .sort()
    .join(',')
}

function selectorText(selector: JsonObject): string {
  const expressions = listOf(selector['matchExpressions']).map((one) => {
    const { key, operator, values } = objectOf(one)
    const list = `(${listOf(values).map(textOf).join(',')})`
    if (operator === 'Exists') return textOf(key)
    if (operator === 'DoesNotExist') return `!${textOf(key)}`
    return `${textOf(key)} ${operator === 'In' ? 'in' : 'notin'} ${list}`
  })
  return [pairsText(objectOf(selector['matchLabels'])), ...expressions]
    .filter((text) => text !== '')
    .join(',')
}

function nodeStatus(node: AnyObject): string {
  const ready = conditionOf(node, 'Ready')
  const words = [!ready ? 'Unknown' : ready['status'] === 'True' ? 'Ready' : 'NotReady']
  if (spec(node)['unschedulable'] === true) words.push('SchedulingDisabled')
  return words.join(',')
}

function nodeRoles(node: AnyObject): string {
  const prefix = 'node-role.kubernetes.io/'
  const roles = Object.keys(node.metadata.labels ?? {})
    .filter((key) => key.startsWith(prefix) && key.length > prefix.length)
    .map((key) => key.slice(prefix.length))
  return orNone(roles.sort().join(','))
}

function nodeAddress(node: AnyObject, type: string): string {
  const found = listOf(status(node)['addresses'])
    .map(objectOf)
    .find((address) => address['type'] === type)
  return orNone(textOf(found?.['address']))
}

function externalAddress(service: AnyObject): string {
  const { type, externalName, externalIPs } = spec(service)
  if (type === 'ExternalName') return textOf(externalName)
  const ingress = listOf(objectOf(status(service)['loadBalancer'])['ingress'])
    .map(objectOf)
    .map((one) => textOf(one['ip']) || textOf(one['hostname']))
  const all = [...(type === 'LoadBalancer' ? ingress : []), ...listOf(externalIPs).map(textOf)]
  if (all.length > 0) return all.join(',')
  return type === 'LoadBalancer' ? '<pending>' : '<none>'
}

function servicePorts(service: AnyObject): string {
  const ports = listOf(spec(service)['ports']).map((one) => {
    const { port, nodePort, protocol } = objectOf(one)
    const number = typeof port === 'number' ? port : 0
    return `${number}${typeof nodePort === 'number' && nodePort > 0 ? `:${nodePort}` : ''}/${textOf(protocol)}`
  })
  return orNone(ports.join(','))
}

function slicePorts(slice: AnyObject): string {
  const ports = listOf(slice['ports']).map((one) => {
    const { port } = objectOf(one)
    return typeof port === 'number' ? String(port) : '*'
  })
  return ports.length === 0 ? '<unset>' : shortened(ports)
}

function sliceEndpoints(slice: AnyObject): string {
  const addresses = listOf(slice['endpoints']).flatMap((one) =>
    listOf(objectOf(one)['addresses']).map(textOf),
  )
  return addresses.length === 0 ? '<unset>' : shortened(addresses)
}

function shortened(texts: readonly string[]): string {
  const shown = texts.slice(0, 3).join(',')
  return texts.length > 3 ? `${shown} + ${texts.length - 3} more...` : shown
}

function lastSeen(event: AnyObject): string {
  const observed = textOf(objectOf(event['series'])['lastObservedTime'])
  return (
    observed ||
    textOf(event['lastTimestamp']) ||
    textOf(event['eventTime']) ||
    event.metadata.creationTimestamp
  )
}

function jobStatus(job: AnyObject): string {
  for (const type of ['Complete', 'Failed']) if (conditionOf(job, type)?.['status'] === 'True') return type
  if (job.metadata.deletionTimestamp !== undefined) return 'Terminating'
  if (conditionOf(job, 'Suspended')?.['status'] === 'True') return 'Suspended'
  if (conditionOf(job, 'FailureTarget')?.['status'] === 'True') return 'FailureTarget'
  return conditionOf(job, 'SuccessCriteriaMet')?.['status'] === 'True' ? 'SuccessCriteriaMet' : 'Running'
}

function jobCompletions(job: AnyObject): string {
  const { completions, parallelism } = spec(job)
  const doneCount = numberAt(status(job), 'succeeded')
  if (typeof completions === 'number') return `${doneCount}/${completions}`
  return typeof parallelism === 'number' && parallelism > 1
    ? `${doneCount}/1 of ${parallelism}`
    : `${doneCount}/1`
}

function jobDuration(job: AnyObject, now: Date): string {
  const { startTime, completionTime } = status(job)
  const start = Date.parse(textOf(startTime))
  if (Number.isNaN(start)) return ''
  const end = Date.parse(textOf(completionTime))
  return durationText((Number.isNaN(end) ? now.getTime() : end) - start)
}

function quotaText(quota: AnyObject, belongs: (key: string) => boolean): string {
  const { hard, used } = status(quota)
  return Object.keys(objectOf(hard))
    .filter(belongs)
    .sort()
    .map((key) => `${key}: ${textOf(objectOf(used)[key]) || '0'}/${textOf(objectOf(hard)[key])}`)
    .join(', ')
}
