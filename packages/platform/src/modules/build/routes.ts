import type * as views from '@slipway/contract'
import { contract, type InputOf, TOTAL_MAX } from '@slipway/contract'
import { onCommit } from '@slipway/db'
import { pageOf, SECOND_MS } from '@slipway/kit'

import type { Ctx } from '../../context.ts'
import { found } from '../../http/errors.ts'
import type { Routes } from '../../http/index.ts'
import { applicationsFor } from '../app/index.ts'
import { requireSource, type Repositories } from '../source/index.ts'
import type { BuildCaches } from './caches.ts'
import { buildErrors } from './errors.ts'
import { checkLink } from './links.ts'
import type { BuildLogs } from './logs.ts'
import { CACHE_MAX_BYTES, isEnded, LOG_DAYS, type Build } from './model.ts'
import type { Receiving } from './publish.ts'
import * as queries from './queries.ts'
import * as service from './service.ts'

export type BuildRoutePorts = {
  readonly repositories: Repositories
  readonly receiving: Receiving
  readonly logs: BuildLogs
  readonly caches: BuildCaches
}

const POLL_MS = 300
/** The last lines may come a little after the end. */
const TAIL_MS = 25 * SECOND_MS

export function buildRoutes(routes: Routes, ports: BuildRoutePorts): void {
  accountRoutes(routes, ports)
  cacheRoutes(routes, ports)
  logRoutes(routes, ports)
  jobRoutes(routes, ports)
}

function accountRoutes(routes: Routes, ports: BuildRoutePorts): void {
  routes.on(contract.searchBuilds, async ({ query }, ctx) => searchBuilds(ctx, query))
  routes.on(contract.listBuilds, async ({ params, query }, ctx) =>
    pageOf(await queries.listBuilds(ctx.db, params.application, query), query.limit, buildView, (one) => [
      String(one.number),
    ]),
  )
  routes.onOutside(contract.startBuild, async ({ params, body }, ctx, commit) => {
    const resolved = await service.resolveForBuild(ctx, ports.repositories, params.application, body.ref)
    const wanted = { applicationId: params.application, environmentId: body.environment, ...resolved }
    return commit(async (inner) => buildView(await service.startBuild(inner, wanted)))
  })
  routes.on(contract.getBuild, async ({ params }, ctx) =>
    buildView(found(await queries.findBuild(ctx.db, params.build))),
  )
  routes.on(contract.cancelBuild, async ({ params }, ctx) =>
    buildView(await service.cancelBuild(ctx, params.build)),
  )
}

async function searchBuilds(ctx: Ctx, query: InputOf<typeof contract.searchBuilds>['query']) {
  const names = await applicationsFor(ctx, query)
  const text = query.text?.toLowerCase()
  const matching = [...names].filter(([, name]) => text !== undefined && name.includes(text))
  const filter: queries.BuildFilter = {
    applications: [...names.keys()],
    state: query.state,
    since: query.since === undefined ? undefined : new Date(query.since),
    match: text === undefined ? undefined : { applications: matching.map(([id]) => id), text },
  }
  const found = await queries.searchBuilds(ctx.db, filter, query)
  const page = pageOf(
    found,
    query.limit,
    (one): views.BuildSummary => {
      const { template: _, ...shown } = buildView(one)
      return { ...shown, application: names.get(one.applicationId) ?? '', projectId: one.projectId }
    },
    (one) => [one.createdAt.toISOString(), one.id],
  )
  return { ...page, total: await queries.countBuilds(ctx.db, filter, TOTAL_MAX) }
}

function cacheRoutes(routes: Routes, { caches }: BuildRoutePorts): void {
  routes.on(contract.getBuildCache, async ({ params }) => {
    const facts = await caches.find(params.application)
    return {
      sizeBytes: facts?.sizeBytes ?? 0,
      maxBytes: CACHE_MAX_BYTES,
      updatedAt: facts?.updatedAt.toISOString() ?? null,
    }
  })
  routes.on(contract.clearBuildCache, async ({ params }, ctx) => {
    onCommit(ctx.db, () => caches.clear(params.application))
  })
}

function logRoutes(routes: Routes, { logs }: BuildRoutePorts): void {
  routes.onStream(contract.downloadBuildLog, async ({ input, ctx, download }) => {
    const build = found(await ctx.read((db) => queries.findBuild(db, input.params.build)))
    const body = await logs.open(build.id)
    if (body === undefined) throw buildErrors.build_log_missing({ days: LOG_DAYS })
    await download({
      contentType: 'text/plain; charset=utf-8',
      fileName: `build-${build.number}.log`,
      body,
    })
  })
  routes.onStream(contract.followBuildLog, async ({ input, ctx, send, lastEventId }) => {
    const { clock, signal } = ctx
    let offset = /^[0-9]{1,12}$/u.test(lastEventId ?? '') ? Number(lastEventId) : 0
    let shown = -1
    let endedMs: number | undefined
    while (!signal.aborted) {
      const build = found(await ctx.read((db) => queries.findBuild(db, input.params.build)))
      const part = await logs.read(build.id, offset)
      for (const { at, text, endBytes } of part?.lines ?? [])
        await send({ id: String(endBytes), event: 'line', data: { at, text } })
      offset = part?.next ?? offset
      if (build.generation !== shown) await send({ event: 'build', data: buildView(build) })
      shown = build.generation
      if (isEnded(build.state)) endedMs ??= clock.monotonicMs()
      const isQuiet = (part?.lines.length ?? 0) === 0
      const isOver = endedMs !== undefined && (build.cleaned || clock.monotonicMs() - endedMs > TAIL_MS)
      if (isOver && isQuiet && !logs.isFollowing(build.id)) return
      if (isQuiet) await clock.sleep(POLL_MS, signal).catch(() => undefined)
    }
  })
}

/** What Jobs call, by signed addresses. */
function jobRoutes(routes: Routes, { receiving, repositories }: BuildRoutePorts): void {
  routes.onStream(contract.downloadBuildSource, async ({ input, ctx, download }) => {
    const { build: id } = input.params
    checkLink(ctx, 'source', id, input.query, ctx.now)
    const { source, build } = await ctx.database.transact(
      'all',
      async (db) => {
        const known = await queries.findBuild(db, id)
        if (
          known?.attempt !== input.query.attempt ||
          known.state !== 'Running' ||
          known.cancelRequested ||
          known.sourceTaken
        )
          throw buildErrors.build_link_invalid()
        return { build: known, source: await requireSource(db, known.applicationId) }
      },
      { readOnly: true },
    )
    using archive = await repositories.archive(source, build.commit, ctx.signal)
    const failed = archive.done.catch((thrown: Error) => archive.stdout.destroy(thrown))
    await download({ contentType: 'application/x-tar', body: archive.stdout })
    await failed
  })
  routes.onStream(contract.downloadBuildCache, async ({ input, ctx, download }) => {
    checkLink(ctx, 'cache-download', input.params.build, input.query, ctx.now)
    const cache = await receiving.openCache(input.params.build, input.query.attempt)
    if (cache) await download({ contentType: 'application/x-tar', ...cache })
  })
  routes.onStream(contract.uploadBuildPackage, async ({ input, ctx, upload }) => {
    checkLink(ctx, 'package', input.params.build, input.query, ctx.now)
    await receiving.package(ctx, input.params.build, input.query.attempt, upload)
  })
  routes.onStream(contract.uploadBuildReport, async ({ input, ctx, upload }) => {
    checkLink(ctx, 'report', input.params.build, input.query, ctx.now)
    await receiving.report(ctx, input.params.build, input.query.attempt, upload)
  })
  routes.onStream(contract.uploadBuildCache, async ({ input, ctx, upload }) => {
    checkLink(ctx, 'cache-upload', input.params.build, input.query, ctx.now)
    await receiving.keepCache(ctx, input.params.build, input.query.attempt, upload)
  })
}

function buildView(build: Build): views.Build {
  return {
    id: build.id,
    applicationId: build.applicationId,
    number: build.number,
    ref: build.ref,
    commit: build.commit,
    state: build.state,
    attempt: build.attempt,
    progress: build.progress,
    language: build.language,
    base: build.base,
    isolation: build.isolation,
    template: build.template,
    image: build.image,
    reason: build.reason === null ? null : { code: build.reason.code, params: { ...build.reason.params } },
    createdBy: build.createdBy,
    createdAt: build.createdAt.toISOString(),
    startedAt: build.startedAt?.toISOString() ?? null,
    endedAt: build.endedAt?.toISOString() ?? null,
  }
}
