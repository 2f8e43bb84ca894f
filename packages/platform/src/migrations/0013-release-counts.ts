import type { Migration } from '@slipway/db'

import { statements } from './statements.ts'

/** How many Instances a Release brings, and how many of the version before it there are and stay. */
export const releaseCounts: Migration = {
  id: 13,
  name: 'release-counts',
  up: statements(
    `alter table release_release add column instances jsonb not null default '{}',
      add column asked text[] not null default '{}', add column old_demand int`,
    `alter table release_workload add column retained_instances int`,
  ),
}
