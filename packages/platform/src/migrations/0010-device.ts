import type { Migration } from '@slipway/db'

import { statements } from './statements.ts'

/** Sign-ins of programs without a browser. */
export const device: Migration = {
  id: 10,
  name: 'device',
  up: statements(
    `create table identity_device (
      device_hash text primary key, user_code text not null unique, client text not null, address text not null,
      state text not null check (state in ('pending', 'approved', 'denied')),
      user_id text references identity_user (id) on delete cascade, interval_seconds int not null,
      polled_at timestamptz, created_at timestamptz not null, expires_at timestamptz not null)`,
    // Forgets what has expired.
    `create index identity_device_expires on identity_device (expires_at)`,
  ),
}
