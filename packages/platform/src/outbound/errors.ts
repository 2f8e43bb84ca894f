import { defineErrors } from '@slipway/messages'

export const outboundErrors = defineErrors({
  outbound_unresolved: { status: 422 },
  outbound_forbidden: { status: 422 },
  outbound_private: { status: 422 },
})
