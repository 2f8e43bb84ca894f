import { type ApiAccess, apiRequest, createObject } from './api-request.ts'
import { grantRole } from './cluster-dns.ts'
import { eventually } from './eventually.ts'

/** As whom Traefik calls the API server. */
export const GATEWAY_USER = 'slipway:gateway'
const NAMESPACE = 'gateway'
const CLASS = 'traefik'
const NAME = 'shared'
const GROUP = 'gateway.networking.k8s.io'

export type GatewayEndpoint = { readonly address: string; readonly port: number }

/** The flags of Traefik, which answers outside of the cluster and reaches its pods by their addresses. */
export function gatewayFlags(
  endpoint: GatewayEndpoint,
  cluster: { readonly apiUrl: string; readonly certificatePath: string; readonly token: string },
): string[] {
  const provider = '--providers.kubernetesgateway'
  return [
    '--global.checknewversion=false',
    '--global.sendanonymoususage=false',
    '--log.level=INFO',
    `--entrypoints.web.address=${endpoint.address}:${endpoint.port}`,
    // Changes of routes are collected for so long before they count; the default, 2 s, is longer than what a test looks at.
    '--providers.providersthrottleduration=100ms',
    // A stream may last as long as it likes.
    '--entrypoints.web.transport.respondingtimeouts.readtimeout=0',
    `${provider}=true`,
    `${provider}.endpoint=${cluster.apiUrl}`,
    `${provider}.token=${cluster.token}`,
    `${provider}.certauthfilepath=${cluster.certificatePath}`,
    `${provider}.statusaddress.ip=${endpoint.address}`,
  ]
}

/** Lets Traefik see what it serves, and makes the one Gateway, to which routes of all namespaces may attach. */
export async function createGateway(access: ApiAccess, endpoint: GatewayEndpoint): Promise<void> {
  const read = ['get', 'list', 'watch']
  const kinds = [
    'gatewayclasses',
    'gateways',
    'httproutes',
    'grpcroutes',
    'referencegrants',
    'backendtlspolicies',
  ]
  await grantRole(access, GATEWAY_USER, [
    { apiGroups: [''], resources: ['namespaces', 'nodes', 'services', 'secrets', 'configmaps'], verbs: read },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: read },
    { apiGroups: [GROUP], resources: kinds, verbs: read },
    { apiGroups: [GROUP], resources: kinds.map((kind) => `${kind}/status`), verbs: ['update', 'patch'] },
  ])
  const path = `/apis/${GROUP}/v1`
  const apiVersion = `${GROUP}/v1`
  const gatewayClass = {
    apiVersion,
    kind: 'GatewayClass',
    metadata: { name: CLASS },
    spec: { controllerName: 'traefik.io/gateway-controller' },
  }
  await createObject(access, `${path}/gatewayclasses`, JSON.stringify(gatewayClass))
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }
  await createObject(access, '/api/v1/namespaces', JSON.stringify(namespace))
  const gateway = {
    apiVersion,
    kind: 'Gateway',
    metadata: { name: NAME },
    spec: {
      gatewayClassName: CLASS,
      listeners: [
        {
          name: 'web',
          protocol: 'HTTP',
          port: endpoint.port,
          allowedRoutes: { namespaces: { from: 'All' } },
        },
      ],
    },
  }
  await createObject(access, `${path}/namespaces/${NAMESPACE}/gateways`, JSON.stringify(gateway))
}

/** Resolves when Traefik serves the Gateway. */
export async function waitForGateway(access: ApiAccess): Promise<void> {
  await eventually('the Gateway', async () => {
    const reply = await apiRequest(
      access,
      'GET',
      `/apis/${GROUP}/v1/namespaces/${NAMESPACE}/gateways/${NAME}`,
    )
    const { status } = JSON.parse(reply.text) as {
      readonly status?: {
        readonly addresses?: readonly unknown[]
        readonly conditions?: readonly { readonly type: string; readonly status: string }[]
      }
    }
    const programmed = status?.conditions?.some((one) => one.type === 'Programmed' && one.status === 'True')
    return programmed === true && (status?.addresses?.length ?? 0) > 0
  })
}
