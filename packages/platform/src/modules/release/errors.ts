import { defineErrors } from '@slipway/messages'

export const releaseErrors = defineErrors({
  release_in_progress: { status: 409 },
  release_ended: { status: 409 },
  release_not_waiting: { status: 409 },
  release_going_back: { status: 409 },
  release_not_kept: { status: 422 },
  release_nothing_before: { status: 422 },
  release_not_served: { status: 422 },
  release_batch_empty: { status: 422 },
  release_batch_backwards: { status: 422 },
  release_header_reserved: { status: 422 },
  release_stopped: { status: 422 },
  release_stops: { status: 422 },
  release_image_unknown: { status: 422 },
  release_router_needed: { status: 422 },
  release_no_web: { status: 422 },
  placement_neighbour_unknown: { status: 422 },
  process_unknown: { status: 422 },
})
