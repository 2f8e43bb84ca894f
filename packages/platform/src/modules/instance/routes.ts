import { contract } from '@slipway/contract'
import { decodeCursor, decodeNumberCursor, pageOf } from '@slipway/kit'

import type { RequestContext } from '../../context.ts'
import { found } from '../../http/errors.ts'
import type { Routes } from '../../http/index.ts'
import type { StreamCall } from '../../http/routes.ts'
import { stampOf } from '../../stamp.ts'
import type { Db } from '../../tables.ts'
import { PROCESS_LABEL, type ClusterPods, type Clusters } from '../fleet/index.ts'
import { refuseUnknown } from '../release/index.ts'
import { instanceErrors } from './errors.ts'
import { decodePositions, streamLogs } from './logs/index.ts'
import { instanceOf } from './manifests.ts'
import { partsOfInstance } from './model.ts'
import { searchInstances, type SearchPorts } from './search.ts'
import * as service from './service.ts'
import { describeTerminal } from './terminal-record.ts'
import { carryTerminal } from './terminal.ts'
import { eventView, instanceView } from './views.ts'

export type InstancePorts = {
  readonly clusters: Clusters
  /** Number of the newest Release of each version of a Workload. */
  readonly findReleaseNumbers: (
    db: Db,
    workloadId: string,
    hashes: readonly string[],
  ) => Promise<ReadonlyMap<string, number>>
  /** The same over Workloads, by `<workload id> <hash>`. */
  readonly findVersionNumbers: SearchPorts['findReleaseNumbers']
  /** All pods of Workloads by Cluster, as last seen. */
  readonly podsSeen: () => readonly ClusterPods[]
}

export function instanceRoutes(routes: Routes, ports: InstancePorts): void {
  routes.on(contract.searchInstances, async ({ query }, ctx) =>
    searchInstances(ctx, { clusters: ports.podsSeen(), findReleaseNumbers: ports.findVersionNumbers }, query),
  )
  readRoutes(routes, ports)
  routes.onOutside(contract.restartInstance, async ({ params }, outer, commit) => {
    const place = await service.placeOf(outer, ports.clusters, workloadIdOf(params.instance))
    const pod = await service.findPod(place, params.instance, outer.signal)
    const reply = await commit(async (ctx) => {
      // Refused only here, so that the same request sent again is answered as the first time.
      const { name, uid } = found(pod).metadata
      ctx.note({ detail: { pod: name, uid } })
      return { id: params.instance }
    })
    if (pod && !outer.dryRun) await service.removePod(place.connection, pod, outer.signal)
    return reply
  })
  routes.onStream(contract.followLogs, (call) => followLogs(call, ports))
  routes.onStream(contract.downloadLogs, (call) => downloadLogs(call, ports))
  routes.onStream(contract.openTerminal, (call) => openTerminal(call, ports), describeTerminal)
}

function workloadIdOf(instance: string): string {
  return partsOfInstance(instance).workloadId
}

function readRoutes(routes: Routes, ports: InstancePorts): void {
  routes.onOutside(contract.listInstances, async ({ params, query }, ctx) => {
    const place = await service.placeOf(ctx, ports.clusters, params.workload)
    const after = query.cursor === undefined ? '' : (decodeCursor(query.cursor, 1)[0] ?? '')
    const { process, version, state, limit } = query
    const pods = await service.podsOf(place, ctx.signal)
    await refuseUnknownProcess(ctx, pods, { workload: params.workload, process })
    const rows = pods
      .map(instanceOf)
      .filter(
        (one) =>
          one.name > after &&
          (process === undefined || one.process === process) &&
          (version === undefined || one.version === version) &&
          (state === undefined || one.state === state),
      )
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .slice(0, limit + 1)
    const hashes = [...new Set(rows.map((one) => one.version))]
    const numbers = await ctx.read((db) => ports.findReleaseNumbers(db, params.workload, hashes))
    const uses = await service.usesOf(place, undefined, ctx)
    return pageOf(
      rows,
      limit,
      (one) => instanceView(one, numbers.get(one.version), uses.get(one.name)),
      (one) => [one.name],
    )
  })
  routes.onOutside(contract.getInstance, async ({ params }, ctx) => {
    const place = await service.placeOf(ctx, ports.clusters, workloadIdOf(params.instance))
    const one = instanceOf(found(await service.findPod(place, params.instance, ctx.signal)))
    const numbers = await ctx.read((db) => ports.findReleaseNumbers(db, place.workload.id, [one.version]))
    const uses = await service.usesOf(place, one.name, ctx)
    return instanceView(one, numbers.get(one.version), uses.get(one.name))
  })
  routes.onOutside(contract.listInstanceEvents, async ({ params, query }, ctx) => {
    const place = await service.placeOf(ctx, ports.clusters, workloadIdOf(params.instance))
    const pod = found(await service.findPod(place, params.instance, ctx.signal))
    const skip = query.cursor === undefined ? 0 : decodeNumberCursor(query.cursor)
    const events = (await service.eventsOf(place, pod, ctx.signal)).slice(skip, skip + query.limit + 1)
    return pageOf(events, query.limit, eventView, () => [String(skip + query.limit)])
  })
}

/** Instances of a process that a version had before are still asked for. @throws {AppError} `process_unknown` */
async function refuseUnknownProcess(
  ctx: RequestContext,
  pods: Awaited<ReturnType<typeof service.podsOf>>,
  { workload, process }: { readonly workload: string; readonly process: string | undefined },
): Promise<void> {
  if (process === undefined) return
  if (pods.some(({ metadata }) => metadata.labels?.[PROCESS_LABEL] === process)) return
  await ctx.read((db) => refuseUnknown(db, workload, [process]))
}

async function followLogs(
  { input, ctx, send, lastEventId }: StreamCall<typeof contract.followLogs>,
  ports: InstancePorts,
): Promise<void> {
  const { params, query } = input
  const place = await service.placeOf(ctx, ports.clusters, params.workload)
  const resume = lastEventId === undefined ? undefined : decodePositions(lastEventId)
  if (lastEventId !== undefined && !resume) throw instanceErrors.log_position_invalid()
  const podName = query.instance === undefined ? undefined : partsOfInstance(query.instance).podName
  if (query.instance !== undefined) {
    found(workloadIdOf(query.instance) === params.workload ? query.instance : undefined)
    found(await service.findPod(place, query.instance, ctx.signal))
  }
  if (query.process !== undefined) {
    const about = { workload: params.workload, process: query.process }
    await refuseUnknownProcess(ctx, await service.podsOf(place, ctx.signal), about)
  }
  try {
    await streamLogs(
      {
        kube: place.connection.kube,
        clock: ctx.clock,
        signal: ctx.signal,
        send,
        pods: async () =>
          (await service.podsOf(place, ctx.signal)).filter(
            ({ metadata }) =>
              (podName === undefined || metadata.name === podName) &&
              (query.process === undefined || metadata.labels?.[PROCESS_LABEL] === query.process),
          ),
      },
      {
        workloadId: params.workload,
        container: query.container,
        since: query.since === undefined ? undefined : stampOf(new Date(query.since)),
        tail: query.tail,
        follow: query.follow === 'true',
        previous: query.previous === 'true',
        filter: query.filter,
        resume,
      },
    )
  } catch (thrown) {
    throw service.refusalOf(thrown)
  }
}

async function downloadLogs(
  { input, ctx, download }: StreamCall<typeof contract.downloadLogs>,
  ports: InstancePorts,
): Promise<void> {
  const { params, query } = input
  const place = await service.placeOf(ctx, ports.clusters, workloadIdOf(params.instance))
  const pod = found(await service.findPod(place, params.instance, ctx.signal))
  const container = service.containerOf(pod, query.container)
  const previous = query.previous === 'true'
  const status = pod.status?.containerStatuses?.find(({ name }) => name === container)
  if (previous && (status?.restartCount ?? 0) === 0)
    throw instanceErrors.instance_never_restarted({ instance: pod.metadata.name })
  const { name, namespace = '' } = pod.metadata
  const body = await service.asked(() =>
    place.connection.kube.logs(
      { name, namespace },
      {
        container,
        previous,
        timestamps: query.timestamps === 'true',
        signal: ctx.signal,
        ...(query.since === undefined ? {} : { sinceTime: new Date(query.since) }),
        ...(query.tail === undefined ? {} : { tailLines: query.tail }),
      },
    ),
  )
  await download({
    contentType: 'text/plain; charset=utf-8',
    fileName: `${name}${previous ? '.previous' : ''}.log`,
    body,
  })
}

async function openTerminal(
  { input, ctx, accept }: StreamCall<typeof contract.openTerminal>,
  ports: InstancePorts,
): Promise<void> {
  const { params, query } = input
  const place = await service.placeOf(ctx, ports.clusters, workloadIdOf(params.instance))
  const pod = found(await service.findPod(place, params.instance, ctx.signal))
  const container = service.containerOf(pod, query.container)
  service.assertStarted(pod, container)
  const { command, columns, rows } = query
  await using session = await service.startCommand(place.connection.kube, pod, {
    container,
    command: command === undefined ? service.SHELL : [command].flat(),
    terminal: query.terminal === 'true',
    stdin: query.input === 'true',
    signal: ctx.signal,
  })
  // Before the first prompt, which is drawn to fit.
  if (columns !== undefined && rows !== undefined) session.resize({ columns, rows })
  await carryTerminal(await accept(), session, ctx.clock)
}
