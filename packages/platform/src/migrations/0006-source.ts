import { protectTable, type Migration } from '@slipway/db'

import { inOrder, statements } from './statements.ts'

/** Where Applications come from. */
export const source: Migration = {
  id: 6,
  name: 'source',
  up: inOrder(
    statements(
      `create table source_source (
        application_id text primary key references app_application (id) on delete cascade, organization_id text not null,
        project_id text not null, url text not null, default_branch text,
        credential_kind text check (credential_kind in ('token', 'ssh-key')), credentials text, username text,
        version int not null, updated_at timestamptz not null)`,
    ),
    (db) => protectTable(db, 'source_source'),
  ),
}
