import { z } from 'zod'

import { Timestamp } from './common.ts'
import { stream } from './endpoint.ts'

/** Kinds of objects whose changes are told. `instances`: those of a Workload, told by the Workload's id. */
export const ChangeType = z.enum([
  'organization',
  'project',
  'environment',
  'member',
  'application',
  'source',
  'workload',
  'build',
  'image',
  'release',
  'instances',
  'cluster',
  'user',
])
export type ChangeType = z.infer<typeof ChangeType>

/** That an object changed: a name, never data. Whoever wants to know more reads the object, with their own permissions. */
export const Change = z.strictObject({
  type: ChangeType,
  /** Id of the object; of a member the user's, of a source the Application's, of instances the Workload's. */
  id: z.string(),
  change: z.enum(['created', 'changed', 'deleted']),
  organizationId: z.string().nullable(),
  projectId: z.string().nullable(),
  applicationId: z.string().nullable(),
  workloadId: z.string().nullable(),
  /** Rises with every change of the same object; 0 where changes are not counted (`instances`). */
  version: z.number().int(),
})
export type Change = z.infer<typeof Change>

/** Says that anything of these types (null: of every type) may have changed, so that it has to be read again. */
export const ChangeReset = z.strictObject({
  types: z.array(ChangeType).nullable(),
  /**
   * `start`: the stream begins here. `gap`: where it left off is no longer known. `resumed`: what is not kept for those who
   * were away. `access`: the caller may see more or less than before.
   */
  reason: z.enum(['start', 'gap', 'resumed', 'access']),
})
export type ChangeReset = z.infer<typeof ChangeReset>

/** Says that a topic tells nothing (any more): its object is not there, or the caller may not see it. */
export const TopicEnd = z.strictObject({ topic: z.string(), code: z.enum(['not_found']) })
export type TopicEnd = z.infer<typeof TopicEnd>

export const ChangeHeartbeat = z.strictObject({ at: Timestamp })

/** Topics of one stream. */
export const TOPICS_MAX = 64
/** Kinds of objects a topic may name, with the prefix of their ids. */
const topicPrefixes = {
  organization: 'org',
  project: 'prj',
  application: 'app',
  workload: 'wrk',
  release: 'rel',
  build: 'bld',
} as const
export type TopicKind = keyof typeof topicPrefixes

const Topic = z
  .string()
  .regex(
    new RegExp(
      `^(${Object.entries(topicPrefixes)
        .map(([kind, prefix]) => `${kind}:${prefix}_[0-9a-z]{26}`)
        .join('|')})$`,
      'u',
    ),
  )
  .meta({ description: '`<kind>:<id>`: this object and everything in it' })

export const event = {
  followChanges: stream({
    transport: 'sse',
    method: 'GET',
    path: '/v1/events/stream',
    auth: 'account',
    permission: 'self',
    rate: 'stream',
    summary: 'Follow what changes, as far as the caller may see it; one such stream serves a whole browser',
    description:
      'Event `reset` names types that have to be read again; it comes first. `change` says that an object changed, without its contents. `topic` says that a topic has ended. `heartbeat` comes every few seconds. Resumes by Last-Event-ID, also after a restart of the server and at another replica: no change is left out, some may come again. A reader that falls too far behind is cut off with `event_reader_slow`.',
    query: z.strictObject({
      /** Only what concerns one of these objects; without any, everything. */
      topics: z.union([Topic, z.array(Topic).min(1).max(TOPICS_MAX)]).optional(),
      /** Only changes of these types. */
      types: z.union([ChangeType, z.array(ChangeType).min(1).max(20)]).optional(),
    }),
  }),
} as const
