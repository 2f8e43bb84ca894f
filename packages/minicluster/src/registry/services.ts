import { statusErrors, type StatusCause } from '../errors.ts'
import type { AnyObject } from '../model.ts'
import { listOf, objectOf, textOf, without, type JsonObject } from '../schema/json.ts'

/*
 * Cluster addresses and node ports of Services. What is taken is read from the Services themselves at each allocation, so
 * nothing can leak. Addresses are given out in turn, not the lowest free one, so that a name does not soon mean another
 * Service.
 */
const ADDRESS_PREFIX = '10.96'
/** 10.96.0.1 is `default/kubernetes`; the first few are left for what is always the same. */
const FIRST_ADDRESS = 16
const ADDRESS_COUNT = 256 * 256 - 1
const FIRST_NODE_PORT = 30_000
const NODE_PORT_COUNT = 2_768

/** Where the search for the next free address and port goes on. */
export type ServiceCursor = { address: number; nodePort: number }

export function newServiceCursor(): ServiceCursor {
  return { address: FIRST_ADDRESS, nodePort: 0 }
}

/**
 * The Service with its cluster address and node ports.
 * @param old - the Service before, whose allocations are kept when the new one names none
 * @throws {StatusError} 422 when an address or port asked for is taken or out of range
 */
export function allocateService(
  service: AnyObject,
  old: AnyObject | undefined,
  others: readonly AnyObject[],
  cursor: ServiceCursor,
): AnyObject {
  const spec = objectOf(service['spec'])
  if (spec['type'] === 'ExternalName') {
    return { ...service, spec: without(spec, 'clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy') }
  }
  const rivals = others.filter(({ metadata }) => metadata.uid !== service.metadata.uid)
  const clusterIP = addressFor(service, objectOf(old?.['spec']), rivals, cursor)
  return {
    ...service,
    spec: {
      ...spec,
      clusterIP,
      clusterIPs: [clusterIP],
      ipFamilies: spec['ipFamilies'] ?? ['IPv4'],
      ipFamilyPolicy: spec['ipFamilyPolicy'] ?? 'SingleStack',
      ...(spec['ports'] === undefined ? {} : { ports: portsFor(service, old, rivals, cursor) }),
    },
  }
}

function addressFor(
  service: AnyObject,
  oldSpec: JsonObject,
  rivals: readonly AnyObject[],
  cursor: ServiceCursor,
): string {
  const spec = objectOf(service['spec'])
  const asked = textOf(spec['clusterIP']) || textOf(listOf(spec['clusterIPs'])[0])
  const kept = oldSpec['type'] === 'ExternalName' ? '' : textOf(oldSpec['clusterIP'])
  // What was given once stays; validation refuses another one.
  if (asked === 'None' || (asked !== '' && kept !== '')) return asked
  if (asked === '' && kept !== '') return kept
  const taken = new Set(rivals.map((rival) => textOf(objectOf(rival['spec'])['clusterIP'])))
  if (asked !== '') {
    const fault = addressFault(asked, taken)
    if (fault !== undefined) throw refuse(service, { field: 'spec.clusterIPs', value: [asked], fault })
    return asked
  }
  for (let tries = 0; tries < ADDRESS_COUNT; tries += 1) {
    const number = cursor.address
    cursor.address = number + 1 >= ADDRESS_COUNT ? FIRST_ADDRESS : number + 1
    const address = `${ADDRESS_PREFIX}.${number >> 8}.${number & 255}`
    if (!taken.has(address)) return address
  }
  throw statusErrors.internal('failed to allocate a serviceIP: range is full')
}

function addressFault(address: string, taken: ReadonlySet<string>): string | undefined {
  const match = /^10\.96\.(\d{1,3})\.(\d{1,3})$/.exec(address)
  const number = Number(match?.[1]) * 256 + Number(match?.[2])
  if (!match || number <= 0 || number >= ADDRESS_COUNT + 1)
    return `failed to allocate IP ${address}: the provided IP (${address}) is not in the valid range. The range of valid IPs is ${ADDRESS_PREFIX}.0.0/16`
  return taken.has(address) ? `failed to allocate IP ${address}: provided IP is already allocated` : undefined
}

function portsFor(
  service: AnyObject,
  old: AnyObject | undefined,
  rivals: readonly AnyObject[],
  cursor: ServiceCursor,
): readonly JsonObject[] {
  const spec = objectOf(service['spec'])
  const ports = listOf(spec['ports']).map(objectOf)
  const wanted = spec['type'] === 'NodePort' || spec['type'] === 'LoadBalancer'
  if (!wanted) return ports.map((port) => without(port, 'nodePort'))
  const oldPorts = listOf(objectOf(old?.['spec'])['ports']).map(objectOf)
  const taken = new Set(rivals.flatMap(nodePortsOf))
  for (const { nodePort } of ports) if (nodePort) taken.add(nodePort)
  return ports.map((port, index) => {
    const kept = oldPorts.find((one) => one['port'] === port['port'] && one['protocol'] === port['protocol'])
    if (port['nodePort']) {
      const clash = rivals.flatMap(nodePortsOf).includes(port['nodePort'])
      if (clash)
        throw refuse(service, {
          field: `spec.ports[${index}].nodePort`,
          value: port['nodePort'],
          fault: 'provided port is already allocated',
        })
      return port
    }
    const nodePort = kept?.['nodePort'] ?? nextNodePort(taken, cursor)
    taken.add(nodePort)
    return { ...port, nodePort }
  })
}

function nextNodePort(taken: ReadonlySet<unknown>, cursor: ServiceCursor): number {
  for (let tries = 0; tries < NODE_PORT_COUNT; tries += 1) {
    const port = FIRST_NODE_PORT + cursor.nodePort
    cursor.nodePort = (cursor.nodePort + 1) % NODE_PORT_COUNT
    if (!taken.has(port)) return port
  }
  throw statusErrors.internal('failed to allocate a nodePort: range is full')
}

function nodePortsOf(service: AnyObject): unknown[] {
  return listOf(objectOf(service['spec'])['ports']).flatMap((port) => objectOf(port)['nodePort'] ?? [])
}

function refuse(service: AnyObject, what: { field: string; value: unknown; fault: string }): Error {
  const cause: StatusCause = {
    reason: 'FieldValueInvalid',
    message: `Invalid value: ${JSON.stringify(what.value)}: ${what.fault}`,
    field: what.field,
  }
  return statusErrors.invalid('Service', '', service.metadata.name, [cause])
}
