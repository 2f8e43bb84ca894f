import { z } from 'zod'

import { ApplicationId, WorkloadId } from './app.ts'
import { Build, BuildState } from './build.ts'
import {
  countedPageOf,
  EnvironmentId,
  idOf,
  OrganizationId,
  PageQuery,
  ProjectId,
  Timestamp,
} from './common.ts'
import { endpoint } from './endpoint.ts'
import { Instance, InstanceState } from './instance.ts'
import { Release, ReleaseState } from './release.ts'

/*
 * Lists over everything the caller may see: what runs, what waits, what went wrong, whatever the Workload. They are made for
 * a first look and for finding things, so they show less of each object than the lists of one Workload.
 */

/** More than this many are found by narrowing a list; `total` stops there. */
export const TOTAL_MAX = 10_000

const narrowing = {
  /** This Organization and all below it. */
  organization: OrganizationId.optional(),
  project: ProjectId.optional(),
  application: ApplicationId.optional(),
  /** Part of a name, in any case. */
  text: z.string().trim().min(1).max(100).optional(),
}
const inEnvironment = { ...narrowing, environment: EnvironmentId.optional() }
/** Without it, the order that suits the field: names rise, the newest, the worst and the most come first. */
const Order = z.enum(['asc', 'desc']).optional()

export const WorkloadPlace = z.strictObject({
  id: WorkloadId,
  /** `project/application/environment` */
  name: z.string(),
  organizationId: OrganizationId,
  projectId: ProjectId,
  applicationId: ApplicationId,
  environmentId: EnvironmentId,
  clusterId: z.string(),
})
export type WorkloadPlace = z.infer<typeof WorkloadPlace>

/** A Release without its plan and template. */
export const ReleaseBrief = Release.omit({
  instances: true,
  workloadId: true,
  configRevision: true,
  template: true,
  plan: true,
  previousId: true,
  kept: true,
  pinned: true,
}).extend({
  batches: z.number().int(),
  /** Since when it is in this state. */
  since: Timestamp,
})
export type ReleaseBrief = z.infer<typeof ReleaseBrief>

export const ReleaseSummary = ReleaseBrief.extend({ workload: WorkloadPlace })
export type ReleaseSummary = z.infer<typeof ReleaseSummary>

/** A question that a Release asks a person. */
export const WaitingGate = z.strictObject({
  release: ReleaseSummary,
  /** The caller may answer it. */
  mayApprove: z.boolean(),
})
export type WaitingGate = z.infer<typeof WaitingGate>

/** How a Workload is: the worst first. `Unknown`: its Cluster does not answer. */
export const WorkloadHealth = z.enum(['Down', 'Degraded', 'Unknown', 'Healthy', 'Stopped', 'Unreleased'])
export type WorkloadHealth = z.infer<typeof WorkloadHealth>

export const WorkloadState = z.strictObject({
  workload: WorkloadPlace,
  health: WorkloadHealth,
  /** Since when it is so; null before its first Release. */
  since: Timestamp.nullable(),
  /** Instances of what serves, over all processes. */
  instances: z.strictObject({ ready: z.number().int(), wanted: z.number().int() }),
  /** What the Cluster says about the first Instance that is not well; empty when all are. */
  trouble: z.string(),
  serving: ReleaseBrief.nullable(),
  /** The Release under way. */
  active: ReleaseBrief.nullable(),
  urls: z.array(z.string()),
})
export type WorkloadState = z.infer<typeof WorkloadState>

export const VisibleInstance = Instance.extend({ workload: WorkloadPlace })
export type VisibleInstance = z.infer<typeof VisibleInstance>

export const BuildSummary = Build.omit({ template: true }).extend({
  /** `project/application` */
  application: z.string(),
  projectId: ProjectId,
})
export type BuildSummary = z.infer<typeof BuildSummary>

/** `under-way`: not at its end. `wrong`: held, on the way back or ended without success. `done`: ended well. */
export const ReleaseGroup = z.enum(['under-way', 'wrong', 'done'])
export type ReleaseGroup = z.infer<typeof ReleaseGroup>

export const overview = {
  searchWorkloads: endpoint({
    method: 'GET',
    path: '/v1/workload-states',
    auth: 'account',
    permission: 'project:read',
    scope: 'visible',
    rate: 'read',
    summary: 'List how the Workloads are that the caller may see, and what is being released',
    description: '`counts` says how many of each health there are, whatever the filter by health.',
    query: PageQuery.extend({
      ...inEnvironment,
      health: WorkloadHealth.optional(),
      sort: z.enum(['name', 'health', 'released']).default('name'),
      order: Order,
    }),
    status: 200,
    response: countedPageOf(WorkloadState).extend({ counts: z.record(WorkloadHealth, z.number().int()) }),
  }),
  searchReleases: endpoint({
    method: 'GET',
    path: '/v1/releases',
    auth: 'account',
    permission: 'project:read',
    scope: 'visible',
    rate: 'read',
    summary: 'List the Releases the caller may see, newest first; the text may be part of an Image too',
    query: PageQuery.extend({
      ...inEnvironment,
      state: ReleaseState.optional(),
      group: ReleaseGroup.optional(),
      /** Only those that began then or later. */
      since: Timestamp.optional(),
    }),
    status: 200,
    response: countedPageOf(ReleaseSummary),
  }),
  listGates: endpoint({
    method: 'GET',
    path: '/v1/gates',
    auth: 'account',
    permission: 'project:read',
    scope: 'visible',
    rate: 'read',
    summary:
      'List the questions that wait for a person, the oldest first: those the caller may answer, or all',
    query: PageQuery.extend({ ...inEnvironment, for: z.enum(['me', 'anyone']).default('me') }),
    status: 200,
    response: countedPageOf(WaitingGate),
  }),
  searchInstances: endpoint({
    method: 'GET',
    path: '/v1/instances',
    auth: 'account',
    permission: 'project:read',
    scope: 'visible',
    rate: 'read',
    summary: 'List the Instances the caller may see, over Workloads and Clusters, as last seen',
    description:
      'What an Instance uses is not asked for here. `unseen` names the Clusters whose Instances are missing because they do not answer.',
    query: PageQuery.extend({
      ...inEnvironment,
      workload: WorkloadId.optional(),
      cluster: idOf('clu').optional(),
      node: z.string().min(1).max(253).optional(),
      state: InstanceState.optional(),
      sort: z.enum(['name', 'state', 'restarts', 'since', 'created']).default('name'),
      order: Order,
    }),
    status: 200,
    response: countedPageOf(VisibleInstance).extend({
      unseen: z.array(z.strictObject({ id: z.string(), slug: z.string() })),
    }),
  }),
  searchBuilds: endpoint({
    method: 'GET',
    path: '/v1/builds',
    auth: 'account',
    permission: 'project:read',
    scope: 'visible',
    rate: 'read',
    summary:
      'List the builds the caller may see, newest first; the text may be a branch or begin a commit too',
    query: PageQuery.extend({
      ...narrowing,
      state: BuildState.optional(),
      since: Timestamp.optional(),
    }),
    status: 200,
    response: countedPageOf(BuildSummary),
  }),
} as const
