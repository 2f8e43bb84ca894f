import type { Migration } from '@slipway/db'

import { statements } from './statements.ts'

/** Whether a Release keeps the old version whole. */
export const releaseReserve: Migration = {
  id: 16,
  name: 'release-reserve',
  up: statements(`alter table release_release add column reserve text not null default 'full'`),
}
