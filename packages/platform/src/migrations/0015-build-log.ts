import { protectTable, type Migration } from '@slipway/db'

import { inOrder, statements } from './statements.ts'

/** Logs of builds, and what of them is coming in, where every replica finds them. */
export const buildLog: Migration = {
  id: 15,
  name: 'build-log',
  up: inOrder(
    statements(
      `create table build_log (
        build_id text primary key references build_build (id) on delete cascade, organization_id text not null,
        size_bytes int not null, last_pod_time text, updated_at timestamptz not null)`,
      // What is old enough to be forgotten.
      `create index build_log_age on build_log (updated_at)`,
      `create table build_log_part (
        build_id text not null references build_log (build_id) on delete cascade, organization_id text not null,
        end_bytes int not null, content bytea not null, primary key (build_id, end_bytes))`,
      `create table build_transfer (
        build_id text not null references build_build (id) on delete cascade, kind text not null,
        organization_id text not null, until timestamptz not null, primary key (build_id, kind))`,
    ),
    (db) => protectTable(db, 'build_log'),
    (db) => protectTable(db, 'build_log_part'),
    (db) => protectTable(db, 'build_transfer'),
  ),
}
