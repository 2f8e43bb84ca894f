import type { Migration } from '@slipway/db'

import { statements } from './statements.ts'

/** Nodes under one name, and which Project has them to itself until when. */
export const pool: Migration = {
  id: 21,
  name: 'pool',
  up: statements(
    // Where people want a Workload to run; null for where its slipway.yaml or its Project says, else anywhere.
    `alter table app_workload add column pool text`,
    `create table pool_pool (
      id text primary key, cluster_id text not null references fleet_cluster (id) on delete cascade, slug text not null,
      name text not null, exclusive boolean not null, selector jsonb, nodes text[] not null, members jsonb not null,
      problem jsonb, deleting boolean not null, created_at timestamptz not null, unique (cluster_id, slug))`,
    // All Pools by name.
    `create index pool_pool_slug on pool_pool (slug, id)`,
    `create table pool_rent (
      id text primary key, pool_id text not null references pool_pool (id) on delete cascade,
      cluster_id text not null references fleet_cluster (id) on delete cascade, organization_id text not null,
      project_id text not null references tenancy_project (id) on delete cascade, is_default boolean not null,
      comment text not null, rented_by text not null, rented_from timestamptz not null,
      rented_until timestamptz(3) not null, ended_at timestamptz)`,
    // One rent of a Pool at a time; and one default of a Project on a Cluster.
    `create unique index pool_rent_open on pool_rent (pool_id) where ended_at is null`,
    `create unique index pool_rent_default on pool_rent (cluster_id, project_id) where ended_at is null and is_default`,
    // The latest end, over all Pools.
    `create index pool_rent_until on pool_rent (rented_until desc, id desc)`,
  ),
}
