import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { type ApiAccess, createObject } from './api-request.ts'
import { CLUSTER_DNS, CLUSTER_DOMAIN } from './node-config.ts'

/** As whom CoreDNS calls the API server. */
export const DNS_USER = 'slipway:dns'
const NAME = 'kube-dns'
const NAMESPACE = 'kube-system'

/** The flags of CoreDNS, which answers for the cluster alone. */
export function dnsFlags(settings: {
  readonly folder: string
  readonly address: string
  readonly port: number
  readonly kubeconfigPath: string
}): string[] {
  const path = join(settings.folder, 'Corefile')
  writeFileSync(
    path,
    `.:${settings.port} {
  bind ${settings.address}
  errors
  kubernetes ${CLUSTER_DOMAIN} in-addr.arpa {
    kubeconfig ${settings.kubeconfigPath}
    pods insecure
    ttl 5
  }
  cache 5
  loadbalance
}
`,
  )
  return ['-conf', path]
}

/** Makes CoreDNS, which is no pod, the cluster's Service `kube-dns`. */
export async function serveDns(access: ApiAccess, address: string, port: number): Promise<void> {
  const rules = [
    { apiGroups: [''], resources: ['services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
  ]
  await grantRole(access, DNS_USER, rules)
  const ports = (['UDP', 'TCP'] as const).map((protocol) => ({
    name: `dns-${protocol.toLowerCase()}`,
    protocol,
  }))
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: NAME },
    spec: { clusterIP: CLUSTER_DNS, ports: ports.map((one) => ({ ...one, port: 53, targetPort: port })) },
  }
  await createObject(access, `/api/v1/namespaces/${NAMESPACE}/services`, JSON.stringify(service))
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: NAME, labels: { 'kubernetes.io/service-name': NAME } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: ports.map((one) => ({ ...one, port })),
  }
  const path = `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices`
  await createObject(access, path, JSON.stringify(slice))
}

/** Lets a user of the cluster do what `rules` say, everywhere. */
export async function grantRole(access: ApiAccess, user: string, rules: readonly object[]): Promise<void> {
  const path = '/apis/rbac.authorization.k8s.io/v1'
  const apiVersion = 'rbac.authorization.k8s.io/v1'
  const role = { apiVersion, kind: 'ClusterRole', metadata: { name: user }, rules }
  const binding = {
    apiVersion,
    kind: 'ClusterRoleBinding',
    metadata: { name: user },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: user },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  }
  await createObject(access, `${path}/clusterroles`, JSON.stringify(role))
  await createObject(access, `${path}/clusterrolebindings`, JSON.stringify(binding))
}
