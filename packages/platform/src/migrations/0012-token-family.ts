import type { Migration } from '@slipway/db'

import { statements } from './statements.ts'

/** A token that was made with a token goes with it. */
export const tokenFamily: Migration = {
  id: 12,
  name: 'token-family',
  up: statements(
    `alter table identity_token add column made_with text references identity_token (id) on delete cascade`,
    // Revoking a token looks for those made with it.
    `create index identity_token_made_with on identity_token (made_with) where made_with is not null`,
  ),
}
