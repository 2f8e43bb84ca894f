import { z } from 'zod'

import {
  DisplayName,
  EnvironmentId,
  idOf,
  Nothing,
  PageQuery,
  pageOf,
  PartOfName,
  ProcessName,
  ProjectId,
  Slug,
  Timestamp,
} from './common.ts'
import { endpoint } from './endpoint.ts'
import { Placement } from './placement.ts'

export const ApplicationId = idOf('app')
export const WorkloadId = idOf('wrk')

/** A Kubernetes quantity such as `250m` or `512Mi`. */
const Quantity = z
  .string()
  .regex(
    /^[0-9]{1,9}(\.[0-9]{1,3})?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/u,
    'a quantity such as 250m, 2 or 512Mi is expected',
  )
/** A path on a web server. */
const HttpPath = z.string().regex(/^\/[\x21-\x7e]{0,255}$/u, 'a path that begins with / is expected')
const Command = z.array(z.string().min(1).max(4_096)).min(1).max(64)

export const Probe = z
  .strictObject({
    /** Without a path the probe only connects. */
    path: HttpPath.optional(),
    /** How long a start may take before the Instance is restarted. */
    startSeconds: z.number().int().min(1).max(3_600).default(60),
    timeoutSeconds: z.number().int().min(1).max(60).default(2),
  })
  .meta({ description: 'When an Instance counts as ready; asked every second' })

export const Resources = z.strictObject({
  /** Asked of the scheduler; also the share under contention. */
  cpu: Quantity.default('50m'),
  memory: Quantity.default('128Mi'),
  /** An Instance that takes more is ended as out of memory. Without it twice the request. */
  memoryLimit: Quantity.optional(),
})

const processFields = {
  /** The first word is a bare command or a path below the application's folder. */
  command: Command.optional(),
  resources: Resources.prefault({}),
  /** Run in the Instance before SIGTERM: deregister, drain. */
  stop: Command.optional(),
  /** Time between the stop command's start and SIGKILL. */
  graceSeconds: z.number().int().min(0).max(600).default(30),
  instances: z.number().int().min(0).max(500).default(1),
  placement: Placement.optional(),
}

/** A process that answers requests; exactly one of an Application is routed: `web`, or the only one. */
export const WebProcess = z.strictObject({
  kind: z.literal('web'),
  port: z.number().int().min(1).max(65_535).default(8080),
  probe: Probe.prefault({}),
  ...processFields,
})
export const WorkerProcess = z.strictObject({ kind: z.literal('worker'), ...processFields })
export const Process = z.discriminatedUnion('kind', [WebProcess, WorkerProcess])
export type Process = z.infer<typeof Process>

export const PROCESSES_MAX = 16

const processMap = z
  .record(ProcessName, Process)
  .refine((processes) => Object.keys(processes).length <= PROCESSES_MAX, {
    message: `at most ${PROCESSES_MAX} processes`,
  })
  .refine((processes) => Object.values(processes).filter(({ kind }) => kind === 'web').length <= 1, {
    message: 'at most one web process',
  })

/** `slipway.yaml` at the root of a repository: how an Application is built and run. Everything in it has a default. */
export const AppManifest = z.strictObject({
  version: z.literal(1),
  build: z
    .strictObject({
      /** Without it, what the files tell: package.json, requirements.txt, pom.xml, index.html. */
      language: z.enum(['node', 'python', 'java', 'static']).optional(),
      /** A base image: `host/<language>` or a repository of the catalogue. */
      base: z.string().max(255).optional(),
      /** Folder that becomes the package after build.sh; without it the whole tree. */
      output: z
        .string()
        .regex(/^[^/\0][^\0]{0,255}$/u)
        .optional(),
      timeoutSeconds: z.number().int().min(10).max(7_200).default(900),
    })
    .prefault({}),
  processes: processMap.prefault({ web: { kind: 'web' } }),
  /** Pool of nodes in which it runs, on every Cluster; a Workload may name another one. */
  pool: Slug.optional(),
})
export type AppManifest = z.infer<typeof AppManifest>

/** What an Image runs, as settled by its build: every process with its command. */
export const WorkloadTemplate = z.strictObject({
  processes: z.record(ProcessName, Process),
  /** Pool of nodes in which it runs; of a Release, as it was settled when that began. */
  pool: Slug.optional(),
  /** The Workloads that placements name, by `application` or `application/environment`, as a Release found them. */
  neighbours: z
    .record(z.string(), z.strictObject({ workload: WorkloadId, namespace: z.string() }))
    .optional(),
})
export type WorkloadTemplate = z.infer<typeof WorkloadTemplate>

export const Application = z.strictObject({
  id: ApplicationId,
  projectId: ProjectId,
  slug: Slug,
  name: DisplayName,
  createdAt: Timestamp,
})
export type Application = z.infer<typeof Application>

export const Workload = z.strictObject({
  id: WorkloadId,
  /** `project/application/environment` */
  name: z.string(),
  projectId: ProjectId,
  applicationId: ApplicationId,
  environmentId: EnvironmentId,
  clusterId: z.string(),
  /** Kubernetes namespace. */
  namespace: z.string(),
  /** Addresses under which the routed process answers. */
  urls: z.array(z.string()),
  /** Instances asked for by process; a process not named here runs as many as its template says. */
  instances: z.record(ProcessName, z.number().int()),
  /** Where processes may run; stands in place of what slipway.yaml says of them, from the next Release on. */
  placement: z.record(ProcessName, Placement),
  /** Pool in which it runs from the next Release on; null for where slipway.yaml or its Project says, else anywhere. */
  pool: Slug.nullable(),
  configRevision: z.number().int(),
  /** How long the old version stays ready after a release, in seconds. */
  keepSeconds: z.number().int(),
  createdAt: Timestamp,
})
export type Workload = z.infer<typeof Workload>

export const VariableName = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_]{0,127}$/u,
    'letters, digits and underscores are expected, at most 128, not beginning with a digit',
  )
export const VARIABLES_MAX = 256

/** One immutable revision of a Workload's variables. Values of secret ones are never shown again. */
export const ConfigRevision = z.strictObject({
  revision: z.number().int(),
  variables: z.array(
    z.strictObject({ name: VariableName, secret: z.boolean(), value: z.string().nullable() }),
  ),
  comment: z.string(),
  createdBy: z.string(),
  createdAt: Timestamp,
})
export type ConfigRevision = z.infer<typeof ConfigRevision>

const inProject = z.strictObject({ project: ProjectId })
const inApplication = z.strictObject({ application: ApplicationId })
const inWorkload = z.strictObject({ workload: WorkloadId })
const WorkloadName = z.string().regex(/^[a-z0-9-]{1,39}\/[a-z0-9-]{1,39}\/[a-z0-9-]{1,39}$/u)

export const app = {
  listApplications: endpoint({
    method: 'GET',
    path: '/v1/applications',
    auth: 'account',
    permission: 'project:read',
    scope: 'visible',
    rate: 'read',
    summary: 'List the Applications the caller may see',
    query: PageQuery.extend({
      project: ProjectId.optional(),
      slug: Slug.optional(),
      text: PartOfName.optional(),
    }),
    status: 200,
    response: pageOf(Application),
  }),
  createApplication: endpoint({
    method: 'POST',
    path: '/v1/projects/:project/applications',
    auth: 'account',
    permission: 'application:create',
    scope: 'project',
    rate: 'write',
    audit: 'application.create',
    summary: 'Create an Application',
    params: inProject,
    body: z.strictObject({ slug: Slug, name: DisplayName.optional() }),
    status: 201,
    response: Application,
  }),
  getApplication: endpoint({
    method: 'GET',
    path: '/v1/applications/:application',
    auth: 'account',
    permission: 'project:read',
    scope: 'application',
    rate: 'read',
    summary: 'Read an Application',
    params: inApplication,
    status: 200,
    response: Application,
  }),
  updateApplication: endpoint({
    method: 'PATCH',
    path: '/v1/applications/:application',
    auth: 'account',
    permission: 'application:update',
    scope: 'application',
    rate: 'write',
    audit: 'application.update',
    summary: 'Rename an Application',
    params: inApplication,
    body: z.strictObject({ name: DisplayName }),
    status: 200,
    response: Application,
  }),
  deleteApplication: endpoint({
    method: 'DELETE',
    path: '/v1/applications/:application',
    auth: 'account',
    permission: 'application:delete',
    scope: 'application',
    rate: 'write',
    audit: 'application.delete',
    summary: 'Delete an Application that has no Workloads; its builds and images go with it',
    params: inApplication,
    status: 204,
    response: Nothing,
  }),
  listWorkloads: endpoint({
    method: 'GET',
    path: '/v1/workloads',
    auth: 'account',
    permission: 'project:read',
    scope: 'visible',
    rate: 'read',
    summary: 'List the Workloads the caller may see, or the one with a name',
    query: PageQuery.extend({
      name: WorkloadName.optional(),
      text: PartOfName.optional(),
      project: ProjectId.optional(),
      application: ApplicationId.optional(),
      environment: EnvironmentId.optional(),
    }),
    status: 200,
    response: pageOf(Workload),
  }),
  createWorkload: endpoint({
    method: 'POST',
    path: '/v1/applications/:application/workloads',
    auth: 'account',
    permission: 'workload:create',
    scope: 'application',
    rate: 'write',
    audit: 'workload.create',
    summary: 'Let an Application run in an Environment',
    params: inApplication,
    body: z.strictObject({ environment: EnvironmentId }),
    status: 201,
    response: Workload,
  }),
  getWorkload: endpoint({
    method: 'GET',
    path: '/v1/workloads/:workload',
    auth: 'account',
    permission: 'project:read',
    scope: 'workload',
    rate: 'read',
    summary: 'Read a Workload',
    params: inWorkload,
    status: 200,
    response: Workload,
  }),
  updateWorkload: endpoint({
    method: 'PATCH',
    path: '/v1/workloads/:workload',
    auth: 'account',
    permission: 'workload:update',
    scope: 'workload',
    rate: 'write',
    audit: 'workload.update',
    summary:
      'Change how long the old version stays ready after a release, or the Pool in which the next one runs',
    params: inWorkload,
    body: z.strictObject({
      keepSeconds: z.number().int().min(0).max(86_400).optional(),
      /** Null takes back what was set. */
      pool: Slug.nullable().optional(),
    }),
    status: 200,
    response: Workload,
  }),
  deleteWorkload: endpoint({
    method: 'DELETE',
    path: '/v1/workloads/:workload',
    auth: 'account',
    permission: 'workload:delete',
    scope: 'workload',
    rate: 'write',
    audit: 'workload.delete',
    summary: 'Stop a Workload and take its objects off the Cluster; its releases and history go with it',
    params: inWorkload,
    status: 202,
    response: z.strictObject({ id: WorkloadId }),
  }),
  scaleWorkload: endpoint({
    method: 'PUT',
    path: '/v1/workloads/:workload/instances',
    auth: 'account',
    permission: 'workload:scale',
    scope: 'workload',
    rate: 'write',
    audit: 'workload.scale',
    summary: 'Set how many Instances of a process run',
    params: inWorkload,
    body: z.strictObject({
      process: ProcessName.default('web'),
      instances: z.number().int().min(0).max(500),
    }),
    status: 202,
    response: Workload,
  }),
  setPlacement: endpoint({
    method: 'PUT',
    path: '/v1/workloads/:workload/placement',
    auth: 'account',
    permission: 'workload:update',
    scope: 'workload',
    rate: 'write',
    audit: 'workload.placement',
    summary:
      'Set where the Instances of a process may run; takes effect with the next Release, which pins it',
    description:
      'Stands in place of what slipway.yaml says of the process in this Workload; null takes it back. A condition without a weight must hold, one with a weight is a preference.',
    params: inWorkload,
    body: z.strictObject({
      process: ProcessName.default('web'),
      placement: Placement.nullable(),
    }),
    status: 200,
    response: Workload,
  }),
  restartWorkload: endpoint({
    method: 'POST',
    path: '/v1/workloads/:workload/restarts',
    auth: 'account',
    permission: 'workload:restart',
    scope: 'workload',
    rate: 'write',
    audit: 'workload.restart',
    summary: 'Replace every Instance by one of the same version, a few at a time; makes no Release',
    params: inWorkload,
    body: z.strictObject({ process: ProcessName.optional() }),
    status: 202,
    response: Workload,
  }),
  listConfigRevisions: endpoint({
    method: 'GET',
    path: '/v1/workloads/:workload/config-revisions',
    auth: 'account',
    permission: 'project:read',
    scope: 'workload',
    rate: 'read',
    summary: "List the revisions of a Workload's variables, newest first",
    params: inWorkload,
    query: PageQuery,
    status: 200,
    response: pageOf(ConfigRevision),
  }),
  setVariables: endpoint({
    method: 'POST',
    path: '/v1/workloads/:workload/config-revisions',
    auth: 'account',
    permission: 'workload:update',
    scope: 'workload',
    rate: 'write',
    audit: 'workload.variables',
    summary: 'Make a new revision of the variables: the current one with these set and those removed',
    description:
      'Takes effect with the next release, which pins it. PORT, HOST, POD_IP and names that begin with SLIPWAY_ or KUBERNETES_ are set by the platform.',
    params: inWorkload,
    body: z.strictObject({
      set: z
        .array(
          z.strictObject({
            name: VariableName,
            value: z.string().max(32_768),
            secret: z.boolean().default(false),
          }),
        )
        .max(VARIABLES_MAX)
        .default([]),
      remove: z.array(VariableName).max(VARIABLES_MAX).default([]),
      comment: z.string().max(500).default(''),
    }),
    status: 201,
    response: ConfigRevision,
  }),
} as const
