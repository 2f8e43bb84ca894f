import type { ServerResponse } from 'node:http'

import { MINUTE_MS, type Clock, type Random } from '@slipway/kit'

import { StatusError } from '../errors.ts'
import type { AnyObject, Resource } from '../model.ts'
import type { Matcher } from '../registry/selectors.ts'
import { deepFreeze, type Store, type StoredChange } from '../store/index.ts'
import { statusObject, writeSlice } from './exchange.ts'
import { encodeBookmark, encodeOne, jsonBytes, type View } from './forms.ts'
import type { Selection } from './lists.ts'

/*
 * Watches. Each change is looked up among the watches by resource, namespace and name, and its event is encoded once per
 * form; all watches of that form write the same Buffer. With a selector a change may enter or leave the selected set, and
 * then reads as ADDED or DELETED; that DELETED shows the object as it last matched, under the new version.
 *
 * A watch that begins with a state writes that first, in slices; changes meanwhile wait in its backlog.
 */
const WATCHES_MAX = 10_000
const TIMEOUT_DEFAULT_SECONDS = 1_800
/** A reader that lets this much lie is cut off; it will list anew. */
const UNREAD_MAX_BYTES = 32 * 1024 * 1024
const SLICE_BYTES = 128 * 1024
const BOOKMARK_EVERY_MS = MINUTE_MS

type WatchRequest = {
  readonly view: View
  readonly namespace: string | undefined
  readonly selection: Selection
  /** Undefined begins with the present state. */
  readonly after: number | undefined
  readonly bookmarks: boolean
  /** Marks the end of the initial state with an annotated bookmark. */
  readonly announceEnd: boolean
  readonly timeoutSeconds: number | undefined
}

export type WatchHub = Disposable & {
  /** Streams events into the response until it times out or the client leaves. */
  readonly watch: (response: ServerResponse, request: WatchRequest) => void
  readonly count: () => number
}

type Watch = WatchRequest & {
  readonly response: ServerResponse
  readonly encoding: string
  /** Changes that wait for the initial state to be written; undefined once it is. */
  backlog: Buffer[] | undefined
  withColumns: boolean
}

type EventType = 'ADDED' | 'MODIFIED' | 'DELETED'

export function watchHub(store: Store, clock: Clock, random: Random): WatchHub {
  const rooms = new Map<string, Set<Watch>>()
  let count = 0

  const observing = store.observe((change) => {
    const { namespace = '', name } = change.object.metadata
    const encoded = new Map<string, Buffer>()
    for (const key of [
      roomOf(change.resource),
      roomOf(change.resource, namespace),
      roomOf(change.resource, namespace, name),
    ])
      for (const watch of rooms.get(key) ?? []) deliver(watch, change, encoded)
  })
  const ticking = clock.every(BOOKMARK_EVERY_MS, () => {
    for (const room of rooms.values())
      for (const watch of room)
        if (watch.bookmarks && !watch.backlog) send(watch, bookmark(watch, store.version()))
  })

  function close(watch: Watch, room: Set<Watch>, key: string): void {
    if (!room.delete(watch)) return
    count -= 1
    if (room.size === 0) rooms.delete(key)
  }

  return {
    count: () => count,
    watch(response, request) {
      if (count >= WATCHES_MAX)
        throw new StatusError(429, 'TooManyRequests', 'too many watches, please try again later', {
          retryAfterSeconds: 5,
        })
      const initial = initialEvents(store, request)
      startStream(response)
      if (!initial) {
        response.end(expiredEvent(request.after ?? 0, store.version()))
        return
      }
      const watch: Watch = {
        ...request,
        response,
        encoding: encodingOf(request.view),
        backlog: [],
        withColumns: true,
      }
      const key = roomKey(request)
      const room = rooms.get(key) ?? new Set<Watch>()
      rooms.set(key, room.add(watch))
      count += 1
      const timer = clock.after(lifetimeMs(request, random), () => {
        if (watch.bookmarks) send(watch, bookmark(watch, store.version()))
        response.end()
      })
      response.on('close', () => {
        timer[Symbol.dispose]()
        close(watch, room, key)
      })
      // The stream has begun, so whatever goes wrong can only end it.
      begin(watch, initial, store.version()).catch(() => response.destroy())
    },
    [Symbol.dispose]() {
      observing[Symbol.dispose]()
      ticking[Symbol.dispose]()
      for (const room of rooms.values()) for (const watch of room) watch.response.end()
      rooms.clear()
    },
  }
}

function startStream(response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache, private' })
  response.flushHeaders()
}

function lifetimeMs({ timeoutSeconds }: WatchRequest, random: Random): number {
  return (timeoutSeconds ?? TIMEOUT_DEFAULT_SECONDS * (1 + random())) * 1000
}

function roomOf(resource: Resource, namespace?: string, name?: string): string {
  if (namespace === undefined) return resource
  return name === undefined ? `${resource}\n${namespace}` : `${resource}\n${namespace}\n${name}`
}

/** The narrowest room in which every change for the watch is announced. */
function roomKey({ view, namespace, selection }: WatchRequest): string {
  const { resource, namespaced } = view.definition
  if (namespaced && namespace === undefined) return roomOf(resource)
  const place = namespace ?? ''
  return selection.name === undefined && !namespaced
    ? roomOf(resource)
    : roomOf(resource, place, selection.name)
}

/** Everything that decides about the bytes of an event. */
function encodingOf({ definition, form, includeObject }: View): string {
  return [definition.apiVersion, form.as, form.version, includeObject].join(' ')
}

type Initial = { readonly type: EventType; readonly object: AnyObject }

/** What the watch must see before the next change, or undefined when that is no longer known. */
function initialEvents(
  store: Store,
  { view, namespace, selection, after }: WatchRequest,
): Initial[] | undefined {
  const { resource } = view.definition
  if (after === undefined)
    return store
      .list(resource, namespace)
      .filter((object) => isSelected(selection, object))
      .map((object) => ({ type: 'ADDED', object }))
  const changes = store.changesAfter(resource, after)
  return changes
    ?.filter(({ object }) => namespace === undefined || object.metadata.namespace === namespace)
    .flatMap((change) => eventOf(change, selection) ?? [])
}

function isSelected({ name, matches }: Selection, object: AnyObject): boolean {
  return (name === undefined || object.metadata.name === name) && (matches === undefined || matches(object))
}

/** How a change reads for a selection; undefined when it is none of its business. */
function eventOf(change: StoredChange, selection: Selection): Initial | undefined {
  const { name, matches } = selection
  if (name !== undefined && change.object.metadata.name !== name) return undefined
  if (!matches) return change
  const before = change.old !== undefined && selected(matches, change.old)
  if (change.type === 'DELETED') return before ? leaving(change) : undefined
  const after = selected(matches, change.object)
  if (after) return { type: before ? 'MODIFIED' : 'ADDED', object: change.object }
  return before ? leaving(change) : undefined
}

function selected(matches: Matcher, object: AnyObject): boolean {
  return matches(object)
}

const leavingObjects = new WeakMap<AnyObject, AnyObject>()

/** The old object, which matched, under the version of the change. */
function leaving({ object, old, type }: StoredChange): Initial {
  if (type === 'DELETED' || !old) return { type: 'DELETED', object }
  const known = leavingObjects.get(object)
  if (known) return { type: 'DELETED', object: known }
  const { resourceVersion } = object.metadata
  const made = deepFreeze({ ...old, metadata: { ...old.metadata, resourceVersion } })
  leavingObjects.set(object, made)
  return { type: 'DELETED', object: made }
}

function deliver(watch: Watch, change: StoredChange, encoded: Map<string, Buffer>): void {
  const event = eventOf(change, watch.selection)
  if (!event) return
  const key = `${watch.encoding} ${event.type} ${watch.withColumns ? 1 : 0}`
  const known = encoded.get(key)
  const bytes = known ?? encodeEvent(watch, event)
  if (!known) encoded.set(key, bytes)
  watch.withColumns = false
  if (watch.backlog) watch.backlog.push(bytes)
  else send(watch, bytes)
}

function encodeEvent({ view, withColumns }: Watch, { type, object }: Initial): Buffer {
  return Buffer.concat([
    Buffer.from(`{"type":"${type}","object":`),
    encodeOne(view, object, withColumns),
    LINE_END,
  ])
}

const LINE_END = Buffer.from('}\n')

function bookmark({ view }: Watch, version: number, isEnd = false): Buffer {
  const annotations = isEnd ? { 'k8s.io/initial-events-end': 'true' } : undefined
  return Buffer.concat([
    Buffer.from('{"type":"BOOKMARK","object":'),
    encodeBookmark(view, version, annotations),
    LINE_END,
  ])
}

function expiredEvent(after: number, version: number): Buffer {
  const error = new StatusError(410, 'Expired', `too old resource version: ${after} (${version})`)
  return Buffer.concat([jsonBytes({ type: 'ERROR', object: statusObject(error) }), Buffer.from('\n')])
}

function send({ response }: Watch, bytes: Buffer): void {
  if (response.destroyed || response.writableEnded) return
  response.write(bytes)
  if (response.writableLength > UNREAD_MAX_BYTES) response.destroy()
}

/** Writes the initial state, then what has changed while it was written. */
async function begin(watch: Watch, initial: readonly Initial[], version: number): Promise<void> {
  let slice: Buffer[] = []
  let sizeBytes = 0
  for (const event of initial) {
    const bytes = encodeEvent(watch, event)
    watch.withColumns = false
    slice.push(bytes)
    sizeBytes += bytes.length
    if (sizeBytes < SLICE_BYTES) continue
    if (!(await writeSlice(watch.response, Buffer.concat(slice)))) return
    slice = []
    sizeBytes = 0
  }
  if (watch.announceEnd) slice.push(bookmark(watch, version, true))
  const rest = [...slice, ...(watch.backlog ?? [])]
  watch.backlog = undefined
  if (rest.length > 0) send(watch, Buffer.concat(rest))
}
