import type { ReleaseState, WorkloadHealth } from '@slipway/contract'

import type { Release } from '../model.ts'

/** How a Workload is, as the engine saw it last. */
export type Health = {
  readonly workloadId: string
  readonly organizationId: string
  readonly health: WorkloadHealth
  /** Since when it is so. */
  readonly since: Date
  readonly ready: number
  readonly wanted: number
  readonly trouble: string
}

/** A Release without what is large. */
export type Brief = Pick<
  Release,
  | 'id'
  | 'workloadId'
  | 'number'
  | 'image'
  | 'fromId'
  | 'state'
  | 'paused'
  | 'batch'
  | 'weight'
  | 'counts'
  | 'reason'
  | 'createdBy'
  | 'createdAt'
  | 'stateSince'
  | 'endedAt'
> & {
  /** How many there are. */
  readonly batches: number
}

/** Which Releases a list shows. */
export type BriefFilter = {
  readonly workloads: readonly string[]
  readonly states?: readonly ReleaseState[] | undefined
  /** Only those that have not ended. */
  readonly open?: boolean | undefined
  readonly since?: Date | undefined
  /** Of these Workloads, or with this text in the Image, in lower case. */
  readonly match?: { readonly workloads: readonly string[]; readonly text: string } | undefined
}
