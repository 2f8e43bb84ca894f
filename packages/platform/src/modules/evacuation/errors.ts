import { defineErrors } from '@slipway/messages'

export const evacuationErrors = defineErrors({
  node_draining: { status: 409 },
  evacuation_over: { status: 409 },
  evacuation_not_drain: { status: 409 },
  node_rights_missing: { status: 422 },
  /** Why an Instance does not leave yet. */
  evacuation_not_whole: { status: 409 },
  evacuation_budget: { status: 409 },
})
