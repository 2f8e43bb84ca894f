import { protectTable, type Migration } from '@slipway/db'

import { inOrder, statements } from './statements.ts'

/** The registry's rows, what builds recorded about Images, robots of namespaces, keys of registry tokens. */
export const image: Migration = {
  id: 5,
  name: 'image',
  up: inOrder(
    statements(
      // Repositories of bases belong to the installation: their organization_id is empty.
      `create table image_repository (
        name text collate "C" primary key, organization_id text not null, project_id text,
        application_id text unique references app_application (id) on delete cascade, created_at timestamptz not null)`,
      `create table image_manifest (
        repository text collate "C" not null references image_repository (name) on delete cascade, digest text collate "C" not null,
        organization_id text not null, media_type text not null, bytes bytea not null, artifact_type text,
        annotations jsonb not null, subject text, blobs text[] not null, children text[] not null,
        pushed_at timestamptz not null, primary key (repository, digest))`,
      // "Does a manifest of this repository need the blob?", "is there an index that names it?"
      `create index image_manifest_blobs on image_manifest using gin (blobs)`,
      `create index image_manifest_children on image_manifest using gin (children)`,
      // Lists referrers.
      `create index image_manifest_subject on image_manifest (repository, subject, digest) where subject is not null`,
      `create table image_tag (
        repository text collate "C" not null, tag text collate "C" not null, organization_id text not null,
        digest text collate "C" not null, primary key (repository, tag),
        foreign key (repository, digest) references image_manifest (repository, digest) on delete cascade)`,
      // "Does a tag hold this manifest?"
      `create index image_tag_digest on image_tag (repository, digest)`,
      `create table image_link (
        repository text collate "C" not null references image_repository (name) on delete cascade,
        digest text collate "C" not null, organization_id text not null, primary key (repository, digest))`,
      // "Which repositories hold this blob?"
      `create index image_link_digest on image_link (digest, repository)`,
      `create table image_upload (
        id text primary key, repository text collate "C" not null references image_repository (name) on delete cascade,
        organization_id text not null, algorithm text not null, size_bytes bigint not null, started_at timestamptz not null,
        claim text, claimed_until timestamptz)`,
      // Finds abandoned uploads.
      `create index image_upload_started on image_upload (started_at)`,
      `create table image_blob (
        digest text collate "C" primary key, state text not null check (state in ('live', 'absent', 'removing')),
        size_bytes bigint not null, protected_until timestamptz, absent_since timestamptz, removing_until timestamptz)`,
      `create table image_review (
        key text primary key, kind text not null, repository text not null, digest text not null,
        review_after timestamptz not null, leased_until timestamptz)`,
      // Takes what is due, oldest first.
      `create index image_review_due on image_review (review_after)`,
      // Whatever removes a link, even the deletion of an Application, leaves the blob to the collector.
      `create function image_link_gone() returns trigger language plpgsql as $$
        begin
          insert into image_review (key, kind, repository, digest, review_after)
            values ('blob ' || old.digest, 'blob', '', old.digest, now()) on conflict (key) do nothing;
          return null;
        end $$`,
      `create trigger image_link_gone after delete on image_link for each row execute function image_link_gone()`,
      `create table image_image (
        id text primary key, organization_id text not null, project_id text not null,
        application_id text not null references app_application (id) on delete cascade,
        repository text collate "C" not null, digest text collate "C" not null, template jsonb not null,
        base text not null, commit_id text, build_id text, size_bytes bigint not null, created_by text not null,
        created_at timestamptz not null, unique (repository, digest),
        foreign key (repository, digest) references image_manifest (repository, digest) on delete cascade)`,
      // Lists the Images of an Application, newest first.
      `create index image_image_application on image_image (application_id, id desc)`,
      // "Which Image did this build make?"
      `create index image_image_build on image_image (build_id) where build_id is not null`,
      `create table image_robot (
        id text primary key, organization_id text not null, project_id text not null references tenancy_project (id) on delete cascade,
        cluster_id text not null, namespace text not null, secret text not null, secret_hash text not null,
        previous_hash text, previous_until timestamptz, rotated_at timestamptz not null, unique (cluster_id, namespace))`,
      `create table image_token_key (id text primary key, sealed text not null, created_at timestamptz not null)`,
    ),
    (db) => protectTable(db, 'image_repository'),
    (db) => protectTable(db, 'image_manifest'),
    (db) => protectTable(db, 'image_tag'),
    (db) => protectTable(db, 'image_link'),
    (db) => protectTable(db, 'image_upload'),
    (db) => protectTable(db, 'image_image'),
    (db) => protectTable(db, 'image_robot'),
  ),
}
