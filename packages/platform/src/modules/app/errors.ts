import { defineErrors } from '@slipway/messages'

export const appErrors = defineErrors({
  slug_taken: { status: 409 },
  application_not_empty: { status: 409 },
  workload_exists: { status: 409 },
  workload_deleting: { status: 409 },
  environment_elsewhere: { status: 422 },
  variables_too_many: { status: 422 },
  variable_reserved: { status: 422 },
  variable_unknown: { status: 422 },
  variables_unchanged: { status: 422 },
})
