import type { JsonObject } from '../../schema/json.ts'
import { listOf, objectOf, textOf } from '../../schema/json.ts'
import { validateLabels } from './meta.ts'
import {
  checkIp,
  checkLabel,
  checkPortNumber,
  checkPortReference,
  checkSubdomain,
  IMMUTABLE,
} from './names.ts'
import type { Report } from './report.ts'

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const AFFINITY_SECONDS_MAX = 86_400

export function validateService(object: JsonObject, old: JsonObject | undefined, report: Report): void {
  const spec = objectOf(object['spec'])
  const type = textOf(spec['type'])
  const isHeadless = spec['clusterIP'] === 'None'
  const ports = listOf(spec['ports']).map(objectOf)
  if (type === 'ExternalName') {
    const name = textOf(spec['externalName'])
    if (name === '') report.required('spec.externalName')
    else report.each('spec.externalName', name, checkSubdomain(name))
  } else if (ports.length === 0 && !isHeadless) report.required('spec.ports')
  validatePorts(ports, type, report)
  validateLabels(spec['selector'], 'spec.selector', report)
  validateAffinity(spec, report)
  report.oneOf('spec.type', type, TYPES)
  validateAddresses(spec, type, report)
  validatePolicies(spec, type, report)
  if (old) validateChange(spec, objectOf(old['spec']), report)
}

function validatePorts(ports: readonly JsonObject[], type: string, report: Report): void {
  const names = new Set<string>()
  const claimed = new Set<string>()
  for (const [index, port] of ports.entries()) {
    const at = `spec.ports[${index}]`
    const name = textOf(port['name'])
    if (name === '') {
      if (ports.length > 1) report.required(`${at}.name`)
    } else {
      report.each(`${at}.name`, name, checkLabel(name))
      if (names.has(name)) report.duplicate(`${at}.name`, name)
      names.add(name)
    }
    report.each(`${at}.port`, port['port'], checkPortNumber(port['port']))
    report.oneOf(`${at}.protocol`, port['protocol'], PROTOCOLS)
    report.each(`${at}.targetPort`, port['targetPort'], checkPortReference(port['targetPort']))
    if (port['nodePort'] !== undefined && (type === 'ClusterIP' || type === 'ExternalName')) {
      report.forbidden(`${at}.nodePort`, `may not be used when \`type\` is '${type}'`)
    }
    const claim = `${textOf(port['protocol'])}/${JSON.stringify(port['port'])}`
    if (claimed.has(claim)) report.duplicate(at, bareValueOf(port))
    claimed.add(claim)
  }
}

/** The port in the form that the real server prints: its fields' Go names, only number and protocol set. */
function bareValueOf(port: JsonObject): JsonObject {
  const { protocol, port: number } = port
  return { Name: '', Protocol: protocol, AppProtocol: null, Port: number, TargetPort: 0, NodePort: 0 }
}

function validateAffinity(spec: JsonObject, report: Report): void {
  report.oneOf('spec.sessionAffinity', spec['sessionAffinity'], ['ClientIP', 'None'])
  if (spec['sessionAffinity'] !== 'ClientIP') return
  const seconds = objectOf(objectOf(spec['sessionAffinityConfig'])['clientIP'])['timeoutSeconds']
  if (typeof seconds === 'number' && (seconds <= 0 || seconds > AFFINITY_SECONDS_MAX)) {
    const why = `must be greater than 0 and less than ${AFFINITY_SECONDS_MAX}`
    report.invalid('spec.sessionAffinityConfig.clientIP.timeoutSeconds', seconds, why)
  }
}

function validateAddresses(spec: JsonObject, type: string, report: Report): void {
  const address = textOf(spec['clusterIP'])
  if (address === 'None') {
    if (type === 'NodePort' || type === 'LoadBalancer') {
      report.invalid('spec.clusterIPs[0]', address, `may not be set to 'None' for ${type} services`)
    }
  } else if (address !== '') report.each('spec.clusterIPs[0]', address, checkIp(address))
  for (const [index, external] of listOf(spec['externalIPs']).map(textOf).entries()) {
    report.each(`spec.externalIPs[${index}]`, external, checkIp(external))
  }
}

function validatePolicies(spec: JsonObject, type: string, report: Report): void {
  const { internalTrafficPolicy, externalTrafficPolicy } = spec
  if (internalTrafficPolicy !== undefined) {
    report.oneOf('spec.internalTrafficPolicy', internalTrafficPolicy, ['Cluster', 'Local'])
  }
  if (externalTrafficPolicy === undefined) return
  const isReachable = type === 'NodePort' || type === 'LoadBalancer' || listOf(spec['externalIPs']).length > 0
  if (isReachable) report.oneOf('spec.externalTrafficPolicy', externalTrafficPolicy, ['Cluster', 'Local'])
  else {
    const why = 'may only be set for externally-accessible services'
    report.invalid('spec.externalTrafficPolicy', externalTrafficPolicy, why)
  }
}

/** The address stays, unless the Service becomes, or was, a mere name. */
function validateChange(spec: JsonObject, old: JsonObject, report: Report): void {
  if (spec['type'] === 'ExternalName' || old['type'] === 'ExternalName') return
  const before = textOf(old['clusterIP'])
  const now = textOf(spec['clusterIP'])
  if (before !== '' && now !== '' && now !== before) {
    report.invalid('spec.clusterIPs[0]', spec['clusterIPs'], 'may not change once set')
  }
}

export function validateEndpointSlice(object: JsonObject, old: JsonObject | undefined, report: Report): void {
  const addressType = object['addressType']
  const ports = listOf(object['ports']).map(objectOf)
  const names = new Set<string>()
  for (const [index, port] of ports.entries()) {
    const name = textOf(port['name'])
    if (name !== '') report.each(`ports[${index}].name`, name, checkLabel(name))
    if (names.has(name)) report.duplicate(`ports[${index}].name`, name)
    names.add(name)
    report.oneOf(`ports[${index}].protocol`, port['protocol'], PROTOCOLS)
  }
  report.oneOf('addressType', addressType, ['FQDN', 'IPv4', 'IPv6'])
  for (const [index, endpoint] of listOf(object['endpoints']).map(objectOf).entries()) {
    const addresses = listOf(endpoint['addresses']).map(textOf)
    const at = `endpoints[${index}].addresses`
    if (addresses.length === 0) report.required(at, 'must contain at least 1 address')
    if (addresses.length > 100) report.tooMany(at, addresses.length, 100)
    // Loopback addresses, which a real server refuses, are what the instances of the embedded cluster have.
    for (const [place, address] of addresses.entries()) {
      const problems = addressType === 'FQDN' ? checkSubdomain(address) : checkIp(address)
      if (addressType === 'FQDN' || addressType === 'IPv4' || addressType === 'IPv6') {
        report.each(`${at}[${place}]`, address, problems)
      }
    }
  }
  if (old && old['addressType'] !== addressType) report.invalid('addressType', addressType, IMMUTABLE)
}
