import { z } from 'zod'

import { BuildId } from './build.ts'
import { ProjectId, Timestamp } from './common.ts'
import { endpoint } from './endpoint.ts'
import { ClusterId, Node } from './fleet.ts'
import { InstanceId, InstanceState } from './instance.ts'
import { WorkloadPlace } from './overview.ts'

export const NodeName = z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/u)

/** CPU in cores, memory in bytes. */
export const ResourceAmount = z.strictObject({ cpuCores: z.number(), memoryBytes: z.number() })
export type ResourceAmount = z.infer<typeof ResourceAmount>

/** Whose a pod is, as far as the caller may see. */
export const NodeTenantOwner = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('workload'),
    workload: WorkloadPlace,
    instanceId: InstanceId,
    process: z.string(),
  }),
  z.strictObject({
    kind: z.literal('build'),
    buildId: BuildId,
    projectId: ProjectId,
    project: z.string(),
  }),
  /** Somebody whom the caller may not see; the same number is the same owner, in this answer only. */
  z.strictObject({ kind: z.literal('hidden'), number: z.number().int() }),
  /** Runs on the Cluster without Slipway; both are null for callers who may not read the Cluster's nodes. */
  z.strictObject({
    kind: z.literal('other'),
    namespace: z.string().nullable(),
    name: z.string().nullable(),
  }),
])

/** One pod on a node. */
export const NodeTenant = z.strictObject({
  owner: NodeTenantOwner,
  state: InstanceState,
  /** What it asked for. */
  requested: ResourceAmount,
  /** What it takes now; null where the Cluster does not measure, or not for us. */
  use: ResourceAmount.nullable(),
  createdAt: Timestamp,
})
export type NodeTenant = z.infer<typeof NodeTenant>

/** What a node has, and what is taken of it. */
export const NodeLoad = z.strictObject({
  name: z.string(),
  ready: z.boolean(),
  schedulable: z.boolean(),
  /** What pods can have of it. */
  capacity: ResourceAmount.extend({ instancesMax: z.number().int() }),
  /** What all pods on it asked for. */
  requested: ResourceAmount,
  /** What is used with everything that is no pod; null where the Cluster does not measure, or not for us. */
  use: ResourceAmount.nullable(),
})
export type NodeLoad = z.infer<typeof NodeLoad>

/** What one owner has of a node. */
export const NodeShare = z.strictObject({
  /** Null is what runs without Slipway. */
  project: z.strictObject({ id: ProjectId, slug: z.string() }).nullable(),
  instances: z.number().int(),
  requested: ResourceAmount,
  use: ResourceAmount.nullable(),
  /** Part of the node, 0 to 1: the greater of CPU and memory; by use where it is known, else by what was asked for. */
  share: z.number(),
})
export type NodeShare = z.infer<typeof NodeShare>

export const NodeDetail = NodeLoad.extend({
  clusterId: ClusterId,
  addresses: Node.shape.addresses,
  kubeletVersion: z.string(),
  labels: Node.shape.labels,
  /** By Project, the greatest first. */
  shares: z.array(NodeShare),
  /** Every pod on it, the greatest first. */
  tenants: z.array(NodeTenant),
})
export type NodeDetail = z.infer<typeof NodeDetail>

const inNode = z.strictObject({ cluster: ClusterId, node: NodeName })

export const node = {
  getNode: endpoint({
    method: 'GET',
    path: '/v1/clusters/:cluster/nodes/:node',
    auth: 'account',
    permission: 'cluster:read',
    scope: 'installation',
    rate: 'read',
    summary: 'Read a node: what it has, which Projects take how much of it, and every pod on it',
    params: inNode,
    status: 200,
    response: NodeDetail,
  }),
  getNeighbours: endpoint({
    method: 'GET',
    path: '/v1/instances/:instance/neighbours',
    auth: 'account',
    permission: 'project:read',
    scope: 'instance',
    rate: 'read',
    summary: 'Read what shares the node of an Instance, with owner and use, the greatest first',
    description:
      'Whose a neighbour is, is named only where the caller may see its Project; what it takes is always shown.',
    params: z.strictObject({ instance: InstanceId }),
    status: 200,
    response: z.strictObject({
      clusterId: ClusterId,
      /** Null while no node has taken the Instance, or when its node is gone. */
      node: NodeLoad.nullable(),
      tenants: z.array(NodeTenant),
    }),
  }),
} as const
