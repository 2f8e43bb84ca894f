import { protectTable, type Migration } from '@slipway/db'

import { inOrder, statements } from './statements.ts'

/** Applications, their Workloads, revisions of variables. */
export const app: Migration = {
  id: 3,
  name: 'app',
  up: inOrder(
    statements(
      `create table app_application (
        id text primary key, organization_id text not null references tenancy_organization (id),
        project_id text not null references tenancy_project (id), slug text not null, name text not null,
        created_at timestamptz not null, unique (project_id, slug))`,
      // Numbers Workloads; ports of their own follow from it.
      `create sequence app_workload_ordinal`,
      `create table app_workload (
        id text primary key, organization_id text not null references tenancy_organization (id),
        project_id text not null references tenancy_project (id),
        application_id text not null references app_application (id),
        environment_id text not null references tenancy_environment (id), cluster_id text not null references fleet_cluster (id),
        name text not null unique, namespace text not null, instances jsonb not null, restarts jsonb not null,
        config_revision int not null, keep_seconds int not null, urls text[] not null, deleting boolean not null,
        generation bigint not null,
        ordinal bigint not null default nextval('app_workload_ordinal'), created_at timestamptz not null,
        unique (application_id, environment_id))`,
      // Lists and "does anything still run here?" by Project and by Environment.
      `create index app_workload_project on app_workload (project_id, name)`,
      `create index app_workload_environment on app_workload (environment_id)`,
      `create table app_config_revision (
        workload_id text not null references app_workload (id) on delete cascade, organization_id text not null,
        revision int not null, variables jsonb not null, comment text not null, created_by text not null,
        created_at timestamptz not null, primary key (workload_id, revision))`,
      `grant usage on sequence app_workload_ordinal to slipway_app, slipway_system`,
      // Revisions are immutable; they go only together with their Workload.
      `revoke update on app_config_revision from slipway_app, slipway_system`,
    ),
    (db) => protectTable(db, 'app_application'),
    (db) => protectTable(db, 'app_workload'),
    (db) => protectTable(db, 'app_config_revision'),
  ),
}
