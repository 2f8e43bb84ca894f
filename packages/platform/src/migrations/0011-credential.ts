import type { Migration } from '@slipway/db'

import { statements } from './statements.ts'

/** How the platform proves itself to a Cluster, and until when. */
export const credential: Migration = {
  id: 11,
  name: 'credential',
  up: statements(
    `alter table fleet_cluster add column credential jsonb not null default '{"kind":"given","expiresAt":null}'`,
  ),
}
