import type { Migration } from '@slipway/db'

import { statements } from './statements.ts'

/** Clusters. */
export const fleet: Migration = {
  id: 2,
  name: 'fleet',
  up: statements(
    `create table fleet_cluster (
      id text primary key, slug text not null unique, name text not null, credentials text not null,
      server text not null, gateway jsonb not null,
      is_default boolean not null default false, created_at timestamptz not null, updated_at timestamptz not null)`,
    // At most one default.
    `create unique index fleet_cluster_default on fleet_cluster (is_default) where is_default`,
    `alter table tenancy_environment add foreign key (cluster_id) references fleet_cluster (id)`,
  ),
}
