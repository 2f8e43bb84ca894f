/* Lists over many Workloads: what runs, what waits, what went wrong. */
import type * as views from '@slipway/contract'
import { contract, type InputOf, ReleaseState, TOTAL_MAX, WorkloadHealth } from '@slipway/contract'
import { must, pageOf, sortedPageOf } from '@slipway/kit'

import type { Ctx } from '../../../context.ts'
import type { Routes } from '../../../http/index.ts'
import { placesFor, placeView, type WorkloadPlace } from '../../app/index.ts'
import { isEnded } from '../model.ts'
import type { Brief, BriefFilter, Health } from './model.ts'
import { healthNow } from './plan.ts'
import * as queries from './queries.ts'

/** What the lists need of other modules. */
export type OverviewPorts = {
  /** Whether a Cluster answers, as far as this process knows. */
  readonly isReachable: (clusterId: string) => boolean
}

type State = views.ReleaseState

/** Gates that wait are few; of more than so many the oldest are shown. */
const GATES_MAX = 1_000

export function overviewRoutes(routes: Routes, ports: OverviewPorts): void {
  routes.on(contract.searchWorkloads, async ({ query }, ctx) => searchWorkloads(ctx, ports, query))
  routes.on(contract.searchReleases, async ({ query }, ctx) => searchReleases(ctx, query))
  routes.on(contract.listGates, async ({ query }, ctx) => listGates(ctx, query))
}

function matching(places: readonly WorkloadPlace[], text: string | undefined): readonly WorkloadPlace[] {
  const wanted = text?.toLowerCase()
  return wanted === undefined ? places : places.filter(({ name }) => name.includes(wanted))
}

type WorkloadRow = {
  readonly place: WorkloadPlace
  readonly health: Health | undefined
  /** When its newest Release began; only known where the order asks for it. */
  readonly releasedMs: number
} & ReturnType<typeof healthNow>

async function searchWorkloads(
  ctx: Ctx,
  ports: OverviewPorts,
  query: InputOf<typeof contract.searchWorkloads>['query'],
) {
  const places = matching(await placesFor(ctx, 'project:read', query), query.text)
  const healths = await queries.findHealths(ctx.db, idsOf(places))
  // Releases are read for the page alone, unless they decide what is on it.
  const findAny = query.sort === 'released' ? await queries.findRollouts(ctx.db, idsOf(places)) : undefined
  const rows = places.map((place): WorkloadRow => {
    const health = healths.get(place.id)
    const { active, serving } = findAny?.(place.id) ?? {}
    const releasedMs = (active ?? serving)?.createdAt.getTime() ?? 0
    return { place, health, releasedMs, ...healthNow(health, ports.isReachable(place.clusterId)) }
  })
  const counts = Object.fromEntries(WorkloadHealth.options.map((health) => [health, 0])) as Record<
    views.WorkloadHealth,
    number
  >
  for (const { state } of rows) counts[state] += 1
  const shown = query.health === undefined ? rows : rows.filter(({ state }) => state === query.health)
  const page = sortedPageOf(shown, query, orderOf(query))
  const find = findAny ?? (await queries.findRollouts(ctx.db, idsOf(page.items.map(({ place }) => place))))
  const items = page.items.map((row) => workloadStateView(row, find(row.place.id)))
  return { ...page, items, total: shown.length, counts }
}

function orderOf({ sort, order }: Pick<InputOf<typeof contract.searchWorkloads>['query'], 'sort' | 'order'>) {
  const keys: Readonly<Record<typeof sort, (row: WorkloadRow) => string | number>> = {
    name: ({ place }) => place.name,
    health: ({ state }) => WorkloadHealth.options.indexOf(state),
    released: ({ releasedMs }) => releasedMs,
  }
  return {
    keyOf: keys[sort],
    idOf: ({ place }: WorkloadRow) => place.name,
    descending: order === undefined ? sort === 'released' : order === 'desc',
  }
}

function workloadStateView(row: WorkloadRow, { serving, active }: queries.Rollout): views.WorkloadState {
  return {
    workload: placeView(row.place),
    health: row.state,
    since: row.since?.toISOString() ?? null,
    instances: { ready: row.health?.ready ?? 0, wanted: row.health?.wanted ?? 0 },
    trouble: row.health?.trouble ?? '',
    serving: serving === undefined ? null : briefView(serving),
    active: active === undefined ? null : briefView(active),
    urls: [...row.place.urls],
  }
}

const wrong: readonly State[] = ['Held', 'RollingBack', 'RolledBack', 'Aborted', 'Failed']
const groups: Readonly<Record<views.ReleaseGroup, readonly State[]>> = {
  'under-way': ReleaseState.options.filter((state) => !isEnded(state)),
  wrong,
  done: ['Done'],
}

async function searchReleases(ctx: Ctx, query: InputOf<typeof contract.searchReleases>['query']) {
  const places = await placesFor(ctx, 'project:read', query)
  const text = query.text?.toLowerCase()
  const filter: BriefFilter = {
    workloads: idsOf(places),
    states: statesOf(query),
    // Said beside the states, so that the few that are open are found by their index.
    open: query.group === 'under-way',
    since: query.since === undefined ? undefined : new Date(query.since),
    match: text === undefined ? undefined : { workloads: idsOf(matching(places, text)), text },
  }
  const found = await queries.listBriefs(ctx.db, filter, query)
  const total = await queries.countBriefs(ctx.db, filter, TOTAL_MAX)
  const find = finderOf(places)
  const page = pageOf(
    found,
    query.limit,
    (one) => summaryView(one, find(one)),
    (one) => [one.createdAt.toISOString(), one.id],
  )
  return { ...page, total }
}

function statesOf({
  state,
  group,
}: Pick<InputOf<typeof contract.searchReleases>['query'], 'state' | 'group'>): readonly State[] | undefined {
  const ofGroup = group === undefined ? undefined : groups[group]
  if (state === undefined) return ofGroup
  return ofGroup === undefined || ofGroup.includes(state) ? [state] : []
}

async function listGates(ctx: Ctx, query: InputOf<typeof contract.listGates>['query']) {
  const seen = matching(await placesFor(ctx, 'project:read', query), query.text)
  const mine = new Set(idsOf(await placesFor(ctx, 'release:approve', query)))
  const places = query.for === 'me' ? seen.filter(({ id }) => mine.has(id)) : seen
  const found = await queries.listBriefs(
    ctx.db,
    { workloads: idsOf(places), states: ['WaitPerson'], open: true },
    { limit: GATES_MAX - 1 },
  )
  const page = sortedPageOf(found, query, {
    keyOf: ({ stateSince }) => stateSince.getTime(),
    idOf: ({ id }) => id,
    descending: false,
  })
  const find = finderOf(places)
  return {
    ...page,
    items: page.items.map((one) => ({
      release: summaryView(one, find(one)),
      mayApprove: mine.has(one.workloadId),
    })),
    total: found.length,
  }
}

function idsOf(places: readonly WorkloadPlace[]): readonly string[] {
  return places.map(({ id }) => id)
}

function finderOf(places: readonly WorkloadPlace[]): (one: Brief) => WorkloadPlace {
  const byId = new Map(places.map((place) => [place.id, place]))
  return ({ workloadId }) => must(byId.get(workloadId), 'only Releases of these Workloads were asked for')
}

function briefView(one: Brief): views.ReleaseBrief {
  const { stateSince, workloadId: _, ...brief } = one
  return {
    ...brief,
    counts: { ...brief.counts },
    reason: brief.reason === null ? null : { code: brief.reason.code, params: { ...brief.reason.params } },
    since: stateSince.toISOString(),
    createdAt: brief.createdAt.toISOString(),
    endedAt: brief.endedAt?.toISOString() ?? null,
  }
}

function summaryView(brief: Brief, place: WorkloadPlace): views.ReleaseSummary {
  return { ...briefView(brief), workload: placeView(place) }
}
