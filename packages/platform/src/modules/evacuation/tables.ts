import type { MoveState } from '@slipway/contract'

import type { Evacuation, Why } from './model.ts'

export type EvacuationTable = {
  readonly id: string
  readonly cluster_id: string
  readonly node: string
  readonly kind: Evacuation['kind']
  readonly state: Evacuation['state']
  readonly problem: Why | null
  readonly started_by: string | null
  readonly started_at: Date
  readonly deadline_at: Date | null
  readonly node_back_at: Date | null
  readonly ended_at: Date | null
  readonly uncordon: boolean
  readonly generation: number
}
export type MoveTable = {
  readonly evacuation_id: string
  readonly organization_id: string
  readonly workload_id: string
  readonly process: string
  readonly version: string
  readonly pod_uid: string
  readonly pod: string
  readonly state: MoveState
  readonly why: Why | null
  readonly to_pod: string | null
  readonly to_node: string | null
  readonly changed_at: Date
}
export type EvacuationTables = {
  readonly evacuation_run: EvacuationTable
  readonly evacuation_move: MoveTable
}
