import type { Placement } from '@slipway/contract'
import type { Generated } from 'kysely'

import type { StoredVariable } from './model.ts'

export type ApplicationTable = {
  readonly id: string
  readonly organization_id: string
  readonly project_id: string
  readonly slug: string
  readonly name: string
  readonly created_at: Date
}
export type WorkloadTable = {
  readonly id: string
  readonly organization_id: string
  readonly project_id: string
  readonly application_id: string
  readonly environment_id: string
  readonly cluster_id: string
  readonly name: string
  readonly namespace: string
  readonly instances: Readonly<Record<string, number>>
  /** By process: when people last asked for fresh Instances. */
  readonly restarts: Readonly<Record<string, string>>
  /** By process. */
  readonly placement: Generated<Readonly<Record<string, Placement>>>
  readonly pool: string | null
  readonly config_revision: number
  readonly keep_seconds: number
  readonly urls: string[]
  readonly deleting: boolean
  readonly generation: number
  readonly ordinal: Generated<number>
  readonly created_at: Date
}
export type ConfigRevisionTable = {
  readonly workload_id: string
  readonly organization_id: string
  readonly revision: number
  readonly variables: readonly StoredVariable[]
  readonly comment: string
  readonly created_by: string
  readonly created_at: Date
}
export type AppTables = {
  readonly app_application: ApplicationTable
  readonly app_workload: WorkloadTable
  readonly app_config_revision: ConfigRevisionTable
}
