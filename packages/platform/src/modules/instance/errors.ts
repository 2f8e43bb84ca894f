import { defineErrors } from '@slipway/messages'

export const instanceErrors = defineErrors({
  instance_cluster_silent: { status: 503 },
  instance_cluster_refused: { status: 422 },
  instance_not_started: { status: 409 },
  instance_never_restarted: { status: 409 },
  instance_command_refused: { status: 422 },
  instance_container_unknown: { status: 422 },
  log_position_invalid: { status: 400 },
})
