import type { Ctx, RequestContext } from '../../context.ts'
import { found } from '../../http/errors.ts'
import type { Db } from '../../tables.ts'
import { findApplication } from '../app/index.ts'
import { credentialsOf, credentialsOwner } from './credentials.ts'
import { sourceErrors } from './errors.ts'
import type { GitCredentials, Source } from './model.ts'
import * as queries from './queries.ts'
import { requireGitUrl } from './remote.ts'
import type { Repositories } from './repositories.ts'

export type SourceInput = {
  readonly applicationId: string
  readonly url: string
  readonly defaultBranch: string | undefined
  /** undefined keeps those there are, as long as the host stays the same; null removes them. */
  readonly credentials: GitCredentials | null | undefined
}

/** @throws {AppError} `source_missing` */
export async function requireSource(db: Db, applicationId: string): Promise<Source> {
  const source = await queries.findSource(db, applicationId)
  if (!source) throw sourceErrors.source_missing()
  return source
}

/** Looks the repository up with what was given, before anything is stored. */
export async function trySource(
  ctx: RequestContext,
  repositories: Repositories,
  input: SourceInput,
): Promise<void> {
  const before = await ctx.read((db) => queries.findSource(db, input.applicationId))
  await repositories.tryRemote(input.url, chosenCredentials(ctx, before, input), ctx.signal)
}

/** Credentials go to the host they were given for and to no other: who may change the address may not learn them. */
function chosenCredentials(
  ctx: Pick<RequestContext, 'envelope'>,
  before: Source | undefined,
  input: SourceInput,
): GitCredentials | undefined {
  if (input.credentials !== undefined) return input.credentials ?? undefined
  if (!before || placeOf(before.url) !== placeOf(input.url)) return undefined
  return credentialsOf(ctx, before)
}

function placeOf(url: string): string {
  const parsed = requireGitUrl(url)
  return parsed.kind === 'file' ? 'file' : `${parsed.kind}://${parsed.host}:${parsed.port}`
}

export async function setSource(ctx: Ctx, input: SourceInput): Promise<Source> {
  const application = found(await findApplication(ctx.db, input.applicationId))
  const before = await queries.findSource(ctx.db, application.id)
  const chosen = chosenCredentials(ctx, before, input)
  const source: Source = {
    applicationId: application.id,
    organizationId: application.organizationId,
    projectId: application.projectId,
    url: input.url,
    defaultBranch: input.defaultBranch ?? null,
    credentials: null,
    version: (before?.version ?? 0) + 1,
    updatedAt: ctx.now,
  }
  const sealed: Source =
    chosen === undefined
      ? source
      : {
          ...source,
          credentials: {
            kind: chosen.kind,
            username: chosen.kind === 'token' ? chosen.username : '',
            sealed: ctx.envelope.seal(
              chosen.kind === 'token' ? chosen.token : chosen.privateKey,
              credentialsOwner(source),
            ),
          },
        }
  await queries.putSource(ctx.db, sealed)
  ctx.note({ detail: { url: input.url, credentials: chosen?.kind ?? null } })
  return sealed
}

/** @returns what was removed */
export async function removeSource(ctx: Ctx, applicationId: string): Promise<Source> {
  const source = await requireSource(ctx.db, applicationId)
  await queries.deleteSource(ctx.db, applicationId)
  return source
}
