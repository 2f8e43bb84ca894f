import { z } from 'zod'

import { AppManifest, ApplicationId } from './app.ts'
import { Nothing, PageQuery, pageOf, SecretText, Timestamp } from './common.ts'
import { endpoint } from './endpoint.ts'

/** Name of a branch or tag, or a commit's id or its beginning. */
export const RefName = z.string().min(1).max(255)
export const CommitId = z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/u)

export const Source = z.strictObject({
  applicationId: ApplicationId,
  url: z.string(),
  /** Null: what the repository's HEAD names. */
  defaultBranch: z.string().nullable(),
  /** What there is; never the secret. */
  credentials: z.strictObject({ kind: z.enum(['token', 'ssh-key']), username: z.string() }).nullable(),
  updatedAt: Timestamp,
})
export type Source = z.infer<typeof Source>

export const SourceCredentials = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('token'),
    username: z
      .string()
      .max(255)
      .regex(/^[^:\p{Cc}]*$/u)
      .default('git'),
    token: SecretText.regex(/^[^\p{Cc}]*$/u),
  }),
  z.strictObject({ kind: z.literal('ssh-key'), privateKey: z.string().min(1).max(32_768) }),
])

export const SourceRef = z.strictObject({
  kind: z.enum(['branch', 'tag']),
  name: z.string(),
  commit: CommitId,
})
export const Commit = z.strictObject({
  id: CommitId,
  parents: z.array(CommitId),
  author: z.string(),
  authoredAt: Timestamp,
  subject: z.string(),
})
export type Commit = z.infer<typeof Commit>

const inApplication = z.strictObject({ application: ApplicationId })

export const source = {
  getSource: endpoint({
    method: 'GET',
    path: '/v1/applications/:application/source',
    auth: 'account',
    permission: 'source:read',
    scope: 'application',
    rate: 'read',
    summary: 'Read where the code of an Application lies',
    params: inApplication,
    status: 200,
    response: Source,
  }),
  setSource: endpoint({
    method: 'PUT',
    path: '/v1/applications/:application/source',
    auth: 'account',
    permission: 'source:update',
    scope: 'application',
    rate: 'write',
    audit: 'source.set',
    summary: 'Set where the code of an Application lies, after looking the repository up',
    description:
      'Credentials that are left out stay as they are while the host stays the same, and go when it changes; null removes them.',
    params: inApplication,
    body: z.strictObject({
      /** https, http within the own network, ssh, user@host:path, or an absolute path that an operator allows. */
      url: z.string().min(1).max(2_048),
      defaultBranch: RefName.optional(),
      credentials: SourceCredentials.nullable().optional(),
      /** false stores it without asking the repository. */
      verify: z.boolean().default(true),
    }),
    status: 200,
    response: Source,
  }),
  deleteSource: endpoint({
    method: 'DELETE',
    path: '/v1/applications/:application/source',
    auth: 'account',
    permission: 'source:update',
    scope: 'application',
    rate: 'write',
    audit: 'source.delete',
    summary: 'Forget where the code of an Application lies, with its credentials',
    params: inApplication,
    status: 204,
    response: Nothing,
  }),
  listSourceRefs: endpoint({
    method: 'GET',
    path: '/v1/applications/:application/source/refs',
    auth: 'account',
    permission: 'source:read',
    scope: 'application',
    rate: 'read',
    summary: 'List branches and tags as the repository has them now',
    params: inApplication,
    query: PageQuery.extend({ kind: z.enum(['branch', 'tag']).optional() }),
    status: 200,
    response: pageOf(SourceRef).extend({ defaultBranch: z.string().nullable() }),
  }),
  listCommits: endpoint({
    method: 'GET',
    path: '/v1/applications/:application/source/commits',
    auth: 'account',
    permission: 'source:read',
    scope: 'application',
    rate: 'read',
    summary: 'List the commits of a branch, tag or commit, newest first',
    params: inApplication,
    query: PageQuery.extend({ ref: RefName.optional() }),
    status: 200,
    response: pageOf(Commit),
  }),
  resolveRef: endpoint({
    method: 'GET',
    path: '/v1/applications/:application/source/resolution',
    auth: 'account',
    permission: 'source:read',
    scope: 'application',
    rate: 'read',
    summary: 'Find the commit that a branch, tag or beginning of an id means, and read its slipway.yaml',
    params: inApplication,
    query: z.strictObject({ ref: RefName.optional() }),
    status: 200,
    response: z.strictObject({
      ref: z.string(),
      isDefaultBranch: z.boolean(),
      commit: Commit,
      hasManifest: z.boolean(),
      /** With every default filled in. */
      manifest: AppManifest,
    }),
  }),
} as const
