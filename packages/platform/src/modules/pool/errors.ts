import { defineErrors } from '@slipway/messages'

export const poolErrors = defineErrors({
  pool_slug_taken: { status: 409 },
  pool_unknown: { status: 422 },
  pool_node_unknown: { status: 422 },
  pool_node_taken: { status: 409 },
  pool_node_by_labels: { status: 409 },
  pool_nodes_many: { status: 422 },
  pool_deleting: { status: 409 },
  pool_in_use: { status: 409 },
  pool_rented: { status: 409 },
  pool_rented_elsewhere: { status: 422 },
  pool_not_rented: { status: 409 },
  pool_holds_strangers: { status: 409 },
  pool_default_taken: { status: 409 },
  rent_in_past: { status: 422 },
  /** Why the nodes of a Pool are not as they should be. */
  pool_rights_missing: { status: 422 },
  pool_nodes_missing: { status: 422 },
  pool_nodes_contested: { status: 422 },
})
