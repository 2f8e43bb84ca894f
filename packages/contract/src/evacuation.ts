import { z } from 'zod'

import { idOf, PageQuery, pageOf, Timestamp } from './common.ts'
import { endpoint } from './endpoint.ts'
import { ClusterId } from './fleet.ts'
import { WorkloadId } from './app.ts'
import { NodeName } from './node.ts'
import { WorkloadPlace } from './overview.ts'

export const EvacuationId = idOf('eva')

/** Why something is not done yet: a code of the error catalogue with its parameters. */
const Why = z.strictObject({
  code: z.string(),
  params: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
})

/**
 * Where an Instance stands that leaves a node. `Waiting`: it is still there. `Leaving`: it ends, and none has taken its place
 * yet. `Moved`: another one serves elsewhere. `Stayed`: the node came back with it. `Gone`: it was not needed any more.
 */
export const MoveState = z.enum(['Waiting', 'Leaving', 'Moved', 'Stayed', 'Gone'])
export type MoveState = z.infer<typeof MoveState>

export const Move = z.strictObject({
  workload: WorkloadPlace,
  process: z.string(),
  /** Hash of the version it runs. */
  version: z.string(),
  /** Name of the Instance that leaves. */
  instance: z.string(),
  state: MoveState,
  since: Timestamp,
  why: Why.nullable(),
  /** The one that took its place, and its node; null until then. */
  toInstance: z.string().nullable(),
  toNode: z.string().nullable(),
})
export type Move = z.infer<typeof Move>

/** Instances that leave a node: because it is drained, or because it was lost. */
export const Evacuation = z.strictObject({
  id: EvacuationId,
  clusterId: ClusterId,
  node: z.string(),
  kind: z.enum(['drain', 'loss']),
  /** `Expired`: a drain that did not come to its end in time; what is still there stays. */
  state: z.enum(['Running', 'Done', 'Cancelled', 'Expired']),
  /** What keeps all of it from going on; null when nothing does. */
  problem: Why.nullable(),
  /** The user who asked for the drain; null for a loss. */
  startedBy: z.string().nullable(),
  startedAt: Timestamp,
  /** When a drain gives up. */
  deadlineAt: Timestamp.nullable(),
  /** When a lost node came back. */
  nodeBackAt: Timestamp.nullable(),
  endedAt: Timestamp.nullable(),
  /** Of the Instances that the caller may see. */
  counts: z.record(MoveState, z.number().int()),
})
export type Evacuation = z.infer<typeof Evacuation>

export const EvacuationDetail = Evacuation.extend({ moves: z.array(Move) })
export type EvacuationDetail = z.infer<typeof EvacuationDetail>

/** What a drain would do to one process of a Workload. */
export const DrainEffect = z.strictObject({
  workload: WorkloadPlace,
  process: z.string(),
  version: z.string(),
  /** On the node. */
  instances: z.number().int(),
  /** Everywhere. */
  ready: z.number().int(),
  wanted: z.number().int(),
  /** Nothing serves between the end of the last Instance and the start of another one. */
  interrupted: z.boolean(),
  /** Why it would have to wait at first; null when nothing holds it. */
  why: Why.nullable(),
})
export type DrainEffect = z.infer<typeof DrainEffect>

export const DrainPreview = z.strictObject({
  node: z.string(),
  schedulable: z.boolean(),
  /** Other nodes that are ready and take Instances. */
  otherNodes: z.number().int(),
  effects: z.array(DrainEffect),
  /** Builds are waited for. */
  builds: z.number().int(),
  /** What is not Slipway's stays: it is not touched. */
  others: z.number().int(),
})
export type DrainPreview = z.infer<typeof DrainPreview>

const inNode = z.strictObject({ cluster: ClusterId, node: NodeName })
const inEvacuation = z.strictObject({ evacuation: EvacuationId })

export const evacuation = {
  updateNode: endpoint({
    method: 'PATCH',
    path: '/v1/clusters/:cluster/nodes/:node',
    auth: 'account',
    permission: 'cluster:update',
    scope: 'installation',
    rate: 'write',
    audit: 'node.update',
    summary: 'Let a node take Instances, or no more of them; what runs there goes on',
    params: inNode,
    body: z.strictObject({ schedulable: z.boolean() }),
    status: 200,
    response: z.strictObject({ name: z.string(), schedulable: z.boolean() }),
  }),
  getDrainPreview: endpoint({
    method: 'GET',
    path: '/v1/clusters/:cluster/nodes/:node/drain-preview',
    auth: 'account',
    permission: 'cluster:read',
    scope: 'installation',
    rate: 'read',
    summary: 'Read what draining a node would do: to whom, what it would wait for, what would stay',
    params: inNode,
    status: 200,
    response: DrainPreview,
  }),
  startDrain: endpoint({
    method: 'POST',
    path: '/v1/clusters/:cluster/nodes/:node/drains',
    auth: 'account',
    permission: 'cluster:update',
    scope: 'installation',
    rate: 'write',
    audit: 'node.drain',
    summary: 'Let every Instance leave a node',
    description:
      'The node takes no more Instances. One Instance of a process leaves at a time, and only while all others are ready; disruption budgets are kept. What is not Slipway’s is not touched; builds are waited for.',
    params: inNode,
    body: z
      .strictObject({ timeoutSeconds: z.number().int().min(30).max(86_400).default(3_600) })
      .prefault({}),
    status: 202,
    response: Evacuation,
  }),
  cancelDrain: endpoint({
    method: 'POST',
    path: '/v1/evacuations/:evacuation/cancellation',
    auth: 'account',
    permission: 'cluster:update',
    scope: 'installation',
    rate: 'write',
    audit: 'node.drain.cancel',
    summary:
      'Stop a drain: no further Instance leaves, and the node takes Instances again unless told otherwise',
    params: inEvacuation,
    body: z.strictObject({ schedulable: z.boolean().default(true) }).prefault({}),
    status: 200,
    response: Evacuation,
  }),
  listEvacuations: endpoint({
    method: 'GET',
    path: '/v1/evacuations',
    auth: 'account',
    permission: 'cluster:read',
    scope: 'visible',
    rate: 'read',
    summary:
      'List drains and losses of nodes, the newest first; those that moved Instances the caller may see',
    query: PageQuery.extend({
      cluster: ClusterId.optional(),
      node: NodeName.optional(),
      kind: z.enum(['drain', 'loss']).optional(),
      state: Evacuation.shape.state.optional(),
      workload: WorkloadId.optional(),
    }),
    status: 200,
    response: pageOf(Evacuation),
  }),
  getEvacuation: endpoint({
    method: 'GET',
    path: '/v1/evacuations/:evacuation',
    auth: 'account',
    permission: 'cluster:read',
    scope: 'visible',
    rate: 'read',
    summary: 'Read a drain or a loss of a node: what moved where, and what it waits for',
    params: inEvacuation,
    status: 200,
    response: EvacuationDetail,
  }),
} as const
