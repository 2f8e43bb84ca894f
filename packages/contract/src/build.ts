import { z } from 'zod'

import { ApplicationId, WorkloadTemplate } from './app.ts'
import { EnvironmentId, idOf, Nothing, PageQuery, pageOf, Timestamp } from './common.ts'
import { endpoint, stream } from './endpoint.ts'
import { RefName } from './source.ts'

export const BuildId = idOf('bld')
export const BuildState = z.enum([
  'Queued',
  'Fetching',
  'Running',
  'Publishing',
  'Succeeded',
  'Failed',
  'Cancelled',
])
export type BuildState = z.infer<typeof BuildState>

export const Build = z.strictObject({
  id: BuildId,
  applicationId: ApplicationId,
  /** Counts up within the Application; the Image's tag is `build-<number>`. */
  number: z.number().int(),
  ref: z.string(),
  commit: z.string(),
  state: BuildState,
  /** Jobs made so far. */
  attempt: z.number().int(),
  /** What is going on, in a few words. */
  progress: z.string(),
  /** What the files told: node, python, java, static. */
  language: z.string().nullable(),
  base: z.string().nullable(),
  /** How well the Job is kept apart from the machine. */
  isolation: z.string().nullable(),
  template: WorkloadTemplate.nullable(),
  /** `<repository>@<digest>`: what a release takes. */
  image: z.string().nullable(),
  /** Why it failed. */
  reason: z
    .strictObject({
      code: z.string(),
      params: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
    })
    .nullable(),
  createdBy: z.string(),
  createdAt: Timestamp,
  startedAt: Timestamp.nullable(),
  endedAt: Timestamp.nullable(),
})
export type Build = z.infer<typeof Build>

export const BuildCache = z.strictObject({
  /** 0 when there is none. */
  sizeBytes: z.number().int(),
  /** A cache that grows beyond is thrown away, and the next build begins a new one. */
  maxBytes: z.number().int(),
  updatedAt: Timestamp.nullable(),
})
export type BuildCache = z.infer<typeof BuildCache>

const inApplication = z.strictObject({ application: ApplicationId })
const inBuild = z.strictObject({ build: BuildId })
const signed = z.strictObject({
  attempt: z.coerce.number().int().min(1).max(9),
  expires: z.coerce.number().int(),
  signature: z.string().max(64),
})

function signedStream(path: `/${string}`, transport: 'download' | 'upload', summary: string) {
  const shared = {
    path,
    transport,
    auth: 'signed-url',
    permission: 'public',
    rate: 'transfer',
    summary,
    params: inBuild,
    query: signed,
  } as const
  return transport === 'download'
    ? stream({ ...shared, method: 'GET' })
    : stream({ ...shared, method: 'PUT', audit: `build.${path.split('/').at(-1) ?? ''}` })
}

export const build = {
  listBuilds: endpoint({
    method: 'GET',
    path: '/v1/applications/:application/builds',
    auth: 'account',
    permission: 'project:read',
    scope: 'application',
    rate: 'read',
    summary: 'List the builds of an Application, newest first',
    params: inApplication,
    query: PageQuery,
    status: 200,
    response: pageOf(Build),
  }),
  startBuild: endpoint({
    method: 'POST',
    path: '/v1/applications/:application/builds',
    auth: 'account',
    permission: 'build:create',
    scope: 'application',
    rate: 'write',
    audit: 'build.start',
    summary: 'Build a commit into an Image; returns at once, the build continues in the background',
    params: inApplication,
    body: z.strictObject({
      /** Branch, tag or commit; without it the default branch. */
      ref: RefName.optional(),
      /** Builds on the Cluster of this Environment; without it on the default Cluster. */
      environment: EnvironmentId.optional(),
    }),
    status: 202,
    response: Build,
  }),
  getBuild: endpoint({
    method: 'GET',
    path: '/v1/builds/:build',
    auth: 'account',
    permission: 'project:read',
    scope: 'build',
    rate: 'read',
    summary: 'Read a build',
    params: inBuild,
    status: 200,
    response: Build,
  }),
  cancelBuild: endpoint({
    method: 'POST',
    path: '/v1/builds/:build/cancellations',
    auth: 'account',
    permission: 'build:cancel',
    scope: 'build',
    rate: 'write',
    audit: 'build.cancel',
    summary: 'End a build; its Job is gone within seconds',
    params: inBuild,
    status: 202,
    response: Build,
  }),
  getBuildCache: endpoint({
    method: 'GET',
    path: '/v1/applications/:application/build-cache',
    auth: 'account',
    permission: 'project:read',
    scope: 'application',
    rate: 'read',
    summary: 'Read how large the cache is that builds of an Application share',
    params: inApplication,
    status: 200,
    response: BuildCache,
  }),
  clearBuildCache: endpoint({
    method: 'DELETE',
    path: '/v1/applications/:application/build-cache',
    auth: 'account',
    permission: 'build:create',
    scope: 'application',
    rate: 'write',
    audit: 'build-cache.delete',
    summary:
      'Throw away the cache that builds of an Application share; the next build fetches everything anew',
    params: inApplication,
    status: 204,
    response: Nothing,
  }),
  followBuildLog: stream({
    transport: 'sse',
    method: 'GET',
    path: '/v1/builds/:build/follow',
    auth: 'account',
    permission: 'instance:log',
    scope: 'build',
    rate: 'stream',
    summary:
      'Follow a build to its end: events `line` with time and text, `build` with the whole object; resumes by Last-Event-ID',
    params: inBuild,
  }),
  downloadBuildLog: stream({
    transport: 'download',
    method: 'GET',
    path: '/v1/builds/:build/log',
    auth: 'account',
    permission: 'instance:log',
    scope: 'build',
    rate: 'transfer',
    summary: 'Download the log of a build as text',
    params: inBuild,
  }),
  downloadBuildSource: signedStream(
    '/v1/builds/:build/source',
    'download',
    'For a build: fetch its source, once',
  ),
  downloadBuildCache: signedStream(
    '/v1/builds/:build/cache',
    'download',
    "For a build: fetch its Application's cache",
  ),
  uploadBuildCache: signedStream(
    '/v1/builds/:build/cache',
    'upload',
    "For a build: keep its Application's cache",
  ),
  uploadBuildPackage: signedStream(
    '/v1/builds/:build/package',
    'upload',
    'For a build: hand its package over, once',
  ),
  uploadBuildReport: signedStream('/v1/builds/:build/report', 'upload', 'For a build: say why it failed'),
} as const
