/** Requests of one caller in one minute and class; unlogged: a crash may forget them. */
export type RateTable = {
  readonly key: string
  readonly minute: number
  readonly count: number
}
export type IdempotencyTable = {
  readonly account: string
  readonly key: string
  /** HMAC-SHA-256 over method, path and body. */
  readonly request_hash: string
  readonly status: number
  readonly body: unknown
  readonly created_at: Date
}
export type HttpTables = {
  readonly http_rate: RateTable
  readonly http_idempotency: IdempotencyTable
}
