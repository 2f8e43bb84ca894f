import type { AppManifest, BuildState, WorkloadTemplate } from '@slipway/contract'

import type { Language, Reason, Report } from './model.ts'

export type BuildTable = {
  readonly id: string
  readonly organization_id: string
  readonly project_id: string
  readonly application_id: string
  readonly number: number
  readonly ref: string
  readonly commit_id: string
  readonly is_default_branch: boolean
  readonly cluster_id: string
  readonly namespace: string
  readonly state: BuildState
  readonly attempt: number
  readonly manifest: AppManifest | null
  readonly language: Language | null
  readonly base: string | null
  readonly template: WorkloadTemplate | null
  readonly job_made: boolean
  readonly source_taken: boolean
  readonly isolation: string | null
  readonly progress: string
  readonly report: Report | null
  readonly image: string | null
  readonly reason: Reason | null
  readonly cancel_requested: boolean
  readonly cleaned: boolean
  readonly generation: number
  readonly created_by: string
  readonly created_at: Date
  readonly started_at: Date | null
  readonly ended_at: Date | null
}
export type BuildLogTable = {
  readonly build_id: string
  readonly organization_id: string
  readonly size_bytes: number
  readonly last_pod_time: string | null
  readonly updated_at: Date
}
export type BuildLogPartTable = {
  readonly build_id: string
  readonly organization_id: string
  /** Offset in the log after this part. */
  readonly end_bytes: number
  readonly content: Buffer
}
export type BuildTransferTable = {
  readonly build_id: string
  readonly kind: string
  readonly organization_id: string
  readonly until: Date
}
export type BuildTables = {
  readonly build_build: BuildTable
  readonly build_log: BuildLogTable
  readonly build_log_part: BuildLogPartTable
  readonly build_transfer: BuildTransferTable
}
