/*
 * Every resource that the platform uses: where it lives in the API and what its objects look like. One table, so that no
 * path is ever built from parts elsewhere.
 */
import type * as k8s from '@kubernetes/client-node'

import type { Gateway, GatewayClass, HttpRoute } from './gateway-api.ts'
import type { Wire } from './wire.ts'

type Metrics = { readonly cpu: string; readonly memory: string }
type MetricsMeta = {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata?: Wire<k8s.V1ObjectMeta>
  readonly timestamp: string
  /** Length of time over which the use was taken, such as `15s`. */
  readonly window: string
}

/** Objects by resource. The names are the plurals of the API, but for the two of metrics.k8s.io, which collide with others. */
export type Objects = {
  readonly namespaces: Wire<k8s.V1Namespace>
  readonly nodes: Wire<k8s.V1Node>
  readonly pods: Wire<k8s.V1Pod>
  readonly services: Wire<k8s.V1Service>
  readonly configmaps: Wire<k8s.V1ConfigMap>
  readonly secrets: Wire<k8s.V1Secret>
  readonly serviceaccounts: Wire<k8s.V1ServiceAccount>
  readonly events: Wire<k8s.CoreV1Event>
  readonly persistentvolumeclaims: Wire<k8s.V1PersistentVolumeClaim>
  readonly limitranges: Wire<k8s.V1LimitRange>
  readonly resourcequotas: Wire<k8s.V1ResourceQuota>
  readonly deployments: Wire<k8s.V1Deployment>
  readonly replicasets: Wire<k8s.V1ReplicaSet>
  readonly statefulsets: Wire<k8s.V1StatefulSet>
  readonly daemonsets: Wire<k8s.V1DaemonSet>
  readonly jobs: Wire<k8s.V1Job>
  readonly cronjobs: Wire<k8s.V1CronJob>
  readonly leases: Wire<k8s.V1Lease>
  readonly endpointslices: Wire<k8s.V1EndpointSlice>
  readonly networkpolicies: Wire<k8s.V1NetworkPolicy>
  readonly poddisruptionbudgets: Wire<k8s.V1PodDisruptionBudget>
  readonly roles: Wire<k8s.V1Role>
  readonly rolebindings: Wire<k8s.V1RoleBinding>
  readonly clusterroles: Wire<k8s.V1ClusterRole>
  readonly clusterrolebindings: Wire<k8s.V1ClusterRoleBinding>
  readonly validatingadmissionpolicies: Wire<k8s.V1ValidatingAdmissionPolicy>
  readonly validatingadmissionpolicybindings: Wire<k8s.V1ValidatingAdmissionPolicyBinding>
  readonly selfsubjectaccessreviews: Wire<k8s.V1SelfSubjectAccessReview>
  readonly selfsubjectreviews: Wire<k8s.V1SelfSubjectReview>
  readonly gatewayclasses: GatewayClass
  readonly gateways: Gateway
  readonly httproutes: HttpRoute
  readonly podmetrics: MetricsMeta & {
    readonly containers: readonly { readonly name: string; readonly usage: Metrics }[]
  }
  readonly nodemetrics: MetricsMeta & { readonly usage: Metrics }
}
export type ResourceName = keyof Objects

/** An object as the server answered it. */
export type Live<R extends ResourceName> = Omit<Objects[R], 'apiVersion' | 'kind' | 'metadata'> & {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Wire<k8s.V1ObjectMeta> & {
    readonly name: string
    readonly uid: string
    readonly resourceVersion: string
  }
}

export type ResourceInfo = {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
}

function info(groupVersion: string, kind: string, plural: string, namespaced = true): ResourceInfo {
  const [group = '', version = ''] = groupVersion.includes('/') ? groupVersion.split('/') : ['', groupVersion]
  return { group, version, plural, kind, namespaced }
}

const RBAC = 'rbac.authorization.k8s.io/v1'
const ADMISSION = 'admissionregistration.k8s.io/v1'
const GATEWAY = 'gateway.networking.k8s.io/v1'
const METRICS = 'metrics.k8s.io/v1beta1'

export const resources: Readonly<Record<ResourceName, ResourceInfo>> = {
  namespaces: info('v1', 'Namespace', 'namespaces', false),
  nodes: info('v1', 'Node', 'nodes', false),
  pods: info('v1', 'Pod', 'pods'),
  services: info('v1', 'Service', 'services'),
  configmaps: info('v1', 'ConfigMap', 'configmaps'),
  secrets: info('v1', 'Secret', 'secrets'),
  serviceaccounts: info('v1', 'ServiceAccount', 'serviceaccounts'),
  events: info('v1', 'Event', 'events'),
  persistentvolumeclaims: info('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims'),
  limitranges: info('v1', 'LimitRange', 'limitranges'),
  resourcequotas: info('v1', 'ResourceQuota', 'resourcequotas'),
  deployments: info('apps/v1', 'Deployment', 'deployments'),
  replicasets: info('apps/v1', 'ReplicaSet', 'replicasets'),
  statefulsets: info('apps/v1', 'StatefulSet', 'statefulsets'),
  daemonsets: info('apps/v1', 'DaemonSet', 'daemonsets'),
  jobs: info('batch/v1', 'Job', 'jobs'),
  cronjobs: info('batch/v1', 'CronJob', 'cronjobs'),
  leases: info('coordination.k8s.io/v1', 'Lease', 'leases'),
  endpointslices: info('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices'),
  networkpolicies: info('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies'),
  poddisruptionbudgets: info('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
  roles: info(RBAC, 'Role', 'roles'),
  rolebindings: info(RBAC, 'RoleBinding', 'rolebindings'),
  clusterroles: info(RBAC, 'ClusterRole', 'clusterroles', false),
  clusterrolebindings: info(RBAC, 'ClusterRoleBinding', 'clusterrolebindings', false),
  validatingadmissionpolicies: info(
    ADMISSION,
    'ValidatingAdmissionPolicy',
    'validatingadmissionpolicies',
    false,
  ),
  validatingadmissionpolicybindings: info(
    ADMISSION,
    'ValidatingAdmissionPolicyBinding',
    'validatingadmissionpolicybindings',
    false,
  ),
  selfsubjectaccessreviews: info(
    'authorization.k8s.io/v1',
    'SelfSubjectAccessReview',
    'selfsubjectaccessreviews',
    false,
  ),
  selfsubjectreviews: info('authentication.k8s.io/v1', 'SelfSubjectReview', 'selfsubjectreviews', false),
  gatewayclasses: info(GATEWAY, 'GatewayClass', 'gatewayclasses', false),
  gateways: info(GATEWAY, 'Gateway', 'gateways'),
  httproutes: info(GATEWAY, 'HTTPRoute', 'httproutes'),
  podmetrics: info(METRICS, 'PodMetrics', 'pods'),
  nodemetrics: info(METRICS, 'NodeMetrics', 'nodes', false),
}

/** `v1`, `apps/v1`: the group and version as objects carry them. */
export function apiVersionOf(resource: ResourceName): string {
  const { group, version } = resources[resource]
  return group === '' ? version : `${group}/${version}`
}
