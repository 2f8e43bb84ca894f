import type { Change, ChangeType, Permission, TopicKind } from '@slipway/contract'

export type { Change }

/**
 * Where a reader is: the log's name and what the database had committed then, as PostgreSQL writes a snapshot
 * (`xmin:xmax:running,…`). Numbers alone would not do: transactions commit in another order than they began.
 */
export type Cursor = { readonly log: string; readonly snapshot: string }

/** What a reader asked for. */
export type Subscription = {
  /** Ids of objects, empty for everything. */
  readonly topics: readonly Topic[]
  readonly types: ReadonlySet<ChangeType> | undefined
}
export type Topic = { readonly text: string; readonly kind: TopicKind; readonly id: string }

/** What it takes to be told of a change, asked at the object's place; null: an account is enough, as for reading it. */
export const permissionOf: Readonly<Record<ChangeType, Permission | null>> = {
  organization: 'organization:read',
  project: 'project:read',
  environment: 'project:read',
  member: 'member:read',
  application: 'project:read',
  source: 'source:read',
  workload: 'project:read',
  build: 'project:read',
  image: 'image:pull',
  release: 'project:read',
  instances: 'project:read',
  cluster: null,
  user: 'user:read',
}

/** A change and the transaction that made it; null for what is not in the log. */
export type Logged = { readonly change: Change; readonly transaction: bigint | null }

/** What happened since the last batch, to every reader. `reset`: what happened is not known in full. */
export type Batch = {
  readonly changes: readonly Logged[]
  readonly cursor: Cursor
  readonly reset: boolean
}
