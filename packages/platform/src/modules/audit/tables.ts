export type AuditEventTable = {
  readonly chain: string
  readonly sequence: number
  readonly id: string
  readonly organization_id: string | null
  readonly at: Date
  readonly actor: string
  readonly actor_name: string
  readonly action: string
  readonly target: string
  readonly project_id: string | null
  readonly outcome: 'success' | 'refused' | 'failed'
  readonly code: string | null
  readonly request_id: string
  readonly address: string
  readonly detail: Readonly<Record<string, unknown>>
  readonly previous_hash: string
  readonly hash: string
}
export type AuditChainTable = {
  readonly chain: string
  readonly sequence: number
  /** `<hash of the last event>.<seal of the head>` */
  readonly hash: string
}
export type AuditTables = {
  readonly audit_event: AuditEventTable
  readonly audit_chain: AuditChainTable
}
