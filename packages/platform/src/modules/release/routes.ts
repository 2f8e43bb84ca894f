import type * as views from '@slipway/contract'
import { contract } from '@slipway/contract'
import { decodeNumberCursor, must, pageOf } from '@slipway/kit'

import type { Ctx, RequestContext } from '../../context.ts'
import type { Routes } from '../../http/index.ts'
import type { StreamCall } from '../../http/routes.ts'
import type { Db } from '../../tables.ts'
import {
  findConfigRevision,
  findWorkload,
  openVariables,
  restartWorkload,
  workloadView,
} from '../app/index.ts'
import type { ClusterConnection, Clusters } from '../fleet/index.ts'
import { found } from '../../http/errors.ts'
import { releaseErrors } from './errors.ts'
import { exportYaml } from './export.ts'
import { isEnded, type Release } from './model.ts'
import * as queries from './queries.ts'
import { refuseUnknown, scaleWorkload } from './scale.ts'
import * as service from './service.ts'
import { place, type SettlePool } from './settle.ts'
import { redeploy, rollBack, startRelease, type ReleasableImage } from './start.ts'
import { releaseEventView, releaseView } from './views.ts'

/** What the routes need of other modules. */
export type ReleasePorts = {
  readonly clusters: Clusters
  /** Finds an Image of the Application by digest, tag or build. */
  readonly resolveImage: (
    db: Db,
    applicationId: string,
    reference: string,
  ) => Promise<ReleasableImage | undefined>
  readonly imageAddress: (image: string) => string
  readonly settlePool: SettlePool
}

const FOLLOW_MS = 400
const EVENTS_AT_ONCE = 100

export function releaseRoutes(routes: Routes, ports: ReleasePorts): void {
  readRoutes(routes)
  startRoutes(routes, ports)
  commandRoutes(routes)
  exportRoute(routes, ports)
}

async function view(ctx: Pick<Ctx, 'db'>, release: Release): Promise<views.Release> {
  return releaseView(release, await queries.keptIds(ctx.db, release.workloadId))
}

function readRoutes(routes: Routes): void {
  routes.on(contract.listReleases, async ({ params, query }, ctx) => {
    const kept = await queries.keptIds(ctx.db, params.workload)
    const releases = await queries.listReleases(ctx.db, params.workload, query)
    return pageOf(
      releases,
      query.limit,
      (release) => releaseView(release, kept),
      (release) => [String(release.number)],
    )
  })
  routes.on(contract.getRelease, async ({ params }, ctx) =>
    view(ctx, found(await queries.findRelease(ctx.db, params.release))),
  )
  routes.on(contract.listReleaseEvents, async ({ params, query }, ctx) => {
    const after = query.cursor === undefined ? 0 : decodeNumberCursor(query.cursor)
    return pageOf(
      await queries.listReleaseEvents(ctx.db, params.release, after, query.limit),
      query.limit,
      releaseEventView,
      (event) => [String(event.sequence)],
    )
  })
  routes.on(contract.getReleaseDiff, async ({ params, query }, ctx) =>
    service.diffReleases(ctx, params.release, query.with),
  )
  routes.onStream(contract.followRelease, follow)
}

/** Sends what is new until the Release has ended; a reader that comes back continues after the event it saw last. */
async function follow(call: StreamCall<typeof contract.followRelease>): Promise<void> {
  const { ctx, input, send } = call
  // An id that this stream never gave out is no place to go on from.
  let sequence = /^\d{1,9}$/u.test(call.lastEventId ?? '') ? Number(call.lastEventId) : 0
  let generation = -1
  for (;;) {
    const { release, events, shown } = await ctx.read(async (db) => {
      const one = found(await queries.findRelease(db, input.params.release))
      return {
        release: one,
        events: await queries.listReleaseEvents(db, one.id, sequence, EVENTS_AT_ONCE),
        shown: releaseView(one, await queries.keptIds(db, one.workloadId)),
      }
    })
    for (const event of events.slice(0, EVENTS_AT_ONCE)) {
      sequence = event.sequence
      await send({ id: String(sequence), event: 'event', data: releaseEventView(event) })
    }
    if (release.generation !== generation) await send({ event: 'release', data: shown })
    generation = release.generation
    if (isEnded(release.state) && events.length <= EVENTS_AT_ONCE) return
    await ctx.clock.sleep(FOLLOW_MS, ctx.signal)
  }
}

async function connectionOf(
  ctx: RequestContext,
  ports: ReleasePorts,
  workloadId: string,
): Promise<ClusterConnection> {
  const workload = found(await ctx.read((db) => findWorkload(db, workloadId)))
  return ports.clusters.connect(workload.clusterId)
}

function startRoutes(routes: Routes, ports: ReleasePorts): void {
  routes.onOutside(contract.startRelease, async ({ params, body }, outer, commit) => {
    const connection = await connectionOf(outer, ports, params.workload)
    return commit(async (ctx) => {
      const workload = found(await findWorkload(ctx.db, params.workload))
      const image = await ports.resolveImage(ctx.db, workload.applicationId, body.image)
      if (!image) throw releaseErrors.release_image_unknown({ image: body.image })
      const { plan, instances } = body
      return view(
        ctx,
        await startRelease(ctx, {
          workloadId: workload.id,
          image,
          plan,
          instances,
          connection,
          settlePool: ports.settlePool,
        }),
      )
    })
  })
  routes.onOutside(contract.redeployRelease, async ({ params }, outer, commit) => {
    const release = found(await outer.read((db) => queries.findRelease(db, params.release)))
    const connection = await connectionOf(outer, ports, release.workloadId)
    return commit(async (ctx) =>
      view(ctx, await redeploy(ctx, params.release, { connection, settlePool: ports.settlePool })),
    )
  })
  routes.onOutside(contract.rollBackWorkload, async ({ params, body }, outer, commit) => {
    const connection = await connectionOf(outer, ports, params.workload)
    return commit(async (ctx) =>
      view(
        ctx,
        await rollBack(ctx, {
          workloadId: params.workload,
          releaseId: body.release,
          keepConfiguration: body.keepConfiguration,
          connection,
          settlePool: ports.settlePool,
        }),
      ),
    )
  })
}

function commandRoutes(routes: Routes): void {
  routes.on(contract.scaleWorkload, async ({ params, body }, ctx) =>
    workloadView(await scaleWorkload(ctx, params.workload, { [body.process]: body.instances })),
  )
  routes.on(contract.restartWorkload, async ({ params, body }, ctx) => {
    if (body.process !== undefined) await refuseUnknown(ctx.db, params.workload, [body.process])
    return workloadView(await restartWorkload(ctx, params.workload, body.process))
  })
  routes.on(contract.setPlacement, async ({ params, body }, ctx) =>
    workloadView(await place(ctx, params.workload, body)),
  )
  routes.on(contract.approveRelease, async ({ params, body }, ctx) =>
    view(ctx, await service.approveRelease(ctx, params.release, body)),
  )
  routes.on(contract.pauseRelease, async ({ params }, ctx) =>
    view(ctx, await service.pauseRelease(ctx, params.release)),
  )
  routes.on(contract.resumeRelease, async ({ params }, ctx) =>
    view(ctx, await service.resumeRelease(ctx, params.release)),
  )
  routes.on(contract.abortRelease, async ({ params }, ctx) =>
    view(ctx, await service.goBack(ctx, params.release, 'abort')),
  )
  routes.on(contract.promoteRelease, async ({ params }, ctx) =>
    view(ctx, await service.promoteRelease(ctx, params.release)),
  )
  routes.on(contract.pinRelease, async ({ params, body }, ctx) =>
    view(ctx, await service.pinRelease(ctx, params.release, body.pinned)),
  )
}

function exportRoute(routes: Routes, ports: ReleasePorts): void {
  routes.onOutside(contract.exportWorkload, async ({ params }, ctx) => {
    const { gateway } = await connectionOf(ctx, ports, params.workload)
    return ctx.read(async (db) => {
      const workload = found(await findWorkload(db, params.workload))
      const head = await queries.findHead(db, workload.id)
      const serving = head?.servingId ? await queries.findRelease(db, head.servingId) : undefined
      if (!serving) throw releaseErrors.release_nothing_before()
      const revision = must(
        await findConfigRevision(db, workload.id, serving.configRevision),
        'a release pins a revision that exists',
      )
      const variables = openVariables(ctx.envelope, revision)
      return {
        yaml: exportYaml({
          workload,
          serving,
          variables,
          gateway,
          installationId: ctx.installationId,
          imageAddress: ports.imageAddress,
        }),
      }
    })
  })
}
