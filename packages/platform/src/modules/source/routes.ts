import type * as views from '@slipway/contract'
import { contract } from '@slipway/contract'
import { onCommit } from '@slipway/db'
import { decodeCursor, encodeCursor } from '@slipway/kit'

import type { RequestContext } from '../../context.ts'
import type { Routes } from '../../http/index.ts'
import type { Ref, Source } from './model.ts'
import type { Repositories } from './repositories.ts'
import * as service from './service.ts'

const SKIP_MAX = 100_000

export function sourceRoutes(routes: Routes, repositories: Repositories): void {
  settingRoutes(routes, repositories)
  lookingRoutes(routes, repositories)
}

function settingRoutes(routes: Routes, repositories: Repositories): void {
  routes.on(contract.getSource, async ({ params }, ctx) =>
    sourceView(await service.requireSource(ctx.db, params.application)),
  )
  routes.onOutside(contract.setSource, async ({ params, body }, ctx, commit) => {
    const { verify, ...rest } = body
    const input = {
      applicationId: params.application,
      url: rest.url,
      defaultBranch: rest.defaultBranch,
      credentials: rest.credentials,
    }
    if (verify) await service.trySource(ctx, repositories, input)
    return commit(async (inner) => sourceView(await service.setSource(inner, input)))
  })
  routes.on(contract.deleteSource, async ({ params }, ctx) => {
    const removed = await service.removeSource(ctx, params.application)
    onCommit(ctx.db, () => repositories.forget(removed))
  })
}

async function sourceFor(ctx: RequestContext, applicationId: string): Promise<Source> {
  return ctx.read((db) => service.requireSource(db, applicationId))
}

function lookingRoutes(routes: Routes, repositories: Repositories): void {
  routes.onOutside(contract.listSourceRefs, async ({ params, query }, ctx) => {
    const source = await sourceFor(ctx, params.application)
    const remote = await repositories.remoteRefs(source, ctx.signal)
    const main = source.defaultBranch ?? remote.defaultBranch ?? null
    const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor, 1)[0]
    const items = remote.refs
      .filter(({ kind }) => query.kind === undefined || kind === query.kind)
      .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
      .filter((ref) => after === undefined || keyOf(ref) > after)
    const shown = items.slice(0, query.limit)
    const last = shown.at(-1)
    return {
      defaultBranch: main,
      items: shown,
      ...(items.length > shown.length && last ? { cursor: encodeCursor([keyOf(last)]) } : {}),
    }
  })
  routes.onOutside(contract.listCommits, async ({ params, query }, ctx) => {
    const source = await sourceFor(ctx, params.application)
    const { head, skip } =
      query.cursor === undefined
        ? { head: (await repositories.resolve(source, query.ref, ctx.signal)).commit, skip: 0 }
        : positionOf(query.cursor)
    const page = { skip, count: query.limit + 1 }
    const commits = await repositories.log(source, head, page, ctx.signal)
    const next = skip + query.limit
    return {
      items: commits.slice(0, query.limit).map((commit) => ({ ...commit, parents: [...commit.parents] })),
      ...(commits.length > query.limit && next <= SKIP_MAX
        ? { cursor: encodeCursor([head, String(next)]) }
        : {}),
    }
  })
  routes.onOutside(contract.resolveRef, async ({ params, query }, ctx) => {
    const source = await sourceFor(ctx, params.application)
    const resolved = await repositories.resolve(source, query.ref, ctx.signal)
    const tree = await repositories.tree(source, resolved.commit, ctx.signal)
    const [commit] = await repositories.log(source, resolved.commit, { skip: 0, count: 1 }, ctx.signal)
    return {
      ref: resolved.ref,
      isDefaultBranch: resolved.isDefaultBranch,
      commit: {
        id: resolved.commit,
        parents: [...(commit?.parents ?? [])],
        author: commit?.author ?? '',
        authoredAt: commit?.authoredAt ?? new Date(0).toISOString(),
        subject: commit?.subject ?? '',
      },
      hasManifest: tree.hasManifest,
      manifest: tree.manifest,
    }
  })
}

/** A page of commits begins at a commit, not at a branch: what is pushed meanwhile does not move it. */
function positionOf(cursor: string): { readonly head: string; readonly skip: number } {
  const [head = '', skip = ''] = decodeCursor(cursor, 2)
  const isOurs = /^[0-9a-f]{40,64}$/u.test(head) && /^[0-9]{1,6}$/u.test(skip)
  // Refused like any other cursor that was not made here.
  if (!isOurs) decodeCursor('', 2)
  return { head, skip: Number(skip) }
}

function keyOf(ref: Ref): string {
  return `${ref.kind} ${ref.name}`
}

function sourceView(source: Source): views.Source {
  return {
    applicationId: source.applicationId,
    url: source.url,
    defaultBranch: source.defaultBranch,
    credentials:
      source.credentials === null
        ? null
        : { kind: source.credentials.kind, username: source.credentials.username },
    updatedAt: source.updatedAt.toISOString(),
  }
}
