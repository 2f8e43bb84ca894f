import { defineErrors } from '@slipway/messages'

export const buildErrors = defineErrors({
  build_ended: { status: 409 },
  build_queue_full: { status: 429 },
  build_link_invalid: { status: 403 },
  build_log_missing: { status: 404 },
  build_package_refused: { status: 422 },
})
