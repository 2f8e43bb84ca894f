import { defineErrors } from '@slipway/messages'

/** Refusals of `npm start` itself; all are met by the one who operates it. */
export const launcherErrors = defineErrors({
  port_taken: { status: 500 },
  /** Below 1024, for an ordinary account. */
  port_not_allowed: { status: 500 },
  certificate_unusable: { status: 500 },
  listen_address_unknown: { status: 500 },
  database_owner_url_missing: { status: 500 },
  /** A child said that it cannot run, or ended before it was ready. */
  part_failed: { status: 500 },
  part_slow: { status: 500 },
  /** A child ended more often than it is started again. */
  part_gave_up: { status: 500 },
})
