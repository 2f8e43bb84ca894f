import { defineErrors } from '@slipway/messages'

export const locationErrors = defineErrors({
  location_slug_taken: { status: 409 },
  location_unknown: { status: 422 },
  location_empty: { status: 422 },
  location_elsewhere: { status: 422 },
  location_not_granted: { status: 422 },
  location_grant_ended: { status: 422 },
  location_until_past: { status: 422 },
  location_in_use: { status: 409 },
  location_default: { status: 409 },
  location_not_restricted: { status: 409 },
  location_asked_already: { status: 409 },
})
