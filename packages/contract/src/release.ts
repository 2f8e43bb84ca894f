import { z } from 'zod'

import { WorkloadId, WorkloadTemplate } from './app.ts'
import { idOf, PageQuery, pageOf, ProcessName, Timestamp } from './common.ts'
import { endpoint, stream } from './endpoint.ts'

export const ReleaseId = idOf('rel')

/** A step of a Plan. What it does not say about traffic follows from the share of Instances. */
export const Batch = z
  .strictObject({
    /** Instances of the new version after this batch, … */
    instances: z.number().int().min(1).max(500).optional(),
    /** … or their share in percent. */
    percent: z.number().int().min(1).max(100).optional(),
    /** Traffic for the new version in percent. */
    weight: z.number().int().min(0).max(100).optional(),
    /** `name: value`: requests with this header reach the new version, whatever the weight. */
    header: z
      .string()
      .regex(/^[A-Za-z0-9-]{1,64}: ?[\x21-\x7e]([\x20-\x7e]{0,126}[\x21-\x7e])?$/u)
      .optional(),
    /** Waits for a person once the gates have passed. */
    approve: z.boolean().default(false),
    /** Time the batch serves before it counts as passed. */
    soakSeconds: z.number().int().min(0).max(86_400).default(0),
  })
  .refine((batch) => batch.instances === undefined || batch.percent === undefined, {
    message: 'instances or percent, not both',
  })
export type Batch = z.infer<typeof Batch>

export const Plan = z.strictObject({
  /** A last batch of 100 % is added when there is none. */
  batches: z.array(Batch).min(1).max(50),
  probe: z
    .strictObject({
      /** Asked through the real route. */
      path: z
        .string()
        .regex(/^\/[\x21-\x7e]{0,255}$/u)
        .default('/'),
      /** Successful answers in a row. */
      requests: z.number().int().min(1).max(1_000).default(5),
      /** Statuses that count as success. */
      statusBelow: z.number().int().min(200).max(600).default(500),
    })
    .prefault({}),
  onFail: z.enum(['rollback', 'hold']).default('rollback'),
  /**
   * Where the Cluster has no room for both versions: `require` waits for it, `lower` lets the old version make way batch by
   * batch where that fits (then the way back is not one of seconds), `ignore` begins all the same.
   */
  capacity: z.enum(['require', 'lower', 'ignore']).default('require'),
  /** Longest time of one batch until its gates have passed, and of the wait for room. */
  batchDeadlineSeconds: z.number().int().min(5).max(86_400).default(600),
})
export type Plan = z.infer<typeof Plan>

export const ReleaseState = z.enum([
  'Queued',
  'Placing',
  'Warming',
  'Gating',
  'WaitPerson',
  'Soak',
  'Held',
  'Finishing',
  'RollingBack',
  'Done',
  'RolledBack',
  'Aborted',
  'Failed',
])
export type ReleaseState = z.infer<typeof ReleaseState>

export const Release = z.strictObject({
  id: ReleaseId,
  workloadId: WorkloadId,
  /** Counts up within the Workload. */
  number: z.number().int(),
  /** `<repository>@<digest>` */
  image: z.string(),
  configRevision: z.number().int(),
  template: WorkloadTemplate,
  /** Instances by process that the new version ends with. */
  instances: z.record(ProcessName, z.number().int()),
  plan: Plan,
  /** The Release this one returns to, for rollbacks after the end. */
  fromId: ReleaseId.nullable(),
  /** The Release that served when this one began. */
  previousId: ReleaseId.nullable(),
  state: ReleaseState,
  /** A person paused it; gates keep running. */
  paused: z.boolean(),
  /** Batch under way, from 0. */
  batch: z.number().int(),
  /** Percent of traffic that reaches the new version now. */
  weight: z.number().int(),
  /** Ready and wanted Instances of the routed process, new and old version. */
  counts: z.strictObject({
    newReady: z.number().int(),
    newWanted: z.number().int(),
    oldReady: z.number().int(),
    oldWanted: z.number().int(),
  }),
  /** Why it is where it is, in one sentence. */
  reason: z
    .strictObject({
      code: z.string(),
      params: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
    })
    .nullable(),
  kept: z.boolean(),
  pinned: z.boolean(),
  createdBy: z.string(),
  createdAt: Timestamp,
  endedAt: Timestamp.nullable(),
})
export type Release = z.infer<typeof Release>

/** What happened to a Release, in order: states, gates with their evidence, commands of people. */
export const ReleaseEvent = z.strictObject({
  sequence: z.number().int(),
  at: Timestamp,
  kind: z.enum(['state', 'gate', 'command', 'drift', 'note']),
  batch: z.number().int(),
  actor: z.string(),
  code: z.string(),
  params: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
})
export type ReleaseEvent = z.infer<typeof ReleaseEvent>

/** A change between two Releases, as people compare them. Secret values only ever show as changed. */
export const ReleaseDiff = z.strictObject({
  from: ReleaseId.nullable(),
  to: ReleaseId,
  image: z.strictObject({ before: z.string().nullable(), after: z.string() }).nullable(),
  variables: z.array(
    z.strictObject({
      name: z.string(),
      change: z.enum(['added', 'removed', 'changed']),
      before: z.string().nullable(),
      after: z.string().nullable(),
    }),
  ),
  template: z.array(
    z.strictObject({ path: z.string(), before: z.string().nullable(), after: z.string().nullable() }),
  ),
})

export type ReleaseDiff = z.infer<typeof ReleaseDiff>

const inWorkload = z.strictObject({ workload: WorkloadId })
const inRelease = z.strictObject({ release: ReleaseId })
const commands = {
  pauseRelease: [
    'pauses',
    'release.pause',
    'Pause a Release: weights and counts stay, gates keep running and may still roll back',
  ],
  resumeRelease: ['resumptions', 'release.resume', 'Go on with a paused or held Release'],
  abortRelease: ['abortions', 'release.abort', 'Return to the old version; ends Aborted'],
  promoteRelease: [
    'promotions',
    'release.promote',
    'Skip the remaining batches: everything to the new version, the gates of the last batch still count',
  ],
} as const

function command(name: keyof typeof commands) {
  const [path, audit, summary] = commands[name]
  return endpoint({
    method: 'POST',
    path: `/v1/releases/:release/${path}`,
    auth: 'account',
    permission: 'release:control',
    scope: 'release',
    rate: 'write',
    audit,
    summary,
    params: inRelease,
    status: 202,
    response: Release,
  })
}

export const release = {
  listReleases: endpoint({
    method: 'GET',
    path: '/v1/workloads/:workload/releases',
    auth: 'account',
    permission: 'project:read',
    scope: 'workload',
    rate: 'read',
    summary: 'List the Releases of a Workload, newest first',
    params: inWorkload,
    query: PageQuery,
    status: 200,
    response: pageOf(Release),
  }),
  startRelease: endpoint({
    method: 'POST',
    path: '/v1/workloads/:workload/releases',
    auth: 'account',
    permission: 'release:create',
    scope: 'workload',
    rate: 'write',
    audit: 'release.start',
    summary: 'Start releasing an Image; returns at once, the rollout continues in the background',
    params: inWorkload,
    body: z.strictObject({
      /** A digest of the Application's repository, a tag of it, or a build's id. */
      image: z.string().max(512),
      plan: Plan.optional(),
      /** Instances of processes that the new version ends with; without it as many as before. The Workload's from the end on. */
      instances: z.record(ProcessName, z.number().int().min(0).max(500)).optional(),
    }),
    status: 202,
    response: Release,
  }),
  getRelease: endpoint({
    method: 'GET',
    path: '/v1/releases/:release',
    auth: 'account',
    permission: 'project:read',
    scope: 'release',
    rate: 'read',
    summary: 'Read a Release',
    params: inRelease,
    status: 200,
    response: Release,
  }),
  listReleaseEvents: endpoint({
    method: 'GET',
    path: '/v1/releases/:release/events',
    auth: 'account',
    permission: 'project:read',
    scope: 'release',
    rate: 'read',
    summary: 'Read the journal of a Release: states, gates with their evidence, commands; oldest first',
    params: inRelease,
    query: PageQuery,
    status: 200,
    response: pageOf(ReleaseEvent),
  }),
  followRelease: stream({
    transport: 'sse',
    method: 'GET',
    path: '/v1/releases/:release/follow',
    auth: 'account',
    permission: 'project:read',
    scope: 'release',
    rate: 'stream',
    summary:
      'Follow a Release to its end: events `release` with the whole object and `event` with journal entries; resumes by Last-Event-ID',
    params: inRelease,
  }),
  getReleaseDiff: endpoint({
    method: 'GET',
    path: '/v1/releases/:release/diff',
    auth: 'account',
    permission: 'project:read',
    scope: 'release',
    rate: 'read',
    summary: 'Compare a Release with another one, or with the one before it',
    params: inRelease,
    query: z.strictObject({ with: ReleaseId.optional() }),
    status: 200,
    response: ReleaseDiff,
  }),
  approveRelease: endpoint({
    method: 'POST',
    path: '/v1/releases/:release/approvals',
    auth: 'account',
    permission: 'release:approve',
    scope: 'release',
    rate: 'write',
    audit: 'release.approve',
    summary: 'Answer the question a Release waits with: go on, or return to the old version',
    params: inRelease,
    body: z.strictObject({
      approve: z.boolean().default(true),
      batch: z.number().int().min(0),
      comment: z.string().max(500).default(''),
    }),
    status: 202,
    response: Release,
  }),
  pauseRelease: command('pauseRelease'),
  resumeRelease: command('resumeRelease'),
  abortRelease: command('abortRelease'),
  promoteRelease: command('promoteRelease'),
  redeployRelease: endpoint({
    method: 'POST',
    path: '/v1/releases/:release/redeployments',
    auth: 'account',
    permission: 'release:create',
    scope: 'release',
    rate: 'write',
    audit: 'release.redeploy',
    summary: 'Release the same Image and variables again with fresh Instances',
    params: inRelease,
    status: 202,
    response: Release,
  }),
  rollBackWorkload: endpoint({
    method: 'POST',
    path: '/v1/workloads/:workload/rollbacks',
    auth: 'account',
    permission: 'release:create',
    scope: 'workload',
    rate: 'write',
    audit: 'release.rollback',
    summary:
      'Return to a kept Release (without one: the previous version), code and variables together, without a build',
    description:
      'While a Release is under way and the target is the old version, that Release rolls back. Otherwise a new Release with `fromId` is made.',
    params: inWorkload,
    body: z.strictObject({ release: ReleaseId.optional(), keepConfiguration: z.boolean().default(false) }),
    status: 202,
    response: Release,
  }),
  pinRelease: endpoint({
    method: 'PUT',
    path: '/v1/releases/:release/pin',
    auth: 'account',
    permission: 'release:control',
    scope: 'release',
    rate: 'write',
    audit: 'release.pin',
    summary: 'Keep a Release for rollbacks beyond the last 10, or let it go',
    params: inRelease,
    body: z.strictObject({ pinned: z.boolean() }),
    status: 200,
    response: Release,
  }),
  exportWorkload: endpoint({
    method: 'GET',
    path: '/v1/workloads/:workload/manifests',
    auth: 'account',
    permission: 'workload:export',
    scope: 'workload',
    rate: 'read',
    summary:
      'Export what runs as plain Kubernetes YAML that needs no Slipway; secret values stand as placeholders',
    params: inWorkload,
    status: 200,
    response: z.strictObject({ yaml: z.string() }),
  }),
} as const
