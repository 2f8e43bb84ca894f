import type { Migration } from '@slipway/db'

import { statements } from './statements.ts'

/** Where the processes of a Workload may run, beside what their Image says. */
export const placement: Migration = {
  id: 20,
  name: 'placement',
  up: statements(`alter table app_workload add column placement jsonb not null default '{}'`),
}
