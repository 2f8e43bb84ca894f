import type { Migration } from '@slipway/db'

import { statements } from './statements.ts'

/** That the node of a cancelled drain takes Instances again is brought about like everything else. */
export const uncordon: Migration = {
  id: 18,
  name: 'uncordon',
  up: statements(
    `alter table evacuation_run add column uncordon boolean not null default false`,
    // What is left to be brought about.
    `create index evacuation_run_uncordon on evacuation_run (id) where uncordon`,
  ),
}
