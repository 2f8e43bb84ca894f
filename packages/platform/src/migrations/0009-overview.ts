import { protectTable, type Migration } from '@slipway/db'

import { recording } from './recording.ts'
import { inOrder, statements } from './statements.ts'

const ofWorkload = (column: string): string =>
  `(select w.${column} from app_workload w where w.id = one.workload_id)`

/** How Workloads are, and lists over many of them. */
export const overview: Migration = {
  id: 9,
  name: 'overview',
  up: inOrder(
    statements(
      `create table release_health (
        workload_id text primary key references app_workload (id) on delete cascade, organization_id text not null,
        health text not null, since timestamptz not null, ready int not null, wanted int not null, trouble text not null)`,
      // What was released or built last, over all Workloads and Applications.
      `create index release_release_recent on release_release (created_at desc, id desc)`,
      `create index build_build_recent on build_build (created_at desc, id desc)`,
    ),
    statements(
      ...recording({
        table: 'release_health',
        type: 'workload',
        id: 'one.workload_id',
        project: ofWorkload('project_id'),
        application: ofWorkload('application_id'),
        workload: 'one.workload_id',
      }),
    ),
    (db) => protectTable(db, 'release_health'),
  ),
}
