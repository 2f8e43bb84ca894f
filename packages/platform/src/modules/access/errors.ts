import { defineErrors } from '@slipway/messages'

export const accessErrors = defineErrors({
  member_last_owner: { status: 409 },
  member_role_beyond_own: { status: 403 },
  user_unknown: { status: 422 },
})
