import { protectTable, type Migration } from '@slipway/db'

import { inOrder, statements } from './statements.ts'

/** Releases, their journal, and what serves now. */
export const release: Migration = {
  id: 4,
  name: 'release',
  up: inOrder(
    statements(
      `create table release_release (
        id text primary key, organization_id text not null, project_id text not null,
        workload_id text not null references app_workload (id) on delete cascade, number int not null,
        image text not null, config_revision int not null, template jsonb not null, nonce text not null, hash text not null,
        batches jsonb not null, plan jsonb not null, from_id text, previous_id text, state text not null, held_from text,
        goal text not null, paused boolean not null, batch int not null, approved_batch int not null, demand int not null,
        probes_passed int not null, weight int not null, counts jsonb not null, reason jsonb, served boolean not null,
        pinned boolean not null, state_since timestamptz not null, batch_since timestamptz not null, generation bigint not null,
        created_by text not null, created_at timestamptz not null, ended_at timestamptz, unique (workload_id, number))`,
      // At most one Release of a Workload is under way.
      `create unique index release_release_active on release_release (workload_id) where ended_at is null`,
      `create table release_event (
        release_id text not null references release_release (id) on delete cascade, organization_id text not null,
        sequence int not null, at timestamptz not null, kind text not null, batch int not null, actor text not null,
        code text not null, params jsonb not null, primary key (release_id, sequence))`,
      `create table release_workload (
        workload_id text primary key references app_workload (id) on delete cascade, organization_id text not null,
        serving_id text references release_release (id), retained_id text references release_release (id),
        retained_until timestamptz)`,
    ),
    (db) => protectTable(db, 'release_release'),
    (db) => protectTable(db, 'release_event'),
    (db) => protectTable(db, 'release_workload'),
  ),
}
