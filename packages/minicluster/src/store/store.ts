import { join } from 'node:path'

import { errorOf, must } from '@slipway/kit'

import { statusErrors } from '../errors.ts'
import type { AnyObject, Log, Resource } from '../model.ts'
import { newCollection, type Collection } from './collection.ts'
import { FRAME_MAX_BYTES, type Entry } from './frames.ts'
import { deepFreeze } from './json.ts'
import { openLogFolder, SyncError, type LogFolder, type Recovered } from './log.ts'
import { newRing, type Ring, type StoredChange } from './ring.ts'
import { newShare, type Share } from './sharing.ts'

/*
 * The store keeps every object once, frozen, in memory; the disk holds the current state only (snapshot + log).
 *
 * A write is decided and numbered at once, joins the running batch and becomes visible when the batch is on disk. Until
 * then it lies in `pending`, which only other writes look at (`head`): they must build on each other, while nobody may see
 * what a crash could take back. Since a write never waits between its look at `head` and its entry into the queue, writes
 * need no lock.
 *
 * There is one version for all resources. At each start it jumps by a gap, so that even a disk that lied about a sync
 * cannot make it repeat.
 */
const VERSION_GAP = 1_000
const RING_CAPACITY = 4_096
const BATCH_MAX = 512
const SNAPSHOT_MIN_BYTES = 32 * 1024 * 1024

/** Objects as some moment sees them. */
export type View = {
  readonly get: (resource: Resource, namespace: string | undefined, name: string) => AnyObject | undefined
  readonly list: (resource: Resource, namespace?: string) => readonly AnyObject[]
}

export type Store = View &
  AsyncDisposable & {
    /** What is there when every write accepted so far is counted, durable or not; for decisions about writes only. */
    readonly head: View
    /** The version of the last visible change. */
    readonly version: () => number
    /** Creates or replaces the object; sets its resourceVersion. Resolves when durable and visible. */
    readonly put: (resource: Resource, object: AnyObject) => Promise<AnyObject>
    /** Removes the object that `head` shows; resolves with its last state, which carries the version of the removal. */
    readonly erase: (resource: Resource, object: AnyObject) => Promise<AnyObject>
    /** Visible changes after `version`, or undefined when they are no longer known. */
    readonly changesAfter: (resource: Resource, version: number) => readonly StoredChange[] | undefined
    /** Calls `listener` synchronously for each change that becomes visible, in order. */
    readonly observe: (listener: (change: StoredChange) => void) => Disposable
    /** Number of visible objects of the resource. */
    readonly count: (resource: Resource) => number
  }

type Write = {
  readonly entry: Entry
  readonly resource: Resource
  readonly object: AnyObject
  readonly erased: boolean
  readonly resolve: (object: AnyObject) => void
  readonly reject: (error: Error) => void
}

export type StoreOptions = {
  readonly dataFolder: string
  readonly log: Log
  /** Size of the log from which on a snapshot replaces it. */
  readonly snapshotMinBytes?: number
  /** Changes kept per resource for watches that resume. */
  readonly ringCapacity?: number
}

/**
 * Opens the store below `dataFolder`, which belongs to this process alone.
 * @throws {Error} when a file is damaged in a way that no crash explains
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { folder, recovered } = await openLogFolder(join(options.dataFolder, 'store'), options.log)
  const store = storeOver(folder, recovered, options)
  await folder.append([{ version: recovered.version + VERSION_GAP, mark: 'start' }])
  return store
}

const encoded = new WeakMap<AnyObject, Buffer>()

/** The object as JSON, encoded once in its life. */
export function encodedObject(object: AnyObject): Buffer {
  const known = encoded.get(object)
  if (known) return known
  const text = JSON.stringify(object)
  // In a piece of its own: one of the common pool would keep its neighbours, which are soon forgotten.
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text))
  bytes.write(text)
  encoded.set(object, bytes)
  return bytes
}

/** What the functions below share; all of it changes only between two turns of the event loop. */
type State = {
  readonly folder: LogFolder
  readonly options: StoreOptions
  readonly recoveredVersion: number
  readonly collections: Map<Resource, Collection>
  readonly rings: Map<Resource, Ring>
  /** The last write of each object that is not yet durable. */
  readonly pending: Map<string, Write>
  readonly listeners: Set<(change: StoredChange) => void>
  readonly share: Share
  visibleVersion: number
  nextVersion: number
  queue: Write[]
  flushing: Promise<void> | undefined
  snapshotting: Promise<void> | undefined
  snapshotBytes: number
  /** Why nothing is written any more. */
  refusal: string | undefined
}

/** The store on an open folder. */
export function storeOver(folder: LogFolder, recovered: Recovered, options: StoreOptions): Store {
  const share = newShare()
  const state: State = {
    folder,
    options,
    recoveredVersion: recovered.version,
    collections: collectionsOf(recovered, share),
    rings: new Map(),
    pending: new Map(),
    listeners: new Set(),
    share,
    visibleVersion: recovered.version + VERSION_GAP,
    nextVersion: recovered.version + VERSION_GAP + 1,
    queue: [],
    flushing: undefined,
    snapshotting: undefined,
    snapshotBytes: recovered.snapshotBytes,
    refusal: undefined,
  }
  const durable: View = {
    get: (resource, namespace, name) => state.collections.get(resource)?.get(namespace ?? '', name),
    list: (resource, namespace) => collectionOf(state, resource).list(namespace),
  }
  return {
    ...durable,
    head: headOf(durable, state.pending),
    version: () => state.visibleVersion,
    put: (resource, object) => enqueue(state, resource, object, false),
    erase: (resource, object) => enqueue(state, resource, object, true),
    changesAfter: (resource, version) => ringOf(state, resource).after(version),
    count: (resource) => collectionOf(state, resource).size(),
    observe(listener) {
      state.listeners.add(listener)
      return { [Symbol.dispose]: () => void state.listeners.delete(listener) }
    },
    async [Symbol.asyncDispose]() {
      state.refusal = 'the store is closed'
      await state.flushing
      await state.snapshotting
      await folder[Symbol.asyncDispose]()
    },
  }
}

function collectionOf(state: State, resource: Resource): Collection {
  return getOrAdd(state.collections, resource, newCollection)
}

/** Known from the recovered version on, not from behind the gap: clients that were up to date simply go on. */
function ringOf({ rings, options, recoveredVersion }: State, resource: Resource): Ring {
  return getOrAdd(rings, resource, () => newRing(options.ringCapacity ?? RING_CAPACITY, recoveredVersion))
}

function enqueue(state: State, resource: Resource, object: AnyObject, erased: boolean): Promise<AnyObject> {
  if (state.refusal !== undefined) throw statusErrors.internal(state.refusal)
  const version = state.nextVersion
  const metadata = { ...object.metadata, resourceVersion: String(version) }
  const next = deepFreeze(state.share({ ...object, metadata }))
  const { name, namespace = '' } = object.metadata
  const entry: Entry = erased
    ? { version, resource, erased: [namespace, name] }
    : { version, resource, put: encodedObject(next) }
  if ('put' in entry && entry.put.length > FRAME_MAX_BYTES - 1024)
    throw statusErrors.badRequest('the object is too large')
  state.nextVersion += 1
  const { promise, resolve, reject } = Promise.withResolvers<AnyObject>()
  const write: Write = { entry, resource, object: next, erased, resolve, reject }
  state.pending.set(keyOf(resource, namespace, name), write)
  state.queue.push(write)
  state.flushing ??= flush(state)
  return promise
}

async function flush(state: State): Promise<void> {
  const { folder, options } = state
  // Lets everything that is written in this turn join the batch.
  await new Promise((resolve) => setImmediate(resolve))
  while (state.queue.length > 0) {
    const batch = state.queue.slice(0, BATCH_MAX)
    state.queue = state.queue.slice(BATCH_MAX)
    try {
      await folder.append(batch.map((write) => write.entry))
    } catch (error) {
      refuseAll(state, [...batch, ...state.queue], errorOf(error))
      break
    }
    for (const write of batch) show(state, write)
    const limitBytes = Math.max(options.snapshotMinBytes ?? SNAPSHOT_MIN_BYTES, state.snapshotBytes * 2)
    if (folder.sizeBytes() > limitBytes) await startSnapshot(state)
  }
  state.flushing = undefined
}

/** Later writes were decided on what the failed ones would have left, so all of them are refused. */
function refuseAll(state: State, writes: readonly Write[], cause: Error): void {
  state.queue = []
  state.pending.clear()
  if (cause instanceof SyncError) state.refusal = 'the store cannot write to its disk; see the log'
  state.options.log('error', 'writes were refused because the disk failed', {
    count: writes.length,
    cause: cause.cause instanceof Error ? cause.cause.message : cause.message,
  })
  for (const write of writes) write.reject(statusErrors.internal('the store cannot write to its disk'))
}

/** Makes a durable write visible and tells everyone. */
function show(state: State, write: Write): void {
  const { resource, object, erased } = write
  const { version } = write.entry
  const { name, namespace = '' } = object.metadata
  const collection = collectionOf(state, resource)
  const old = collection.get(namespace, name)
  if (erased) collection.delete(namespace, name)
  else collection.set(object)
  const key = keyOf(resource, namespace, name)
  // A later write of the same object may be under way; only the last one leaves.
  if (state.pending.get(key) === write) state.pending.delete(key)
  state.visibleVersion = version
  const type = erased ? 'DELETED' : old === undefined ? 'ADDED' : 'MODIFIED'
  const change: StoredChange = { version, resource, type, object, old }
  ringOf(state, resource).push(change)
  announce(state, change)
  // Everybody has seen it: a watch that comes back for what is past encodes it once more.
  if (old !== undefined) encoded.delete(old)
  if (erased) encoded.delete(object)
  write.resolve(object)
}

function announce({ listeners, options }: State, change: StoredChange): void {
  for (const listener of listeners) {
    try {
      listener(change)
    } catch (error) {
      // A bug of one listener must not keep the others, or the writer, from what is on disk already.
      options.log('error', 'a listener of the store failed', { cause: errorOf(error).stack ?? '' })
    }
  }
}

/** Rotates the log and writes a snapshot beside it; a failure costs only disk space until the next try. */
async function startSnapshot(state: State): Promise<void> {
  const { folder, collections, options } = state
  if (state.snapshotting) return
  const version = state.visibleVersion
  try {
    await folder.rotate(version)
  } catch (error) {
    options.log('error', 'the log could not be rotated', { cause: errorOf(error).message })
    return
  }
  // The lists are taken now, their objects encoded slice by slice while the snapshot is written.
  const lists = [...collections].map(([resource, collection]) => ({ resource, objects: collection.list() }))
  state.snapshotting = folder
    .writeSnapshot(version, snapshotEntries(version, lists))
    .then((sizeBytes) => {
      state.snapshotBytes = sizeBytes
      return undefined
    })
    .catch((error: unknown) => {
      options.log('error', 'the snapshot could not be written', { cause: errorOf(error).message })
    })
    .finally(() => {
      state.snapshotting = undefined
    })
}

function* snapshotEntries(
  version: number,
  lists: readonly { readonly resource: Resource; readonly objects: readonly AnyObject[] }[],
): Generator<Entry> {
  for (const { resource, objects } of lists)
    for (const object of objects)
      // Not through the cache, which would then hold the bytes of objects that nobody asks for.
      yield { version, resource, put: encoded.get(object) ?? Buffer.from(JSON.stringify(object)) }
}

function headOf(durable: View, pending: ReadonlyMap<string, Write>): View {
  return {
    get(resource, namespace, name) {
      const key = keyOf(resource, namespace ?? '', name)
      const write = pending.get(key)
      if (write) return write.erased ? undefined : write.object
      return durable.get(resource, namespace, name)
    },
    list(resource, namespace) {
      if (pending.size === 0) return durable.list(resource, namespace)
      const prefix = namespace === undefined ? `${resource}\n` : `${resource}\n${namespace}\n`
      const changed = [...pending].filter(([key]) => key.startsWith(prefix))
      if (changed.length === 0) return durable.list(resource, namespace)
      const changedKeys = new Set(changed.map(([key]) => key))
      const kept = durable
        .list(resource, namespace)
        .filter(({ metadata }) => !changedKeys.has(keyOf(resource, metadata.namespace ?? '', metadata.name)))
      return [...kept, ...changed.flatMap(([, write]) => (write.erased ? [] : write.object))]
    },
  }
}

function collectionsOf(recovered: Recovered, share: Share): Map<Resource, Collection> {
  const collections = new Map<Resource, Collection>()
  for (const entry of recovered.entries) {
    if (entry.resource === undefined) continue
    // What the log holds was written by this code with these types, and its sum fits.
    const collection = getOrAdd(collections, entry.resource as Resource, newCollection)
    if (entry.erased) collection.delete(...entry.erased)
    else collection.set(deepFreeze(share(must(entry.object, 'a log entry has an object') as AnyObject)))
  }
  return collections
}

function keyOf(resource: Resource, namespace: string, name: string): string {
  return `${resource}\n${namespace}\n${name}`
}

function getOrAdd<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}
