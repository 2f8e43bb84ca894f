import type { MoveState } from '@slipway/contract'

export type Why = {
  readonly code: string
  readonly params: Readonly<Record<string, string | number | boolean>>
}

/** Instances that leave a node, because it is drained or because it was lost. */
export type Evacuation = {
  readonly id: string
  readonly clusterId: string
  readonly node: string
  readonly kind: 'drain' | 'loss'
  readonly state: 'Running' | 'Done' | 'Cancelled' | 'Expired'
  readonly problem: Why | null
  readonly startedBy: string | null
  readonly startedAt: Date
  readonly deadlineAt: Date | null
  readonly nodeBackAt: Date | null
  readonly endedAt: Date | null
  /** It was cancelled, and its node is to take Instances again; false once it does. */
  readonly uncordon: boolean
  /** Rises with every change. */
  readonly generation: number
}

/** One Instance that leaves. */
export type Move = {
  readonly evacuationId: string
  readonly organizationId: string
  readonly workloadId: string
  readonly process: string
  readonly version: string
  readonly podUid: string
  readonly pod: string
  readonly state: MoveState
  readonly why: Why | null
  readonly toPod: string | null
  readonly toNode: string | null
  readonly changedAt: Date
}

/** A pod of a Workload, anywhere on the Cluster. */
export type Seat = {
  readonly uid: string
  readonly name: string
  readonly namespace: string
  readonly workloadId: string
  readonly organizationId: string
  readonly process: string
  readonly version: string
  readonly node: string | null
  readonly ready: boolean
  /** It is being ended. */
  readonly leaving: boolean
  readonly createdAt: Date
}

/** Which Instances can take each other's place. */
export type Kin = Pick<Seat, 'workloadId' | 'process' | 'version'>

export function kinOf({ workloadId, process, version }: Kin): string {
  return `${workloadId} ${process} ${version}`
}

/** What the Cluster says now. */
export type Scene = {
  readonly node: 'ready' | 'lost' | 'gone'
  /** Every pod that has not ended of the Workloads concerned. */
  readonly seats: readonly Seat[]
  /** How many Instances there should be, by `kinOf`. */
  readonly wanted: ReadonlyMap<string, number>
  /** Builds that run on the node. */
  readonly builds: number
}
