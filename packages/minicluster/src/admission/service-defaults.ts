import type { JsonObject } from '../schema/json.ts'
import { listOf, objectOf, textOf, without } from '../schema/json.ts'

const CLIENT_AFFINITY_SECONDS = 3 * 60 * 60

export function completeService(service: JsonObject): JsonObject {
  const spec = objectOf(service['spec'])
  const type = textOf(spec['type']) || 'ClusterIP'
  const hasExternalAddress = type === 'ClusterIP' && listOf(spec['externalIPs']).length > 0
  const isExternal = type === 'NodePort' || type === 'LoadBalancer' || hasExternalAddress
  const ports = listOf(spec['ports']).map((port) => completePort(objectOf(port)))
  return {
    ...service,
    spec: {
      ...(type === 'ExternalName' ? {} : { internalTrafficPolicy: 'Cluster', ...addressesOf(spec) }),
      ...(isExternal ? { externalTrafficPolicy: 'Cluster' } : {}),
      ...(type === 'LoadBalancer' ? { allocateLoadBalancerNodePorts: true } : {}),
      ...withoutOldDefaults(spec, type, isExternal),
      ...(ports.length === 0 ? {} : { ports }),
      type,
      ...affinityOf(spec),
    },
  }
}

/** A Service that changes its type leaves behind what the server filled in for the old one. */
function withoutOldDefaults(spec: JsonObject, type: string, isExternal: boolean): JsonObject {
  return without(
    spec,
    'sessionAffinityConfig',
    ...(!isExternal && spec['externalTrafficPolicy'] === 'Cluster' ? ['externalTrafficPolicy'] : []),
    ...(type === 'LoadBalancer' ? [] : ['allocateLoadBalancerNodePorts']),
  )
}

function completePort(port: JsonObject): JsonObject {
  const { targetPort } = port
  const isAbsent = targetPort === undefined || targetPort === 0 || targetPort === ''
  return { protocol: 'TCP', ...port, targetPort: isAbsent ? port['port'] : targetPort }
}

/** One address family; the one address is also the list of addresses. */
function addressesOf(spec: JsonObject): JsonObject {
  const clusterIp = textOf(spec['clusterIP'])
  return {
    ...(clusterIp === '' ? {} : { clusterIPs: [clusterIp] }),
    // A Service without addresses and without pods of its own could have endpoints of both families.
    ...(clusterIp === 'None' && spec['selector'] === undefined
      ? { ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'RequireDualStack' }
      : { ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' }),
  }
}

function affinityOf(spec: JsonObject): JsonObject {
  if (spec['sessionAffinity'] !== 'ClientIP') {
    return { sessionAffinity: textOf(spec['sessionAffinity']) || 'None' }
  }
  const clientIP = objectOf(objectOf(spec['sessionAffinityConfig'])['clientIP'])
  return {
    sessionAffinityConfig: { clientIP: { timeoutSeconds: CLIENT_AFFINITY_SECONDS, ...clientIP } },
  }
}
