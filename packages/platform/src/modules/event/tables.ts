import type { Change } from '@slipway/contract'
import type { ColumnType } from 'kysely'

/** One row; missing after a crash of the database, which takes the log along. */
export type EventLogTable = {
  readonly single: ColumnType<boolean, never, never>
  readonly id: string
  /** Changes of transactions before this one are forgotten. */
  readonly horizon: string
}
/** Written by triggers only. */
export type EventChangeTable = {
  readonly sequence: number
  readonly transaction: string
  readonly at: Date
  readonly type: Change['type']
  readonly object_id: string
  readonly change: Change['change']
  readonly organization_id: string | null
  readonly project_id: string | null
  readonly application_id: string | null
  readonly workload_id: string | null
}
export type EventTables = {
  readonly event_log: EventLogTable
  readonly event_change: EventChangeTable
}
