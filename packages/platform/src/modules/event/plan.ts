import type { Change, ChangeType, TopicKind } from '@slipway/contract'

import { decide, type Access } from '../access/index.ts'
import { permissionOf, type Cursor, type Subscription, type Topic } from './model.ts'

/*
 * Decides who is told what. Changes are names without data, so several of one object are as good as the last of them: what a
 * slow reader has not taken yet is kept by object, and is bounded.
 */

const CURSOR = /^([a-z0-9_]{1,40})\.((\d{1,19}):(\d{1,19}):((?:\d{1,19},)*\d{1,19})?)$/u
/** A cursor travels as a header, whose size is limited. */
const SNAPSHOT_LENGTH_MAX = 2_000
const XID_MAX = 2n ** 63n - 1n

/** Reads a cursor; undefined when it is not one that this platform could have given out. */
export function parseCursor(text: string): Cursor | undefined {
  const match = text.length > SNAPSHOT_LENGTH_MAX + 41 ? null : CURSOR.exec(text)
  if (!match) return undefined
  const [, log = '', snapshot = '', low = '', high = '', list] = match
  const [min, max] = [BigInt(low), BigInt(high)]
  if (min < 1n || min > max || max > XID_MAX) return undefined
  let last = min - 1n
  for (const part of list === undefined ? [] : list.split(',')) {
    const running = BigInt(part)
    if (running <= last || running >= max) return undefined
    last = running
  }
  return { log, snapshot }
}

/** The cursor as text. One with very many running transactions is set back to before all of them, which repeats some changes. */
export function cursorText({ log, snapshot }: Cursor): string {
  const [min = ''] = snapshot.split(':', 1)
  return `${log}.${snapshot.length > SNAPSHOT_LENGTH_MAX ? `${min}:${min}:` : snapshot}`
}

/** A snapshot as PostgreSQL means it: which transactions had ended when it was taken. */
export type Snapshot = { readonly endBefore: bigint; readonly hasEnded: (transaction: bigint) => boolean }

/** @param text - `xmin:xmax:running,…` */
export function snapshotOf(text: string): Snapshot {
  const [min = '0', max = '0', list = ''] = text.split(':', 3)
  const [first, endBefore] = [BigInt(min), BigInt(max)]
  const running = new Set(list === '' ? [] : list.split(',').map(BigInt))
  return {
    endBefore,
    hasEnded: (transaction) => transaction < first || (transaction < endBefore && !running.has(transaction)),
  }
}

export function subscriptionOf(query: {
  readonly topics?: string | readonly string[] | undefined
  readonly types?: ChangeType | readonly ChangeType[] | undefined
}): Subscription {
  const topics = [...new Set([query.topics ?? []].flat())]
  return {
    topics: topics.map((text) => {
      const [kind = '', id = ''] = text.split(':', 2)
      // The contract's pattern allows no other kind.
      return { text, kind: kind as TopicKind, id }
    }),
    types: query.types === undefined ? undefined : new Set([query.types].flat()),
  }
}

/** Whether a change concerns a reader, whoever they are. @param topics - those that have not ended */
export function concerns(subscription: Subscription, topics: readonly Topic[], change: Change): boolean {
  if (subscription.types && !subscription.types.has(change.type)) return false
  return subscription.topics.length === 0 || topics.some((topic) => isAbout(topic, change))
}

function isAbout({ kind, id }: Topic, change: Change): boolean {
  if (kind === 'organization') return change.organizationId === id
  if (kind === 'project') return change.projectId === id
  if (kind === 'application') return change.applicationId === id
  if (kind === 'workload') return change.workloadId === id
  return change.type === kind && change.id === id
}

/** Whether a caller may know of a change. */
export function maySee(access: Access, change: Change): boolean {
  const permission = permissionOf[change.type]
  const { organizationId, projectId } = change
  return permission === null || decide(access, permission, { organizationId, projectId }) === 'allowed'
}

/** Equal for accesses that allow the same. */
export function accessText(access: Access): string {
  const lines = (map: ReadonlyMap<string, ReadonlySet<string>>): string[] =>
    [...map].map(([id, roles]) => `${id} ${[...roles].toSorted().join(' ')}`).toSorted()
  return JSON.stringify([
    access.platformRoles.toSorted(),
    lines(access.organizationRoles),
    lines(access.projectRoles),
    [...access.visibleOrganizations].toSorted(),
  ])
}

/** What waits for a reader. */
export type Pending = {
  /** False when there is no room. */
  readonly add: (change: Change) => boolean
  readonly takeAll: () => readonly Change[]
}

/** Changes that wait, one per object, in the order of the last change of each. */
export function pendingChanges(max: number): Pending {
  let waiting = new Map<string, Change>()
  return {
    add(change) {
      const key = `${change.type} ${change.id} ${change.organizationId ?? ''} ${change.projectId ?? ''}`
      const before = waiting.get(key)
      if (before === undefined && waiting.size >= max) return false
      waiting.delete(key)
      waiting.set(key, before === undefined ? change : merged(before, change))
      return true
    },
    takeAll() {
      const all = [...waiting.values()]
      waiting = new Map()
      return all
    },
  }
}

/** Two changes of one object as one: what was made and then changed was made. */
function merged(before: Change, after: Change): Change {
  return before.change === 'created' && after.change === 'changed' ? { ...after, change: 'created' } : after
}
