import { z } from 'zod'

import {
  DisplayName,
  idOf,
  Nothing,
  PageQuery,
  pageOf,
  ProjectId,
  Slug,
  Timestamp,
  UserId,
} from './common.ts'
import { endpoint } from './endpoint.ts'
import { ClusterId } from './fleet.ts'
import { NodeName } from './node.ts'
import { WorkloadPlace } from './overview.ts'

export const PoolId = idOf('pol')
export const PoolRentId = idOf('rnt')

/** Nodes that a Pool names at most. */
export const POOL_NODES_MAX = 500
const SELECTOR_LABELS_MAX = 8

const LabelName = z
  .string()
  .regex(
    /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/u,
    'a name of a label is expected',
  )
const LabelValue = z
  .string()
  .regex(/^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/u, 'a value of a label is expected')

/** Nodes that carry all these labels belong to the Pool. */
export const PoolSelector = z
  .record(LabelName, LabelValue)
  .refine((labels) => Object.keys(labels).length > 0 && Object.keys(labels).length <= SELECTOR_LABELS_MAX, {
    message: `between 1 and ${SELECTOR_LABELS_MAX} labels are expected`,
  })
  .refine((labels) => !Object.keys(labels).includes('slipway/pool'), {
    message: 'slipway/pool is what Slipway itself writes',
  })

/** `Ending`: less than seven days are left. */
export const RentState = z.enum(['Active', 'Ending', 'Ended'])
export type RentState = z.infer<typeof RentState>

export const PoolRent = z.strictObject({
  id: PoolRentId,
  pool: z.strictObject({ id: PoolId, slug: Slug }),
  clusterId: ClusterId,
  project: z.strictObject({ id: ProjectId, slug: Slug }),
  state: RentState,
  /** Workloads of the Project on this Cluster that name no Pool run here. */
  isDefault: z.boolean(),
  comment: z.string(),
  rentedBy: UserId,
  from: Timestamp,
  /** From this moment on the nodes are open to everybody again. */
  until: Timestamp,
  endedAt: Timestamp.nullable(),
})
export type PoolRent = z.infer<typeof PoolRent>

const Why = z.strictObject({
  code: z.string(),
  params: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
})

export const PoolNode = z.strictObject({
  name: z.string(),
  /** By name, by the labels that the Pool asks for, or because the node itself came with the Pool's label. */
  by: z.enum(['name', 'labels']),
  /** Label and taint are on the node as they should be. */
  settled: z.boolean(),
})

export type PoolNode = z.infer<typeof PoolNode>

/** Nodes of a Cluster under one name. */
export const Pool = z.strictObject({
  id: PoolId,
  clusterId: ClusterId,
  slug: Slug,
  name: DisplayName,
  /** Only Workloads that name it run here, also while nobody rents it. */
  exclusive: z.boolean(),
  selector: PoolSelector.nullable(),
  nodes: z.array(PoolNode),
  /** Rented now. The Project is null for those who may not see it. */
  rent: z
    .strictObject({
      project: z.strictObject({ id: ProjectId, slug: Slug }).nullable(),
      state: RentState,
      isDefault: z.boolean(),
      from: Timestamp,
      until: Timestamp,
    })
    .nullable(),
  /** Why the nodes are not as they should be. */
  problem: Why.nullable(),
  deleting: z.boolean(),
  createdAt: Timestamp,
})
export type Pool = z.infer<typeof Pool>

/** Instances of one Workload on the nodes of a Pool. */
export const PoolGuest = z.strictObject({
  workload: WorkloadPlace,
  instances: z.number().int(),
  nodes: z.array(z.string()),
  /** It belongs to another Project than the one that is to rent. */
  stranger: z.boolean(),
})
export type PoolGuest = z.infer<typeof PoolGuest>

/** Whom a rent touches: what is there stays, but nothing new of strangers comes. */
export const RentPreview = z.strictObject({
  nodes: z.array(z.string()),
  guests: z.array(PoolGuest),
  strangers: z.strictObject({ workloads: z.number().int(), instances: z.number().int() }),
  /** Builds that run there. */
  builds: z.number().int(),
  /** Pods that run there without Slipway. */
  others: z.number().int(),
})
export type RentPreview = z.infer<typeof RentPreview>

export const NodeLabel = z.strictObject({
  label: z.string(),
  values: z.array(z.strictObject({ value: z.string(), nodes: z.number().int() })),
})
export type NodeLabel = z.infer<typeof NodeLabel>

const Remark = z
  .string()
  .trim()
  .max(500)
  .regex(/^[^\p{Cc}]*$/u)
const inPool = z.strictObject({ pool: PoolId })
const inCluster = z.strictObject({ cluster: ClusterId })
const poolNode = z.strictObject({ pool: PoolId, node: NodeName })

export const pool = {
  listPools: endpoint({
    method: 'GET',
    path: '/v1/pools',
    auth: 'account',
    permission: 'cluster:read',
    scope: 'visible',
    rate: 'read',
    summary: 'List the Pools of nodes, with who rents which until when',
    query: PageQuery.extend({ cluster: ClusterId.optional() }),
    status: 200,
    response: pageOf(Pool),
  }),
  createPool: endpoint({
    method: 'POST',
    path: '/v1/clusters/:cluster/pools',
    auth: 'account',
    permission: 'cluster:update',
    scope: 'installation',
    rate: 'write',
    audit: 'pool.create',
    summary: 'Create a Pool of nodes, named or chosen by their labels',
    params: inCluster,
    body: z.strictObject({
      slug: Slug,
      name: DisplayName.optional(),
      exclusive: z.boolean().default(false),
      selector: PoolSelector.optional(),
      nodes: z.array(NodeName).max(POOL_NODES_MAX).default([]),
    }),
    status: 201,
    response: Pool,
  }),
  getPool: endpoint({
    method: 'GET',
    path: '/v1/pools/:pool',
    auth: 'account',
    permission: 'cluster:read',
    scope: 'visible',
    rate: 'read',
    summary: 'Read a Pool',
    params: inPool,
    status: 200,
    response: Pool,
  }),
  updatePool: endpoint({
    method: 'PATCH',
    path: '/v1/pools/:pool',
    auth: 'account',
    permission: 'cluster:update',
    scope: 'installation',
    rate: 'write',
    audit: 'pool.update',
    summary:
      'Rename a Pool, choose its nodes by other labels, close it to Workloads that do not name it, or open it',
    description: 'Instances that are there stay.',
    params: inPool,
    body: z.strictObject({
      name: DisplayName.optional(),
      exclusive: z.boolean().optional(),
      selector: PoolSelector.nullable().optional(),
    }),
    status: 200,
    response: Pool,
  }),
  deletePool: endpoint({
    method: 'DELETE',
    path: '/v1/pools/:pool',
    auth: 'account',
    permission: 'cluster:update',
    scope: 'installation',
    rate: 'write',
    audit: 'pool.delete',
    summary: 'Delete a Pool that no Workload names and nobody rents; label and taint are taken off its nodes',
    params: inPool,
    status: 204,
    response: Nothing,
  }),
  addPoolNode: endpoint({
    method: 'PUT',
    path: '/v1/pools/:pool/nodes/:node',
    auth: 'account',
    permission: 'cluster:update',
    scope: 'installation',
    rate: 'write',
    audit: 'pool.node.add',
    summary: 'Put a node into a Pool',
    params: poolNode,
    status: 200,
    response: Pool,
  }),
  removePoolNode: endpoint({
    method: 'DELETE',
    path: '/v1/pools/:pool/nodes/:node',
    auth: 'account',
    permission: 'cluster:update',
    scope: 'installation',
    rate: 'write',
    audit: 'pool.node.remove',
    summary: 'Take a node out of a Pool; Instances that are on it stay until they are released anew',
    params: poolNode,
    status: 200,
    response: Pool,
  }),
  getRentPreview: endpoint({
    method: 'GET',
    path: '/v1/pools/:pool/rent-preview',
    auth: 'account',
    permission: 'cluster:read',
    scope: 'installation',
    rate: 'read',
    summary: 'Read whose Instances are on the nodes of a Pool, before it is rented',
    params: inPool,
    query: z.strictObject({ project: ProjectId }),
    status: 200,
    response: RentPreview,
  }),
  rentPool: endpoint({
    method: 'PUT',
    path: '/v1/pools/:pool/rent',
    auth: 'account',
    permission: 'cluster:update',
    scope: 'installation',
    rate: 'write',
    audit: 'pool.rent',
    summary: 'Rent a Pool to one Project until a moment, or change until when',
    description:
      'Only Workloads of the Project get new Instances there until then. Instances of others are not evicted: with `strangers: refuse` their presence is a refusal that counts them, with `stay` they remain until their next start; `startDrain` empties a node.',
    params: inPool,
    body: z.strictObject({
      project: ProjectId,
      until: Timestamp,
      isDefault: z.boolean().default(false),
      strangers: z.enum(['refuse', 'stay']).default('refuse'),
      comment: Remark.default(''),
    }),
    status: 200,
    response: Pool,
  }),
  endRent: endpoint({
    method: 'DELETE',
    path: '/v1/pools/:pool/rent',
    auth: 'account',
    permission: 'cluster:update',
    scope: 'installation',
    rate: 'write',
    audit: 'pool.rent.end',
    summary: 'End the rent of a Pool now; the Instances of the Project stay, others may come',
    params: inPool,
    status: 200,
    response: Pool,
  }),
  listRents: endpoint({
    method: 'GET',
    path: '/v1/rents',
    auth: 'account',
    permission: 'project:read',
    scope: 'visible',
    rate: 'read',
    summary: 'List who rents or rented which Pool until when, the latest end first',
    query: PageQuery.extend({
      project: ProjectId.optional(),
      pool: PoolId.optional(),
      state: RentState.optional(),
    }),
    status: 200,
    response: pageOf(PoolRent),
  }),
  listNodeLabels: endpoint({
    method: 'GET',
    path: '/v1/clusters/:cluster/node-labels',
    auth: 'account',
    permission: 'cluster:read',
    scope: 'visible',
    rate: 'read',
    summary:
      'List the labels that the nodes of a Cluster carry, with their values and how many nodes have each',
    description:
      'What a node tells only in its status is put on it as a label: slipway/cpu-cores, slipway/memory-gib, slipway/disk-gib and slipway/kernel. Labels that name the node itself are left out.',
    params: inCluster,
    status: 200,
    response: z.strictObject({ items: z.array(NodeLabel) }),
  }),
} as const
