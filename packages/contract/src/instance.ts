import { z } from 'zod'

import { WorkloadId } from './app.ts'
import { pageOf, PageQuery, ProcessName, Timestamp } from './common.ts'
import { endpoint, stream } from './endpoint.ts'

/** `<workload id>.<pod name>`: names its Workload, so that no table is needed to find where it belongs. */
export const InstanceId = z
  .string()
  .regex(
    /^wrk_[0-9a-z]{26}\.[a-z0-9]([a-z0-9.-]{0,200}[a-z0-9])?$/u,
    'an id of the form wrk_….<name of the Instance> is expected',
  )
  .meta({ description: 'Id of the form <workload id>.<pod name>' })

/** Longest line of a log that is delivered whole, in bytes; a longer one is cut and marked. */
export const LOG_LINE_LIMIT_BYTES = 64 * 1024
/** Instances whose logs one stream merges at most; of more, the newest. */
export const LOG_INSTANCES_MAX = 100
const LOG_TAIL_MAX = 100_000

export const InstanceState = z.enum(['Pending', 'Starting', 'Running', 'Ready', 'Failing', 'Ending', 'Ended'])
export type InstanceState = z.infer<typeof InstanceState>

/** Why something is as it is: a code with parameters, put into words by the reader's catalogue. */
const Why = z.strictObject({
  code: z.string(),
  params: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
})

export const Instance = z.strictObject({
  id: InstanceId,
  workloadId: WorkloadId,
  /** Name of the pod. */
  name: z.string(),
  process: z.string(),
  /** Hash of the version it runs. */
  version: z.string(),
  /** The newest Release of that version; null when its history is gone. */
  releaseNumber: z.number().int().nullable(),
  state: InstanceState,
  /** Since when it is in this state. */
  since: Timestamp,
  ready: z.boolean(),
  restarts: z.number().int(),
  /** What keeps it from running, or what ended it last. */
  why: Why.nullable(),
  node: z.string().nullable(),
  address: z.string().nullable(),
  /** Port of the container → port it really answers at; they differ where Instances share an address. */
  ports: z.record(z.string(), z.number().int()),
  containers: z.array(z.string()),
  resources: z.strictObject({
    cpuCores: z.number().nullable(),
    memoryBytes: z.number().nullable(),
    memoryLimitBytes: z.number().nullable(),
  }),
  /** What it uses now, as far as the Cluster measures that. */
  use: z.strictObject({ cpuCores: z.number(), memoryBytes: z.number() }).nullable(),
  createdAt: Timestamp,
})
export type Instance = z.infer<typeof Instance>

export const InstanceEvent = z.strictObject({
  firstAt: Timestamp,
  lastAt: Timestamp,
  count: z.number().int(),
  type: z.enum(['Normal', 'Warning']),
  /** The Cluster's own word, such as `BackOff`. */
  reason: z.string(),
  message: z.string(),
  /** Who reports it, such as `kubelet`. */
  source: z.string(),
})
export type InstanceEvent = z.infer<typeof InstanceEvent>

/** One line of a log. */
export const LogLine = z.strictObject({
  instance: InstanceId,
  container: z.string(),
  /** RFC 3339, to the nanosecond. */
  at: z.string(),
  text: z.string(),
  /** The line was longer than the limit; its end is missing. */
  cut: z.literal(true).optional(),
})
export type LogLine = z.infer<typeof LogLine>

const Flag = z.enum(['true', 'false'])
const Word = z.string().min(1).max(4_096)
const ContainerName = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/u)
const inInstance = z.strictObject({ instance: InstanceId })
const inWorkload = z.strictObject({ workload: WorkloadId })
const logFields = {
  container: ContainerName.optional(),
  /** Only lines from then on. */
  since: Timestamp.optional(),
  /** At most so many of the last lines of each Instance. */
  tail: z.coerce.number().int().min(0).max(LOG_TAIL_MAX).optional(),
}

export const instance = {
  listInstances: endpoint({
    method: 'GET',
    path: '/v1/workloads/:workload/instances',
    auth: 'account',
    permission: 'project:read',
    scope: 'workload',
    rate: 'read',
    summary: 'List the Instances of a Workload, by name',
    params: inWorkload,
    query: PageQuery.extend({
      process: ProcessName.optional(),
      version: z
        .string()
        .regex(/^[0-9a-z]{1,16}$/u)
        .optional(),
      state: InstanceState.optional(),
    }),
    status: 200,
    response: pageOf(Instance),
  }),
  getInstance: endpoint({
    method: 'GET',
    path: '/v1/instances/:instance',
    auth: 'account',
    permission: 'project:read',
    scope: 'instance',
    rate: 'read',
    summary: 'Read an Instance: its state, why it is so, where it runs, what it uses',
    params: inInstance,
    status: 200,
    response: Instance,
  }),
  listInstanceEvents: endpoint({
    method: 'GET',
    path: '/v1/instances/:instance/events',
    auth: 'account',
    permission: 'project:read',
    scope: 'instance',
    rate: 'read',
    summary: 'List what the Cluster reports about an Instance, newest first',
    params: inInstance,
    query: PageQuery,
    status: 200,
    response: pageOf(InstanceEvent),
  }),
  restartInstance: endpoint({
    method: 'POST',
    path: '/v1/instances/:instance/restarts',
    auth: 'account',
    permission: 'instance:restart',
    scope: 'instance',
    rate: 'write',
    audit: 'instance.restart',
    summary: 'End an Instance within its grace time; another one of the same version takes its place',
    params: inInstance,
    status: 202,
    response: z.strictObject({ id: InstanceId }),
  }),
  followLogs: stream({
    transport: 'sse',
    method: 'GET',
    path: '/v1/workloads/:workload/logs',
    auth: 'account',
    permission: 'instance:log',
    scope: 'workload',
    rate: 'stream',
    summary:
      'Read the logs of one or of all Instances of a Workload as one stream; Instances that start later join',
    description:
      'Event `lines` carries an array of lines; what is there already comes first, in order of time. Event `limited` says that only the newest Instances are shown. Resumes by Last-Event-ID without losing or doubling a line.',
    params: inWorkload,
    query: z.strictObject({
      ...logFields,
      /** Only this Instance. */
      instance: InstanceId.optional(),
      process: ProcessName.optional(),
      /** `false` ends the stream after what is there. */
      follow: Flag.default('true'),
      /** The logs of the containers before their last restart; then nothing is followed. */
      previous: Flag.default('false'),
      /** Only lines that contain this text. */
      filter: z.string().min(1).max(200).optional(),
    }),
  }),
  downloadLogs: stream({
    transport: 'download',
    method: 'GET',
    path: '/v1/instances/:instance/logs',
    auth: 'account',
    permission: 'instance:log',
    scope: 'instance',
    rate: 'transfer',
    summary: "Download an Instance's log as plain text",
    params: inInstance,
    query: z.strictObject({
      ...logFields,
      previous: Flag.default('false'),
      timestamps: Flag.default('false'),
    }),
  }),
  openTerminal: stream({
    transport: 'websocket',
    method: 'GET',
    path: '/v1/instances/:instance/terminal',
    auth: 'account',
    permission: 'instance:exec',
    scope: 'instance',
    rate: 'stream',
    audit: 'instance.exec',
    summary: 'Run a command or a shell in an Instance',
    description:
      'Binary messages; the first byte is the channel: 0 input, 1 output, 2 errors, 3 the end as JSON `{"exitCode":0}` or `{"error":{…}}`, 4 the size as JSON `{"columns":80,"rows":24}`, 255 followed by 0 the end of input.',
    params: inInstance,
    query: z.strictObject({
      container: ContainerName.optional(),
      /** The command with its arguments, repeated in order; without it the first shell that is there. */
      command: z.union([Word, z.array(Word).min(1).max(64)]).optional(),
      terminal: Flag.default('true'),
      input: Flag.default('true'),
      columns: z.coerce.number().int().min(1).max(1_000).optional(),
      rows: z.coerce.number().int().min(1).max(1_000).optional(),
    }),
  }),
} as const
