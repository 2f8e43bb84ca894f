import { z } from 'zod'

import { DisplayName, idOf, Nothing, PageQuery, pageOf, PartOfName, Slug, Timestamp } from './common.ts'
import { endpoint } from './endpoint.ts'
import { YAML_LIMIT_BYTES } from './limits.ts'

export const ClusterId = idOf('clu')

export const ClusterHealth = z.strictObject({
  /**
   * `unknown`: three questions in a row went unanswered. `credentials`: it answers, and does not accept ours. In both nothing
   * is decided about what runs there.
   */
  state: z.enum(['ready', 'unknown', 'connecting', 'credentials']),
  since: Timestamp,
  /** What the last failed question said. */
  message: z.string(),
})

/** What all nodes that take Instances have together. */
export const ClusterCapacity = z.strictObject({
  nodes: z.number().int(),
  nodesReady: z.number().int(),
  cpuCores: z.number(),
  memoryBytes: z.number(),
  instancesMax: z.number(),
})

export const ClusterCredentials = z.strictObject({
  /** `service-account`: a token of least privilege that is renewed by itself. `given`: what an operator gave, kept as it is. `agent`: the Cluster dials us, and keeps its own. */
  kind: z.enum(['service-account', 'given', 'agent']),
  /** Null where they do not say. */
  expiresAt: Timestamp.nullable(),
})

/** What works, but should be known. */
export const ClusterWarning = z.enum([
  'gateway-api-missing',
  'gateway-missing',
  'metrics-missing',
  'nodes-missing',
  'rights-unlimited',
  'owned-elsewhere',
  'clock-skewed',
  'certificate-expires',
  'credentials-expire',
])
export type ClusterWarning = z.infer<typeof ClusterWarning>

export const Cluster = z.strictObject({
  id: ClusterId,
  slug: Slug,
  name: DisplayName,
  /** Environments that name no Cluster come here. */
  isDefault: z.boolean(),
  server: z.string(),
  health: ClusterHealth,
  /** Kubernetes version; null until it was reached once. */
  version: z.string().nullable(),
  /** Instances run as processes of the host, not isolated from each other. */
  processRuntime: z.boolean(),
  /** Base address of its gateway; null where traffic cannot be split by weight or header. */
  gatewayUrl: z.string().nullable(),
  /** Null until it was reached once. */
  capacity: ClusterCapacity.nullable(),
  credentials: ClusterCredentials,
  /** End of the certificate that its API server shows; null until it was seen. */
  certificateExpiresAt: Timestamp.nullable(),
  /** How much its clock is ahead, right to half a second; null until it was seen. */
  clockSkewSeconds: z.number().nullable(),
  warnings: z.array(ClusterWarning),
  createdAt: Timestamp,
})
export type Cluster = z.infer<typeof Cluster>

export const Node = z.strictObject({
  name: z.string(),
  ready: z.boolean(),
  schedulable: z.boolean(),
  addresses: z.array(z.string()),
  kubeletVersion: z.string(),
  cpuCores: z.number(),
  memoryBytes: z.number(),
  instances: z.number().int(),
  labels: z.record(z.string(), z.string()),
})
export type Node = z.infer<typeof Node>

const Kubeconfig = z.string().min(1).max(YAML_LIMIT_BYTES)
const inCluster = z.strictObject({ cluster: ClusterId })
/** Where Applications answer, for Clusters whose Gateway does not tell. */
export const gatewayFields = {
  /** `<namespace>/<name>` of the Gateway that routes attach to. */
  gateway: z
    .string()
    .regex(/^[a-z0-9-]{1,63}\/[a-z0-9.-]{1,253}$/u)
    .optional(),
  gatewayUrl: z
    .url({ protocol: /^https?$/u })
    .max(512)
    .optional(),
  /** Domain below which Applications get their names. */
  domain: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9.-]{0,200}[a-z0-9])?$/u)
    .optional(),
}

export const fleet = {
  listClusters: endpoint({
    method: 'GET',
    path: '/v1/clusters',
    auth: 'account',
    permission: 'cluster:read',
    scope: 'visible',
    rate: 'read',
    summary: 'List the Clusters, with their health',
    query: PageQuery.extend({ text: PartOfName.optional() }),
    status: 200,
    response: pageOf(Cluster),
  }),
  createCluster: endpoint({
    method: 'POST',
    path: '/v1/clusters',
    auth: 'account',
    permission: 'cluster:create',
    scope: 'installation',
    rate: 'write',
    audit: 'cluster.create',
    summary: 'Register a Cluster by a kubeconfig, which is used once to make an account of least privilege',
    description:
      'Accepts server, CA data, client certificate data and token; what runs a command or reads a file is refused by name. What is applied is what getClusterManifest shows; the kubeconfig is not kept where the Cluster knows accounts. A dry run asks the Cluster whether it could be done, and changes nothing there.',
    body: z.strictObject({
      slug: Slug,
      name: DisplayName.optional(),
      kubeconfig: Kubeconfig,
      isDefault: z.boolean().default(false),
      ...gatewayFields,
    }),
    bodyLimitBytes: 2 * YAML_LIMIT_BYTES,
    status: 201,
    response: Cluster,
  }),
  getCluster: endpoint({
    method: 'GET',
    path: '/v1/clusters/:cluster',
    auth: 'account',
    permission: 'cluster:read',
    scope: 'visible',
    rate: 'read',
    summary: 'Read a Cluster',
    params: inCluster,
    status: 200,
    response: Cluster,
  }),
  updateCluster: endpoint({
    method: 'PATCH',
    path: '/v1/clusters/:cluster',
    auth: 'account',
    permission: 'cluster:update',
    scope: 'installation',
    rate: 'write',
    audit: 'cluster.update',
    summary: 'Rename a Cluster, make it the default, or register it again with a new kubeconfig',
    params: inCluster,
    body: z.strictObject({
      name: DisplayName.optional(),
      isDefault: z.literal(true).optional(),
      kubeconfig: Kubeconfig.optional(),
      ...gatewayFields,
    }),
    bodyLimitBytes: 2 * YAML_LIMIT_BYTES,
    status: 200,
    response: Cluster,
  }),
  deleteCluster: endpoint({
    method: 'DELETE',
    path: '/v1/clusters/:cluster',
    auth: 'account',
    permission: 'cluster:delete',
    scope: 'installation',
    rate: 'write',
    audit: 'cluster.delete',
    summary:
      'Forget a Cluster that no Environment uses; its mark and the tokens go, all else there stays as it is',
    params: inCluster,
    status: 204,
    response: Nothing,
  }),
  rotateClusterCredentials: endpoint({
    method: 'POST',
    path: '/v1/clusters/:cluster/credentials',
    auth: 'account',
    permission: 'cluster:update',
    scope: 'installation',
    rate: 'write',
    audit: 'cluster.credentials.rotate',
    summary:
      "Renew the token of Slipway's account on a Cluster now; the one before it ends half a minute later",
    params: inCluster,
    status: 200,
    response: Cluster,
  }),
  getClusterManifest: endpoint({
    method: 'GET',
    path: '/v1/cluster-manifest',
    auth: 'account',
    permission: 'cluster:create',
    scope: 'installation',
    rate: 'read',
    summary: 'Read what registering puts on a Cluster: the account, its roles and the rules that bind it',
    status: 200,
    response: z.strictObject({ yaml: z.string() }),
  }),
  listNodes: endpoint({
    method: 'GET',
    path: '/v1/clusters/:cluster/nodes',
    auth: 'account',
    permission: 'cluster:read',
    scope: 'installation',
    rate: 'read',
    summary: 'List the nodes of a Cluster with capacity and how many Instances they run',
    params: inCluster,
    query: PageQuery,
    status: 200,
    response: pageOf(Node),
  }),
} as const
