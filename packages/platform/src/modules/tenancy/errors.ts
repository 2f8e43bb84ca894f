import { defineErrors } from '@slipway/messages'

export const tenancyErrors = defineErrors({
  slug_taken: { status: 409 },
  organization_not_empty: { status: 409 },
  organization_too_deep: { status: 422 },
  project_not_empty: { status: 409 },
  environment_not_empty: { status: 409 },
})
