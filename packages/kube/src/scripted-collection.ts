/*
 * Test helper: list and watch of one resource over a made-up history, with versions, pages that share a version, bookmarks on
 * demand and compaction. It is the model that a reflector is compared with.
 */
import { KubeError } from './errors.ts'
import type { Kube, ListOptions, ObjectPage, WatchEvent, WatchOptions } from './kube.ts'
import type { Live, ResourceName } from './resources.ts'

type Entry = {
  readonly version: number
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: Live<'configmaps'>
}

export type ScriptedCollection = {
  readonly kube: Pick<Kube, 'list' | 'watch'>
  readonly put: (name: string, data: Readonly<Record<string, string>>) => void
  readonly drop: (name: string) => void
  /** Forgets the events until now: older watches and continue tokens get 410. */
  readonly compact: () => void
  readonly bookmark: () => void
  /** Ends every watch in order, as `timeoutSeconds` does. */
  readonly endWatches: () => void
  readonly objects: () => ReadonlyMap<string, Live<'configmaps'>>
  readonly lists: () => readonly ListOptions[]
  readonly watches: () => readonly WatchOptions[]
}

export function scriptedCollection(): ScriptedCollection {
  const objects = new Map<string, Live<'configmaps'>>()
  const history: Entry[] = []
  const wakers = new Set<() => void>()
  const lists: ListOptions[] = []
  const watches: WatchOptions[] = []
  let version = 100
  let oldest = 100
  let endings = 0
  let bookmarks = 0

  function record(type: Entry['type'], name: string, data: Readonly<Record<string, string>>): void {
    version += 1
    const metadata = { name, namespace: 'test', uid: `uid-${name}`, resourceVersion: String(version) }
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data }
    if (type === 'DELETED') objects.delete(name)
    else objects.set(name, object)
    history.push({ version, type, object })
    wake()
  }

  function wake(): void {
    for (const waker of wakers) waker()
  }

  function list(options: ListOptions): ObjectPage<'configmaps'> {
    lists.push(options)
    const [taken = String(version), start = '0'] = options.continue?.split('/') ?? []
    if (Number(taken) < oldest) throw expired()
    const state = stateAt(history, Number(taken))
    const end = Number(start) + (options.limit ?? state.length)
    return {
      items: state.slice(Number(start), end),
      resourceVersion: taken,
      ...(end < state.length && { continue: `${taken}/${end}` }),
    }
  }

  async function* watch(options: WatchOptions): AsyncGenerator<WatchEvent<'configmaps'>> {
    let seen = Number(options.resourceVersion)
    const endsAt = endings
    let bookmarked = bookmarks
    for (;;) {
      options.signal?.throwIfAborted()
      if (seen < oldest) throw expired()
      for (const entry of history.filter((one) => one.version > seen)) {
        seen = entry.version
        yield entry
      }
      if (bookmarked !== bookmarks) {
        bookmarked = bookmarks
        yield { type: 'BOOKMARK', resourceVersion: String(version) }
      }
      if (endings !== endsAt) return
      await nextWake(wakers, options.signal)
    }
  }

  return {
    kube: {
      list: async <R extends ResourceName>(_: R, options: ListOptions = {}) =>
        list(options) as unknown as ObjectPage<R>,
      watch: async <R extends ResourceName>(_: R, options: WatchOptions) => {
        watches.push(options)
        return watch(options) as unknown as AsyncIterable<WatchEvent<R>>
      },
    },
    put: (name, data) => record(objects.has(name) ? 'MODIFIED' : 'ADDED', name, data),
    drop: (name) => {
      if (objects.has(name)) record('DELETED', name, {})
    },
    compact: () => (oldest = version),
    bookmark() {
      bookmarks += 1
      wake()
    },
    endWatches() {
      endings += 1
      wake()
    },
    objects: () => objects,
    lists: () => lists,
    watches: () => watches,
  }
}

function expired(): KubeError {
  return new KubeError(410, 'Expired', 'too old resource version')
}

function stateAt(history: readonly Entry[], version: number): Live<'configmaps'>[] {
  const state = new Map<string, Live<'configmaps'>>()
  for (const entry of history.filter((one) => one.version <= version)) {
    const { name } = entry.object.metadata
    if (entry.type === 'DELETED') state.delete(name)
    else state.set(name, entry.object)
  }
  return [...state.values()]
}

function nextWake(wakers: Set<() => void>, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      wakers.delete(done)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    wakers.add(done)
    signal?.addEventListener('abort', done)
  })
}
