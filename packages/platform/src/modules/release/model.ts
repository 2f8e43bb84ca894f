import type { Plan, ReleaseState, WorkloadTemplate } from '@slipway/contract'

/** A batch with everything settled: Instances of the routed process, traffic in percent. */
export type SettledBatch = {
  readonly instances: number
  /** Share of the new version in percent; what the other processes follow. */
  readonly share: number
  readonly weight: number
  readonly header: { readonly name: string; readonly value: string } | null
  readonly approve: boolean
  readonly soakSeconds: number
}

/** Where a Release is to end: at the new version, or back at the old one, and at whose wish. */
export type Goal = 'forward' | 'abort' | 'rollback'

export type Reason = {
  readonly code: string
  readonly params: Readonly<Record<string, string | number | boolean>>
}

export type Counts = {
  readonly newReady: number
  readonly newWanted: number
  readonly oldReady: number
  readonly oldWanted: number
}

export const noCounts: Counts = { newReady: 0, newWanted: 0, oldReady: 0, oldWanted: 0 }

/** What runs: an Image with its variables and shape. The nonce makes a redeployment another version. */
export type Version = {
  readonly hash: string
  readonly image: string
  readonly configRevision: number
  readonly template: WorkloadTemplate
}

/** One immutable change of a Workload, with the state of its rollout. */
export type Release = Version & {
  readonly id: string
  readonly organizationId: string
  readonly projectId: string
  readonly workloadId: string
  readonly number: number
  readonly nonce: string
  readonly plan: Plan
  readonly batches: readonly SettledBatch[]
  readonly fromId: string | null
  readonly previousId: string | null
  readonly state: ReleaseState
  /** State a held Release was in. */
  readonly heldFrom: ReleaseState | null
  readonly goal: Goal
  readonly paused: boolean
  readonly batch: number
  /** The last batch a person approved; -1 for none. */
  readonly approvedBatch: number
  /** Instances by process that the new version is to end with. A person who scales meanwhile changes them. */
  readonly instances: Readonly<Record<string, number>>
  /** Processes whose count was given with the Release; it becomes the Workload's when the Release is done. */
  readonly asked: readonly string[]
  /** Most Instances of the counted process asked for since it began: nothing shrinks before it ends. */
  readonly demand: number
  /** The same of the old version, whose count is the Workload's and not the Release's. */
  readonly oldDemand: number
  /** Whether the old version is kept whole until the end, or makes way as the traffic leaves it. */
  readonly reserve: 'full' | 'lowered'
  readonly probesPassed: number
  /** Traffic that reaches the new version in percent, by the route's own word; without a route its share of what is ready. */
  readonly weight: number
  readonly counts: Counts
  readonly reason: Reason | null
  /** It carried all traffic once, so one may return to it. */
  readonly served: boolean
  readonly pinned: boolean
  readonly stateSince: Date
  /** Since when the batch is under way; on the way back, since when no traffic reaches the new version. */
  readonly batchSince: Date
  /** Rises with every write: a write by somebody who read an older one is refused. */
  readonly generation: number
  readonly createdBy: string
  readonly createdAt: Date
  readonly endedAt: Date | null
}

/** What serves a Workload, and what is kept ready to return to. */
export type Head = {
  readonly workloadId: string
  readonly organizationId: string
  readonly servingId: string | null
  readonly retainedId: string | null
  readonly retainedUntil: Date | null
  /** Instances of its counted process; null for as many as people ask for now. */
  readonly retainedInstances: number | null
}

export type ReleaseEvent = {
  readonly releaseId: string
  readonly organizationId: string
  readonly sequence: number
  readonly at: Date
  readonly kind: 'state' | 'gate' | 'command' | 'drift' | 'note'
  readonly batch: number
  readonly actor: string
  readonly code: string
  readonly params: Readonly<Record<string, string | number | boolean>>
}

/** Releases one may return to beside those that run or are pinned. */
export const KEPT_RELEASES = 10

const ended: ReadonlySet<ReleaseState> = new Set(['Done', 'RolledBack', 'Aborted', 'Failed'])

export function isEnded(state: ReleaseState): boolean {
  return ended.has(state)
}

/** It is on its way back, or held there because the old version cannot serve yet. */
export function isReturning({ state, heldFrom }: Pick<Release, 'state' | 'heldFrom'>): boolean {
  return state === 'RollingBack' || (state === 'Held' && heldFrom === 'RollingBack')
}

/** How many of the old version's Instances must be ready before it carries the traffic alone: a quarter may be missing. */
export function floorOf(wanted: number): number {
  return wanted - Math.floor(wanted / 4)
}

/**
 * Percent of the traffic for the new version while the old one cannot carry all of it: what the old one lacks, as far as the
 * new one has ready Instances for it.
 */
export function coverOf(counts: {
  readonly wanted: number
  readonly oldReady: number
  readonly newReady: number
}): number {
  const { wanted, oldReady, newReady } = counts
  if (oldReady >= floorOf(wanted)) return 0
  const lent = Math.min(wanted - oldReady, newReady)
  return lent === 0 ? 0 : Math.max(1, Math.round((100 * lent) / (oldReady + lent)))
}

/** Name of the process that gets the traffic; undefined when none answers requests. */
export function routedProcessOf(template: WorkloadTemplate): string | undefined {
  return Object.entries(template.processes).find(([, process]) => process.kind === 'web')?.[0]
}

/** The process that batches count: the routed one, or else the first by name. */
export function countedProcessOf(template: WorkloadTemplate): string {
  return routedProcessOf(template) ?? Object.keys(template.processes).sort()[0] ?? 'web'
}
