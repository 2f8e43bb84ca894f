import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { z } from 'zod'

import { AppError, assert, KIB, must, parseJson } from '@slipway/kit'
import {
  buildImage,
  declaredBases,
  parseImageReference,
  type BaseChoice,
  type BuiltImage,
} from '@slipway/oci'

import type { Platform, RequestContext } from '../../context.ts'
import { wake } from '../../control/index.ts'
import { findApplication } from '../app/index.ts'
import { recordBuiltImage, type BuiltInRegistry } from '../image/index.ts'
import { findProject } from '../tenancy/index.ts'
import { limited } from './bytes.ts'
import type { BuildCaches } from './caches.ts'
import { buildErrors } from './errors.ts'
import type { BuildLogs } from './logs.ts'
import { isEnded, type Build, type Report } from './model.ts'
import { STATIC_SERVER } from './plan.ts'
import * as queries from './queries.ts'
import { BUILD_RECONCILER } from './service.ts'
import { staticServer } from './static-server.ts'
import { markTransfer } from './transfers.ts'

/*
 * What a Job hands in. The package goes straight from the socket into the builder, under its limits; only the transaction that
 * records the Image makes it visible and ends the build, so a transfer that breaks off has no effect and may be tried again.
 */
export type Receiving = {
  readonly package: (ctx: RequestContext, buildId: string, attempt: number, body: Readable) => Promise<void>
  readonly report: (ctx: RequestContext, buildId: string, attempt: number, body: Readable) => Promise<void>
  readonly keepCache: (ctx: RequestContext, buildId: string, attempt: number, body: Readable) => Promise<void>
  /** The cache of a build's Application as a tar; undefined when there is none. Asked once the source has come whole. */
  readonly openCache: (
    buildId: string,
    attempt: number,
  ) => Promise<{ readonly sizeBytes: number; readonly body: Readable } | undefined>
}

const REPORT_MAX_BYTES = 4 * KIB
const ReportBody = z.strictObject({
  phase: z.enum(['start', 'fetch', 'command', 'output', 'package', 'transfer']),
  exitCode: z.number().int().min(0).max(255),
  message: z.string().max(1_000),
})

/** Removes what packages that were coming in when the platform ended have left; before anything new comes in. */
export async function removeHalfReceived(settings: Pick<Platform['settings'], 'dataFolder'>): Promise<void> {
  await rm(spoolFolderOf(settings), { recursive: true, force: true })
}

export function spoolFolderOf(settings: Pick<Platform['settings'], 'dataFolder'>): string {
  return join(settings.dataFolder, 'build-spool')
}

export function receiving(
  platform: Platform,
  registry: () => BuiltInRegistry,
  { caches, logs }: { readonly caches: BuildCaches; readonly logs: Pick<BuildLogs, 'note'> },
): Receiving {
  const { database, settings } = platform
  // In this process; of two transfers at two replicas one comes too late.
  const active = new Set<string>()
  const spoolFolder = spoolFolderOf(settings)
  const caching = new Set<string>()

  /** The build, while this attempt of it is the one that counts. */
  async function current(buildId: string, attempt: number): Promise<Build> {
    const build = await database.transact('all', (db) => queries.findBuild(db, buildId), { readOnly: true })
    const counts =
      build?.attempt === attempt &&
      !build.cancelRequested &&
      (build.state === 'Running' || build.state === 'Publishing')
    if (!build || !counts) throw buildErrors.build_link_invalid()
    return build
  }

  async function change(
    buildId: string,
    attempt: number,
    values: (build: Build) => Partial<Build>,
  ): Promise<void> {
    await database.transact('all', async (db) => {
      const build = await queries.lockBuild(db, buildId)
      if (!build || build.attempt !== attempt || isEnded(build.state)) throw buildErrors.build_link_invalid()
      await queries.advanceBuild(db, build, values(build))
      await wake(db, BUILD_RECONCILER, buildId)
    })
  }

  async function receivePackage(ctx: RequestContext, build: Build, body: Readable): Promise<void> {
    await mkdir(spoolFolder, { recursive: true, mode: 0o700 })
    const repository = await database.transact('all', async (db) => {
      const application = must(await findApplication(db, build.applicationId), 'a build has an Application')
      const project = must(await findProject(db, build.projectId), 'an Application has a Project')
      return `${project.slug}/${application.slug}`
    })
    const built = await buildImage({
      archive: body,
      ...(await imageOptions(build, registry())),
      sink: registry().sinkOf(repository),
      // The tag comes with the record of the Image, in one transaction.
      tags: [],
      spoolFolder,
      clock: ctx.clock,
      signal: ctx.signal,
    })
    await finish(ctx, build, repository, built)
  }

  async function finish(
    ctx: RequestContext,
    build: Build,
    repository: string,
    built: BuiltImage,
  ): Promise<void> {
    const now = ctx.clock.now()
    await database.transact('all', async (db) => {
      const known = await queries.lockBuild(db, build.id)
      if (!known || known.attempt !== build.attempt || isEnded(known.state) || known.cancelRequested)
        throw buildErrors.build_link_invalid()
      const { template, base } = known
      assert(template && base, 'they were settled before the Job was made')
      const image = await recordBuiltImage(
        db,
        {
          id: ctx.newId('img'),
          organizationId: known.organizationId,
          projectId: known.projectId,
          applicationId: known.applicationId,
          repository,
          digest: built.digest,
          template,
          base,
          commit: known.commit,
          buildId: known.id,
          sizeBytes: built.sizeBytes,
          createdBy: known.createdBy,
          createdAt: now,
        },
        [`build-${known.number}`],
      )
      await queries.advanceBuild(db, known, {
        state: 'Succeeded',
        progress: '',
        image: `${image.repository}@${image.digest}`,
        endedAt: now,
      })
      await wake(db, BUILD_RECONCILER, known.id)
    })
  }

  return {
    async package(ctx, buildId, attempt, body) {
      const build = await current(buildId, attempt)
      if (active.has(buildId)) throw buildErrors.build_link_invalid()
      active.add(buildId)
      try {
        await using _mark = await markTransfer(platform, buildId, 'package')
        await change(buildId, attempt, () => ({ state: 'Publishing', progress: 'publishing' }))
        await receivePackage(ctx, build, body)
      } catch (thrown) {
        const problem = problemOf(thrown)
        if (problem === undefined) throw thrown
        const reason = { code: 'build_package_refused', params: { problem } }
        await change(buildId, attempt, () => ({
          state: 'Failed',
          progress: '',
          reason,
          endedAt: ctx.clock.now(),
        }))
        await logs.note(buildId, `failed: ${reason.code}: ${problem}`)
        throw buildErrors.build_package_refused({ problem }, { cause: thrown })
      } finally {
        active.delete(buildId)
      }
    },
    async report(_, buildId, attempt, body) {
      await current(buildId, attempt)
      const text = await textOf(body, REPORT_MAX_BYTES)
      const parsed = ReportBody.safeParse(parseJson(text))
      if (!parsed.success) throw buildErrors.build_link_invalid()
      const report: Report = parsed.data
      await change(buildId, attempt, () => ({ report }))
    },
    async keepCache(ctx, buildId, attempt, body) {
      const build = await database.transact('all', (db) => queries.findBuild(db, buildId), { readOnly: true })
      // The cache comes after the package, when the build has succeeded.
      if (build?.attempt !== attempt || !build.isDefaultBranch || build.state !== 'Succeeded')
        throw buildErrors.build_link_invalid()
      if (caching.has(buildId)) throw buildErrors.build_link_invalid()
      caching.add(buildId)
      try {
        await using _mark = await markTransfer(platform, buildId, 'cache')
        await caches.keep(build.applicationId, body, ctx.signal)
      } finally {
        caching.delete(buildId)
      }
    },
    async openCache(buildId, attempt) {
      const build = await current(buildId, attempt)
      // Who asks for the cache has the whole source, and its address is used up. Sending it off is no proof: this process may
      // end with the last bytes still under way.
      if (!build.sourceTaken) await change(buildId, attempt, () => ({ sourceTaken: true }))
      return caches.open(build.applicationId)
    },
  }
}

async function textOf(body: Readable, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of limited(maxBytes)(body)) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

const refusals: ReadonlySet<string> = new Set([
  'package_invalid',
  'package_too_large',
  'image_config_invalid',
  'image_base_invalid',
  'image_platform_missing',
  'registry_content_missing',
])

/** What is wrong with the package, for people; undefined for failures that are not the package's. */
function problemOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof AppError) || !refusals.has(thrown.code)) return undefined
  const { reason, entry, what } = thrown.params
  const text = String(reason ?? what ?? thrown.code)
  return entry === undefined || entry === '' ? text : `${text} (${entry})`
}

async function imageOptions(build: Build, registry: BuiltInRegistry) {
  const { language, base, template } = build
  assert(language !== null && base !== null && template !== null, 'they were settled before the Job was made')
  const processes = Object.values(template.processes)
  const web = processes.find(({ kind }) => kind === 'web') ?? processes[0]
  const command = web?.command ?? []
  const serves = command.includes(STATIC_SERVER)
  return {
    layout: language,
    base: await baseOf(base, registry),
    settings: {
      command,
      environment: {
        ...(language === 'node' ? { NODE_ENV: 'production' } : {}),
        ...(language === 'python' ? { PYTHONPATH: '/app/site-packages', PYTHONUNBUFFERED: '1' } : {}),
      },
      labels: { 'org.opencontainers.image.revision': build.commit },
      ...(web?.kind === 'web' ? { ports: [web.port] } : {}),
    },
    configuration: serves ? [{ path: STATIC_SERVER, content: staticServer }] : [],
    annotations: {
      'org.opencontainers.image.revision': build.commit,
      'slipway/build': build.id,
    },
  }
}

/** A declared base, or an Image in the registry's own `base/…`. */
async function baseOf(name: string, registry: BuiltInRegistry): Promise<BaseChoice> {
  const declared = declaredBases.find((one) => one === name)
  if (declared !== undefined) return { kind: 'declared', name: declared }
  const { repository, tag, digest } = parseImageReference(name)
  const reference = digest ?? tag ?? 'latest'
  return { kind: 'image', name, reference, source: registry.sourceOf(repository), isSameRegistry: true }
}
