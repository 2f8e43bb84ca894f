import type { Plan, ReleaseState, WorkloadHealth, WorkloadTemplate } from '@slipway/contract'

import type { Counts, Goal, Reason, ReleaseEvent, SettledBatch } from './model.ts'

export type ReleaseTable = {
  readonly id: string
  readonly organization_id: string
  readonly project_id: string
  readonly workload_id: string
  readonly number: number
  readonly image: string
  readonly config_revision: number
  readonly template: WorkloadTemplate
  readonly nonce: string
  readonly hash: string
  readonly batches: readonly SettledBatch[]
  readonly plan: Plan
  readonly from_id: string | null
  readonly previous_id: string | null
  readonly state: ReleaseState
  readonly held_from: ReleaseState | null
  readonly goal: Goal
  readonly paused: boolean
  readonly batch: number
  readonly approved_batch: number
  readonly instances: Readonly<Record<string, number>>
  readonly asked: readonly string[]
  readonly demand: number
  /** Null in rows of older versions. */
  readonly old_demand: number | null
  readonly reserve: 'full' | 'lowered'
  readonly probes_passed: number
  readonly weight: number
  readonly counts: Counts
  readonly reason: Reason | null
  readonly served: boolean
  readonly pinned: boolean
  readonly state_since: Date
  readonly batch_since: Date
  readonly generation: number
  readonly created_by: string
  readonly created_at: Date
  readonly ended_at: Date | null
}
export type ReleaseEventTable = {
  readonly release_id: string
  readonly organization_id: string
  readonly sequence: number
  readonly at: Date
  readonly kind: ReleaseEvent['kind']
  readonly batch: number
  readonly actor: string
  readonly code: string
  readonly params: ReleaseEvent['params']
}
export type HeadTable = {
  readonly workload_id: string
  readonly organization_id: string
  readonly serving_id: string | null
  readonly retained_id: string | null
  readonly retained_until: Date | null
  readonly retained_instances: number | null
}
export type HealthTable = {
  readonly workload_id: string
  readonly organization_id: string
  readonly health: WorkloadHealth
  readonly since: Date
  readonly ready: number
  readonly wanted: number
  readonly trouble: string
}
export type ReleaseTables = {
  readonly release_release: ReleaseTable
  readonly release_event: ReleaseEventTable
  readonly release_workload: HeadTable
  readonly release_health: HealthTable
}
