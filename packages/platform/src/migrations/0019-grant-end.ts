import type { Migration } from '@slipway/db'

import { statements } from './statements.ts'

/** A Location may be granted until a moment. */
export const grantEnd: Migration = {
  id: 19,
  name: 'grant-end',
  up: statements(`alter table location_grant add column granted_until timestamptz`),
}
