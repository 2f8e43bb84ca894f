import { protectTable, type Migration } from '@slipway/db'

import { inOrder, statements } from './statements.ts'

/** Organizations, Projects, Environments, users, roles, audit, requests, leases. */
export const foundation: Migration = {
  id: 1,
  name: 'foundation',
  up: inOrder(
    statements(
      `create table control_setting (key text primary key, value text not null)`,
      `create table control_lease (
      name text primary key, holder text not null, epoch bigint not null, expires_at timestamptz not null)`,

      `create table tenancy_organization (
      id text primary key, slug text not null unique, name text not null,
      parent_id text references tenancy_organization (id), depth int not null check (depth between 0 and 8),
      created_at timestamptz not null)`,
      // Finds the children of an Organization: access is worked out down the tree.
      `create index tenancy_organization_parent on tenancy_organization (parent_id)`,
      `create table tenancy_project (
      id text primary key, organization_id text not null references tenancy_organization (id),
      slug text not null unique, name text not null, created_at timestamptz not null)`,
      // Lists the Projects of an Organization; also what row-level security filters by.
      `create index tenancy_project_organization on tenancy_project (organization_id)`,
      `create table tenancy_environment (
      id text primary key, organization_id text not null references tenancy_organization (id),
      project_id text not null references tenancy_project (id), slug text not null, name text not null,
      cluster_id text not null, created_at timestamptz not null, unique (project_id, slug))`,

      `create table identity_user (
      id text primary key, name text not null unique, display_name text not null, password_hash text not null,
      platform_roles text[] not null, disabled boolean not null default false, created_at timestamptz not null)`,
      `create table identity_session (
      secret_hash text primary key, user_id text not null references identity_user (id) on delete cascade,
      created_at timestamptz not null, used_at timestamptz not null, expires_at timestamptz not null)`,
      // Ends all sessions of a user.
      `create index identity_session_user on identity_session (user_id)`,
      `create table identity_token (
      id text primary key, user_id text not null references identity_user (id) on delete cascade,
      organization_id text references tenancy_organization (id) on delete cascade, name text not null,
      secret_hash text not null unique, created_at timestamptz not null, expires_at timestamptz not null,
      used_at timestamptz)`,
      // Lists the tokens of a user.
      `create index identity_token_user on identity_token (user_id, id)`,
      `create table identity_first_run (secret_hash text primary key, expires_at timestamptz not null)`,

      `create table access_membership (
      user_id text not null references identity_user (id) on delete cascade,
      organization_id text not null references tenancy_organization (id) on delete cascade,
      project_id text not null default '', role text not null check (role in ('owner', 'maintainer', 'developer', 'viewer')),
      created_at timestamptz not null, primary key (user_id, organization_id, project_id))`,
      // Lists the members of an Organization.
      `create index access_membership_organization on access_membership (organization_id, user_id)`,

      `create table audit_chain (chain text primary key, sequence bigint not null, hash text not null)`,
      `create table audit_event (
      chain text not null, sequence bigint not null, id text not null unique, organization_id text, at timestamptz not null,
      actor text not null, actor_name text not null, action text not null, target text not null, project_id text,
      outcome text not null check (outcome in ('success', 'refused', 'failed')), code text, request_id text not null,
      address text not null, detail jsonb not null, previous_hash text not null, hash text not null,
      primary key (chain, sequence))`,
      // Newest first over all chains.
      `create index audit_event_id on audit_event (organization_id, id desc)`,
      // "Who touched this?"
      `create index audit_event_target on audit_event (target, id desc)`,
      `alter table audit_event enable row level security`,
      `create policy audit_event_read on audit_event for select to slipway_app using (
      nullif(current_setting('slipway.organizations', true), '') = '*'
      or organization_id = any (string_to_array(nullif(current_setting('slipway.organizations', true), ''), ',')))`,
      // What belongs to no Organization is recorded in the chain of the installation, which few can read and all extend.
      `create policy audit_event_append on audit_event for insert to slipway_app with check (organization_id is null
        or nullif(current_setting('slipway.organizations', true), '') = '*'
        or organization_id = any (string_to_array(nullif(current_setting('slipway.organizations', true), ''), ',')))`,
      `create policy audit_event_system on audit_event to slipway_system using (true) with check (true)`,
      // Nobody but the owner of the database can rewrite history; the chain shows it when the owner does.
      `revoke update, delete, truncate on audit_event from slipway_app, slipway_system`,

      `create unlogged table http_rate (
      key text not null, minute bigint not null, count int not null, primary key (key, minute))`,
      `create table http_idempotency (
      account text not null, key text not null, request_hash text not null, status int not null, body jsonb,
      created_at timestamptz not null, primary key (account, key))`,
      // Forgets old keys.
      `create index http_idempotency_age on http_idempotency (created_at)`,
    ),
    (db) => protectTable(db, 'tenancy_project'),
    (db) => protectTable(db, 'tenancy_environment'),
  ),
}
