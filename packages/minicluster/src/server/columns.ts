import type { AnyObject, Resource } from '../model.ts'
import { listOf, objectOf, textOf, type JsonObject } from '../schema/json.ts'

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

const spec = (object: AnyObject): JsonObject => objectOf(object['spec'])
const status = (object: AnyObject): JsonObject => objectOf(object['status'])
const numberAt = (part: JsonObject, key: string): number => (typeof part[key] === 'number' ? part[key] : 0)
const orNone = (text: string): string => (text === '' ? '<none>' : text)

const name = column('Name', (object) => object.metadata.name, { format: 'name' })
const age = column('Age', (object, now) => ageText(object.metadata.creationTimestamp, now))
const customAge: Column = { ...age, type: 'date' }
const podTemplate = (object: AnyObject): JsonObject => objectOf(objectOf(spec(object)['template'])['spec'])
const containersOf = (pod: JsonObject): JsonObject[] => listOf(pod['containers']).map(objectOf)
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

/** A duration in the short form of kubectl: `12s`, `3m5s`, `4h`, `2d3h`, `400d`. */
export function durationText(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  const days = Math.floor(hours / 24)
  const years = Math.floor(days / 365)
  const two = (big: number, unit: string, rest: number, small: string): string =>
    rest === 0 ? `${big}${unit}` : `${big}${unit}${rest}${small}`
  if (seconds < 120) return `${seconds}s`
  if (minutes < 10) return two(minutes, 'm', seconds % 60, 's')
  if (minutes < 180) return `${minutes}m`
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  if (days < 8) return two(days, 'd', hours % 24, 'h')
  if (years < 2) return `${days}d`
  return years < 8 ? two(years, 'y', days % 365, 'd') : `${years}y`
}

function ageText(timestamp: string, now: Date): string {
  const at = Date.parse(timestamp)
  return Number.isNaN(at) ? '<unknown>' : durationText(now.getTime() - at)
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

function conditionOf(object: AnyObject, type: string): JsonObject | undefined {
  return listOf(status(object)['conditions'])
    .map(objectOf)
    .find((condition) => condition['type'] === type)
}

function conditionStatus(object: AnyObject, type: string): string {
  return textOf(conditionOf(object, type)?.['status']) || 'Unknown'
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

const containerStatuses = (pod: AnyObject): JsonObject[] =>
  listOf(status(pod)['containerStatuses']).map(objectOf)
const initStatuses = (pod: AnyObject): JsonObject[] =>
  listOf(status(pod)['initContainerStatuses']).map(objectOf)

function isSidecar(pod: AnyObject, name: unknown): boolean {
  return listOf(spec(pod)['initContainers'])
    .map(objectOf)
    .some((one) => one['name'] === name && one['restartPolicy'] === 'Always')
}

function podReady(pod: AnyObject): string {
  const sidecars = listOf(spec(pod)['initContainers'])
    .map(objectOf)
    .filter((one) => one['restartPolicy'] === 'Always')
  const statuses = [
    ...containerStatuses(pod),
    ...initStatuses(pod).filter((one) => isSidecar(pod, one['name'])),
  ]
  const readyCount = statuses.filter(
    (one) => one['ready'] === true && objectOf(one['state'])['running'] !== undefined,
  ).length
  return `${readyCount}/${containersOf(spec(pod)).length + sidecars.length}`
}

function podRestarts(pod: AnyObject, now: Date): string {
  const statuses = [
    ...containerStatuses(pod),
    ...initStatuses(pod).filter((one) => isSidecar(pod, one['name'])),
  ]
  const count = statuses.reduce((sum, one) => sum + numberAt(one, 'restartCount'), 0)
  const last = statuses
    .map((one) => textOf(objectOf(objectOf(one['lastState'])['terminated'])['finishedAt']))
    .sort()
    .at(-1)
  return count === 0 || !last ? String(count) : `${count} (${ageText(last, now)} ago)`
}

function podStatus(pod: AnyObject): string {
  const own = status(pod)
  let reason = textOf(own['reason']) || textOf(own['phase'])
  const scheduled = conditionOf(pod, 'PodScheduled')
  if (scheduled?.['reason'] === 'SchedulingGated') reason = 'SchedulingGated'
  const init = initReason(pod)
  reason = init ?? containerReason(pod, reason)
  if (pod.metadata.deletionTimestamp === undefined) return reason
  return own['reason'] === 'NodeLost' ? 'Unknown' : 'Terminating'
}

/** What holds the pod in its init containers, if something does. */
function initReason(pod: AnyObject): string | undefined {
  const containers = listOf(spec(pod)['initContainers'])
  for (const [index, one] of initStatuses(pod).entries()) {
    const state = objectOf(one['state'])
    const terminated = state['terminated'] === undefined ? undefined : objectOf(state['terminated'])
    if (terminated?.['exitCode'] === 0) continue
    if (isSidecar(pod, one['name']) && one['started'] === true) continue
    if (terminated) return `Init:${endReason(terminated)}`
    const waiting = textOf(objectOf(state['waiting'])['reason'])
    if (waiting !== '' && waiting !== 'PodInitializing') return `Init:${waiting}`
    return `Init:${index}/${containers.length}`
  }
  return undefined
}

function endReason(terminated: JsonObject): string {
  const reason = textOf(terminated['reason'])
  if (reason !== '') return reason
  const signal = numberAt(terminated, 'signal')
  return signal > 0 ? `Signal:${signal}` : `ExitCode:${numberAt(terminated, 'exitCode')}`
}

function containerReason(pod: AnyObject, phaseReason: string): string {
  let reason = phaseReason
  let running = false
  for (const one of containerStatuses(pod).reverse()) {
    const state = objectOf(one['state'])
    const waiting = textOf(objectOf(state['waiting'])['reason'])
    if (waiting !== '') reason = waiting
    else if (state['terminated'] !== undefined) reason = endReason(objectOf(state['terminated']))
    else if (one['ready'] === true && state['running'] !== undefined) running = true
  }
  if (reason === 'Completed' && running)
    return conditionStatus(pod, 'Ready') === 'True' ? 'Running' : 'NotReady'
  return reason
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
