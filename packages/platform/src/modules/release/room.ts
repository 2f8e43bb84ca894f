/* The moments of a rollout at which most of it is there, and whether its Cluster has room for them. */
import { eachObject, hasReason, type Live } from '@slipway/kube'

import type { ControlContext } from '../../control/index.ts'
import { partsOf, type Workload } from '../app/index.ts'
import { hasEnded, type ClusterConnection } from '../fleet/index.ts'
import {
  judgeCapacity,
  needsText,
  type Capacity,
  type Gone,
  type Moment,
  type Need,
  type Reserve,
  type Verdict,
} from './capacity.ts'
import type { Tenant } from './fitting.ts'
import { labels, type PodTemplate } from './manifests.ts'
import { countedProcessOf, type Release, type SettledBatch, type Version } from './model.ts'
import { batchOf } from './plan.ts'
import { demandOf, targetOf } from './shape.ts'
import type { State } from './state.ts'

type Pod = Live<'pods'>

/** What the measure looks at of a rollout: its own, or another one that was let through already. */
export type Bringing = {
  readonly workload: Workload
  readonly active: Release
  readonly hasRouter: boolean
  /** The pod of each process of the new version. */
  readonly pods: ReadonlyMap<string, PodTemplate>
}
type Rollout = Bringing & { readonly state: State }

export async function measureCapacity(
  { signal }: Pick<ControlContext, 'signal'>,
  { kube }: Pick<ClusterConnection, 'kube'>,
  { rollout, others }: { readonly rollout: Rollout; readonly others: readonly Bringing[] },
): Promise<Capacity> {
  const nodes: Live<'nodes'>[] = []
  const pods: Pod[] = []
  try {
    for await (const node of eachObject(kube, 'nodes', { signal })) nodes.push(node)
    for await (const pod of eachObject(kube, 'pods', { signal })) pods.push(pod)
  } catch (thrown) {
    if (hasReason(thrown, 'Forbidden')) return { kind: 'unknown' }
    throw thrown
  }
  const promised = others.flatMap((other) => promisedNeeds(other, pods))
  return weigh(rollout, { nodes, pods, promised })
}

function weigh(
  rollout: Rollout,
  seen: Pick<Parameters<typeof judgeCapacity>[0], 'nodes' | 'pods' | 'promised'>,
): Capacity {
  const { workload } = rollout
  const judge = (reserve: Reserve): Verdict =>
    judgeCapacity({ ...seen, workloadId: workload.id, moments: momentsOf(rollout, seen.pods, reserve) })
  const needs = needsText(wholeNeeds(rollout, seen.pods))
  const whole = judge('full')
  if (whole.fits) return { kind: 'fits', reserve: 'full', needs }
  const lowerFits = judge('lowered').fits
  if (lowerFits && rollout.active.plan.capacity === 'lower')
    return { kind: 'fits', reserve: 'lowered', needs }
  const excluded = whole.excluded.map((one) => ({ ...one, what: nameOf(rollout, one.what) }))
  return { kind: 'short', short: { ...whole, excluded }, needs, lowerFits }
}

/** Workloads are told by the names by which the placement calls them. */
function nameOf({ active, workload }: Bringing, what: string): string {
  if (what === workload.id) return partsOf(workload).application
  const named = Object.entries(active.template.neighbours ?? {})
  return named.find(([, neighbour]) => neighbour.workload === what)?.[0] ?? what
}

/** What a Release that was let through may still bring: all of it where both versions stand side by side, else its batch. */
export function promisedNeeds(other: Bringing, pods: readonly Pod[]): Need[] {
  const { active, workload, hasRouter } = other
  const counted = countedProcessOf(active.template)
  const keepsWhole = hasRouter && active.reserve === 'full'
  return needsOf(other, pods, (process) => {
    if (process === counted) return keepsWhole ? active.demand : batchOf(active).instances
    return keepsWhole ? targetOf(active, process, workload.instances) : 0
  })
}

function wholeNeeds(rollout: Bringing, pods: readonly Pod[]): Need[] {
  const { active, workload } = rollout
  const counted = countedProcessOf(active.template)
  return needsOf(rollout, pods, (process) =>
    process === counted ? active.demand : targetOf(active, process, workload.instances),
  )
}

/** What of the new version is not there yet. */
function needsOf(
  { active, workload, pods: templates }: Bringing,
  pods: readonly Pod[],
  countOf: (process: string) => number,
): Need[] {
  const isHere = (pod: Pod): boolean =>
    pod.metadata.labels?.[labels.workload] === workload.id &&
    pod.metadata.labels[labels.version] === active.hash &&
    pod.metadata.deletionTimestamp === undefined &&
    !hasEnded(pod)
  const here = pods.filter(isHere).map(({ metadata }) => metadata.labels?.[labels.process])
  return [...templates].map(([process, { metadata, spec }]) => ({
    process,
    pod: { namespace: workload.namespace, labels: metadata.labels, spec } satisfies Tenant,
    count: Math.max(0, countOf(process) - here.filter((one) => one === process).length),
  }))
}

/** Where the old version is kept whole there is one moment: both versions whole. Else each batch is one. */
export function momentsOf(rollout: Rollout, pods: readonly Pod[], reserve: Reserve): readonly Moment[] {
  const { active, state } = rollout
  const old = state.serving?.hash === active.hash ? undefined : state.serving
  const always = [...keptGone(state, active), ...followersGone(rollout, old)]
  const keepsWhole = rollout.hasRouter && reserve === 'full'
  if (keepsWhole || old === undefined) return [{ needs: wholeNeeds(rollout, pods), gone: always }]
  const counted = countedProcessOf(active.template)
  const { instances } = state.workload
  return active.batches.map((batch, index) => {
    const count = leavingOf(rollout, active.batches[index - 1])
    const gone = count === 0 ? [] : [{ hash: old.hash, process: countedProcessOf(old.template), count }]
    const needs = needsOf(rollout, pods, (process) =>
      process === counted ? batch.instances : targetOf(active, process, instances),
    )
    return { needs, gone: [...always, ...gone] }
  })
}

/** Instances of the old version that are gone when a batch has its traffic. */
function leavingOf({ active, hasRouter }: Rollout, batch: SettledBatch | undefined): number {
  if (batch === undefined) return 0
  const carrying = hasRouter ? Math.ceil((active.oldDemand * (100 - batch.weight)) / 100) : 0
  return Math.min(batch.instances, active.oldDemand - carrying)
}

/** What was kept for the way back to a version before goes when the rollout begins. */
function keptGone({ retained }: State, active: Release): Gone[] {
  if (!retained || retained.hash === active.hash) return []
  return Object.keys(retained.template.processes).map((process) => ({
    hash: retained.hash,
    process,
    count: Number.MAX_SAFE_INTEGER,
  }))
}

/** Processes that no traffic reaches change over in step: as many go as come. */
function followersGone({ state }: Rollout, old: Version | undefined): Gone[] {
  if (!old) return []
  return Object.keys(old.template.processes)
    .filter((process) => process !== countedProcessOf(old.template))
    .map((process) => ({
      hash: old.hash,
      process,
      count: demandOf(old, process, state.workload.instances),
    }))
}
