/*
 * What should be there, as a pure function of the rollout's state: Instances by version and process, and the traffic between
 * versions. No step relies on the memory of having done something.
 */
import { batchOf } from './plan.ts'
import {
  countedProcessOf,
  coverOf,
  floorOf,
  isEnded,
  isReturning,
  type Release,
  type Version,
} from './model.ts'

export type ShapedVersion = {
  readonly version: Version
  /** Instances by process. */
  readonly instances: ReadonlyMap<string, number>
  /** Percent of the traffic. */
  readonly weight: number
}

export type Shape = {
  readonly versions: readonly ShapedVersion[]
  /** Requests with this header reach the version with this hash, whatever the weights. */
  readonly headers: readonly { readonly name: string; readonly value: string; readonly hash: string }[]
}

export type ShapeInput = {
  /** The release under way, or the last one that failed. */
  readonly active: Release | undefined
  readonly serving: Release | undefined
  readonly retained: Release | undefined
  /** Instances of the kept version's counted process; null for as many as people ask for now. */
  readonly retainedInstances: number | null
  /** Instances asked for by process, beyond what the template says. */
  readonly instances: Readonly<Record<string, number>>
  readonly hasRouter: boolean
  /** Ready Instances of the new version; without a router the old one shrinks only behind them. */
  readonly newReady: number
  /** Ready Instances of the old version; on the way back the new one goes only behind them. */
  readonly oldReady: number
  /** Wanted Instances of the new version's counted process on the cluster now; null when it has no objects. */
  readonly newPresent: number | null
  /** On the way back: nobody reaches the new version any more. */
  readonly drained: boolean
}

/** Header by which the platform itself reaches one version through the route. */
export const VERSION_HEADER = 'slipway-version'

/** Instances of a process that people ask for. */
export function demandOf(
  version: Version,
  process: string,
  instances: Readonly<Record<string, number>>,
): number {
  return instances[process] ?? version.template.processes[process]?.instances ?? 0
}

/** Instances of a process that the new version is to end with. */
export function targetOf(
  release: Version & Pick<Release, 'instances'>,
  process: string,
  instances: Readonly<Record<string, number>>,
): number {
  return release.instances[process] ?? demandOf(release, process, instances)
}

/** Instances of the counted process that people ask for now. */
export function demandNow(version: Version, instances: Readonly<Record<string, number>>): number {
  return demandOf(version, countedProcessOf(version.template), instances)
}

export function shapeOf(input: ShapeInput): Shape {
  const { active, serving, retained } = input
  if (active && !isEnded(active.state) && !isQueued(active)) return rolloutShape(input, active)
  if (!serving) return { versions: [], headers: [] }
  const versions = [whole(serving, input, 100)]
  // A version kept for the return has all its Instances of the routed process and no others.
  if (retained && retained.hash !== serving.hash) versions.push(reserve(retained, serving, input))
  return { versions, headers: [] }
}

/** Nothing of it has begun yet. */
function isQueued({ state, heldFrom }: Release): boolean {
  return state === 'Queued' || (state === 'Held' && heldFrom === 'Queued')
}

function whole(version: Version, input: Pick<ShapeInput, 'instances'>, weight: number): ShapedVersion {
  const counts = Object.keys(version.template.processes).map((process): [string, number] => [
    process,
    demandOf(version, process, input.instances),
  ])
  return { version, instances: new Map(counts), weight }
}

/** The old version after the end: ready to take the traffic back, its workers stopped. */
function reserve(version: Version, serving: Version, input: ShapeInput): ShapedVersion {
  const counted = countedProcessOf(version.template)
  const count =
    input.retainedInstances ??
    Math.max(
      demandOf(serving, countedProcessOf(serving.template), input.instances),
      demandOf(version, counted, input.instances),
    )
  return { version, instances: new Map([[counted, count]]), weight: 0 }
}

function rolloutShape(input: ShapeInput, active: Release): Shape {
  const old = input.serving?.hash === active.hash ? undefined : input.serving
  if (isReturning(active)) return returnShape(input, active, old)
  const batch = batchOf(active)
  const before = active.batches[active.batch - 1]
  const carries =
    active.state === 'Gating' ||
    active.state === 'WaitPerson' ||
    active.state === 'Soak' ||
    active.state === 'Finishing' ||
    (active.state === 'Held' && active.heldFrom !== 'Placing' && active.heldFrom !== 'Warming')
  const weight =
    old === undefined
      ? 100
      : carries
        ? // An old version that is scaled to nothing answers nobody.
          oldDemandOf(input, active, old) === 0
          ? 100
          : batch.weight
        : Math.max(before?.weight ?? 0, lastCover(input, active, old))
  const header = carries ? batch.header : (before?.header ?? null)
  return {
    versions: [
      { version: active, instances: newCounts(input, active, batch.share, batch.instances), weight },
      ...(old === undefined
        ? []
        : [{ version: old, instances: oldCounts(input, active, old), weight: 100 - weight }]),
    ],
    headers: [
      { name: VERSION_HEADER, value: active.hash, hash: active.hash },
      ...(header === null ? [] : [{ name: header.name, value: header.value, hash: active.hash }]),
    ],
  }
}

function newCounts(
  input: ShapeInput,
  active: Release,
  share: number,
  instances: number,
): ReadonlyMap<string, number> {
  const counted = countedProcessOf(active.template)
  return new Map(
    Object.keys(active.template.processes).map((name): [string, number] => {
      // What serves already is released once more: nothing of it goes away in between.
      if (input.serving?.hash === active.hash)
        return [
          name,
          Math.max(
            targetOf(active, name, input.instances),
            demandOf(active, name, input.instances),
            name === counted ? Math.max(active.demand, active.oldDemand) : 0,
          ),
        ]
      if (name === counted) return [name, grown(instances, input, active)]
      return [name, Math.ceil((targetOf(active, name, input.instances) * share) / 100)]
    }),
  )
}

/** More is asked for than when the release began: both versions grow in the present ratio. */
function grown(instances: number, input: ShapeInput, active: Release): number {
  const settledFor = active.batches.at(-1)?.instances ?? active.demand
  const demand = Math.max(active.demand, targetOf(active, countedProcessOf(active.template), input.instances))
  return settledFor === 0 ? Math.max(instances, demand) : Math.ceil((instances * demand) / settledFor)
}

/** Instances of its counted process that the old version goes on with: its own count, which never shrinks during a release. */
function oldDemandOf(input: ShapeInput, active: Release, old: Version): number {
  return Math.max(active.oldDemand, demandOf(old, countedProcessOf(old.template), input.instances))
}

/** Instances of the old version that stay whatever is ready of the new one. */
function keptOf({ hasRouter }: ShapeInput, { reserve, weight }: Release, demand: number): number {
  if (!hasRouter) return 0
  // It goes only as far as the route has confirmed that the traffic left it.
  return reserve === 'full' ? demand : Math.ceil((demand * (100 - weight)) / 100)
}

function oldCounts(input: ShapeInput, active: Release, old: Version): ReadonlyMap<string, number> {
  const { share, instances } = batchOf(active)
  const counted = countedProcessOf(old.template)
  const replaced = Math.min(input.newReady, grown(instances, input, active))
  return new Map(
    Object.keys(old.template.processes).map((name): [string, number] => {
      const demand = name === counted ? oldDemandOf(input, active, old) : demandOf(old, name, input.instances)
      // With a router the whole old version is the reserve for the way back, if the Cluster has room for that.
      if (name === counted) return [name, Math.max(keptOf(input, active, demand), demand - replaced)]
      return [name, demand - Math.ceil((demand * share) / 100)]
    }),
  )
}

/**
 * On its way to all of the traffic, a version that people reach already goes on with what the old one cannot carry; so a
 * person who keeps the new version, because the old one does not get ready, does not cause an outage by that.
 */
function lastCover(input: ShapeInput, active: Release, old: Version): number {
  if (!input.hasRouter || active.weight === 0 || batchOf(active).weight < 100) return 0
  const wanted = oldDemandOf(input, active, old)
  return coverOf({ wanted, oldReady: input.oldReady, newReady: input.newReady })
}

/** Traffic first, Instances second: the new version stays until the old one carries the traffic. */
function returnShape(input: ShapeInput, active: Release, old: Version | undefined): Shape {
  if (old === undefined)
    return input.serving
      ? { versions: [whole(input.serving, input, 100)], headers: [] }
      : { versions: [], headers: [] }
  const restored = whole(old, input, 100)
  const wanted = restored.instances.get(countedProcessOf(old.template)) ?? 0
  const { newPresent, oldReady, newReady, hasRouter } = input
  const missing = Math.max(0, wanted - oldReady)
  const isEnough = hasRouter ? oldReady >= floorOf(wanted) : missing === 0
  if (newPresent === null || (isEnough && input.drained)) return { versions: [restored], headers: [] }
  // Without a router both versions answer side by side, so each ready Instance of the old one replaces one of the new.
  const staying = hasRouter || missing === 0 ? newPresent : Math.min(newPresent, missing)
  const weight = coverOf({ wanted, oldReady, newReady })
  return {
    versions: [
      { ...restored, weight: 100 - weight },
      { version: active, instances: new Map([[countedProcessOf(active.template), staying]]), weight },
    ],
    headers: [],
  }
}
