import type { Client } from '@slipway/sdk'

/** A Plan as a request gives it, where everything has a default. */
export type RequestPlan = NonNullable<Parameters<Client['startRelease']>[0]['plan']>
export type RequestBatch = RequestPlan['batches'][number]
