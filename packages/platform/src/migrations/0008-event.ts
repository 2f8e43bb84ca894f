import { protectTable, type Migration } from '@slipway/db'

import { recording, type Recorded } from './recording.ts'
import { inOrder, statements } from './statements.ts'

/*
 * The log of changes behind the event stream, written by triggers: whatever changes a row, by whatever way, is told.
 * Both tables are unlogged: they are for readers who were away for a while, cost no write-ahead log, and a crash of the
 * database empties them together, upon which readers read everything again.
 */
const ofWorkload = (column: string): string =>
  `(select w.${column} from app_workload w where w.id = one.workload_id)`
const ofRelease = (column: string): string =>
  `(select r.${column} from release_release r where r.id = one.release_id)`

const recorded: readonly Recorded[] = [
  { table: 'tenancy_organization', type: 'organization', organization: 'one.id' },
  { table: 'tenancy_project', type: 'project', project: 'one.id' },
  { table: 'tenancy_environment', type: 'environment', project: 'one.project_id' },
  { table: 'access_membership', type: 'member', id: 'one.user_id', project: `nullif(one.project_id, '')` },
  { table: 'app_application', type: 'application', project: 'one.project_id', application: 'one.id' },
  {
    table: 'source_source',
    type: 'source',
    id: 'one.application_id',
    project: 'one.project_id',
    application: 'one.application_id',
  },
  {
    table: 'app_workload',
    type: 'workload',
    project: 'one.project_id',
    application: 'one.application_id',
    workload: 'one.id',
  },
  {
    table: 'release_workload',
    type: 'workload',
    id: 'one.workload_id',
    project: ofWorkload('project_id'),
    application: ofWorkload('application_id'),
    workload: 'one.workload_id',
  },
  { table: 'build_build', type: 'build', project: 'one.project_id', application: 'one.application_id' },
  { table: 'image_image', type: 'image', project: 'one.project_id', application: 'one.application_id' },
  {
    table: 'release_release',
    type: 'release',
    project: 'one.project_id',
    application: ofWorkload('application_id'),
    workload: 'one.workload_id',
  },
  {
    table: 'release_event',
    type: 'release',
    id: 'one.release_id',
    project: ofRelease('project_id'),
    workload: ofRelease('workload_id'),
  },
  { table: 'fleet_cluster', type: 'cluster', organization: 'null' },
  { table: 'identity_user', type: 'user', organization: 'null' },
]

/** What changed, for the event stream. */
export const event: Migration = {
  id: 8,
  name: 'event',
  up: inOrder(
    statements(
      // One row while the log is whole: the log's name, and the transaction before which changes were forgotten.
      `create unlogged table event_log (
        single boolean primary key default true check (single), id text not null, horizon xid8 not null)`,
      `create unlogged table event_change (
        sequence bigint generated always as identity primary key, transaction xid8 not null default pg_current_xact_id(),
        at timestamptz not null default now(), type text not null, object_id text not null, change text not null,
        organization_id text, project_id text, application_id text, workload_id text)`,
      // "What was committed since this snapshot?"
      `create index event_change_transaction on event_change (transaction)`,
      `revoke all on event_log from slipway_app`,
      `revoke insert, update, delete on event_change from slipway_app`,
      `revoke insert, update on event_change from slipway_system`,
      ...recorded.flatMap(recording),
    ),
    (db) => protectTable(db, 'event_change'),
  ),
}
