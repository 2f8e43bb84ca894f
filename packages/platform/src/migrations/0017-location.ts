import { protectTable, type Migration } from '@slipway/db'

import { inOrder, statements } from './statements.ts'

/** Where Applications may run, and who may. */
export const location: Migration = {
  id: 17,
  name: 'location',
  up: inOrder(
    statements(
      `create table location_location (
        id text primary key, slug text not null unique, name text not null, is_default boolean not null default false,
        restricted boolean not null default false, created_at timestamptz not null)`,
      // At most one default.
      `create unique index location_location_default on location_location (is_default) where is_default`,
      // Clusters that name no Location are in it.
      `insert into location_location values ('loc_${'0'.repeat(26)}', 'default', 'default', true, false, now())`,
      `create table location_cluster (
        cluster_id text primary key references fleet_cluster (id) on delete cascade,
        location_id text not null references location_location (id))`,
      // Which Clusters are in a Location that is deleted?
      `create index location_cluster_location on location_cluster (location_id)`,
      `create table location_grant (
        id text primary key, organization_id text not null, project_id text not null references tenancy_project (id) on delete cascade,
        location_id text not null references location_location (id) on delete cascade, state text not null, reason text not null,
        requested_by text not null, requested_at timestamptz(3) not null, decided_by text, decided_at timestamptz, comment text not null,
        unique (project_id, location_id))`,
      // The newest requests, over all Projects.
      `create index location_grant_recent on location_grant (requested_at desc, id desc)`,
    ),
    (db) => protectTable(db, 'location_grant'),
  ),
}
