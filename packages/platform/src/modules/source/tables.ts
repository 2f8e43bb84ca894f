export type SourceTable = {
  readonly application_id: string
  readonly organization_id: string
  readonly project_id: string
  readonly url: string
  readonly default_branch: string | null
  readonly credential_kind: 'token' | 'ssh-key' | null
  /** Sealed. */
  readonly credentials: string | null
  readonly username: string | null
  readonly version: number
  readonly updated_at: Date
}
export type SourceTables = { readonly source_source: SourceTable }
