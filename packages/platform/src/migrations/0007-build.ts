import { protectTable, type Migration } from '@slipway/db'

import { inOrder, statements } from './statements.ts'

/** Builds. */
export const build: Migration = {
  id: 7,
  name: 'build',
  up: inOrder(
    statements(
      `create table build_build (
        id text primary key, organization_id text not null, project_id text not null,
        application_id text not null references app_application (id) on delete cascade, number int not null,
        ref text not null, commit_id text not null, is_default_branch boolean not null, cluster_id text not null,
        namespace text not null, state text not null, attempt int not null, manifest jsonb, language text, base text,
        template jsonb, job_made boolean not null, source_taken boolean not null, isolation text, progress text not null, report jsonb, image text, reason jsonb,
        cancel_requested boolean not null, cleaned boolean not null, generation bigint not null, created_by text not null,
        created_at timestamptz not null, started_at timestamptz, ended_at timestamptz, unique (application_id, number))`,
      // What the reconciler has to look after, oldest first.
      `create index build_build_open on build_build (created_at) where not cleaned`,
      // Waiting and running builds of a Project.
      `create index build_build_project on build_build (project_id, created_at) where ended_at is null`,
    ),
    (db) => protectTable(db, 'build_build'),
  ),
}
