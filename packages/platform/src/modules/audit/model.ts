/** The chain of events that belong to no Organization. */
export const INSTALLATION_CHAIN = 'installation'

/** What happened, by whom, to what; never a secret value. */
export type AuditRecord = {
  readonly id: string
  /** An Organization's id, or `installation`. */
  readonly chain: string
  readonly at: Date
  /** User id, `anonymous` or `system`. */
  readonly actor: string
  readonly actorName: string
  /** `release.start`; for a refused read `read.<endpoint>`. */
  readonly action: string
  /** `<kind>:<id>`, or empty when there is none. */
  readonly target: string
  readonly projectId: string | null
  readonly outcome: 'success' | 'refused' | 'failed'
  readonly code: string | null
  readonly requestId: string
  readonly address: string
  readonly detail: Readonly<Record<string, unknown>>
}

/** A record in its place in the chain. */
export type ChainedEvent = AuditRecord & {
  readonly sequence: number
  readonly previousHash: string
  readonly hash: string
}
