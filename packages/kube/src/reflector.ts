/*
 * Keeps a copy of one resource of one cluster: a paged list, then a watch from the list's version, resumed for ever. What to do
 * after each ending is decided in `reflector-plan.ts`. Until the first list is whole there is no cache at all: an empty one
 * would read as "nothing runs there".
 */
import { type Clock, errorOf, type Limiter, messageOf, type Random } from '@slipway/kit'

import { hasReason, KubeError } from './errors.ts'
import type { Kube, Selection } from './kube.ts'
import { type ObjectCache, objectCache, targetOf } from './object-cache.ts'
import { type Backoff, nextBackoff, noBackoff, type Recovery, recoveryOf, SILENCE } from './reflector-plan.ts'
import type { Target } from './requests.ts'
import type { Live, ResourceName } from './resources.ts'

export type ReflectorStatus = {
  /** `syncing` before the first list and while a new one is made; `degraded` when the view may be old. */
  readonly phase: 'syncing' | 'synced' | 'degraded'
  /** Why it is degraded. */
  readonly why?: string
  /** When the cluster was last heard of: an event, a bookmark, or a whole list. */
  readonly lastEventAt?: Date
}

export type Reflector<R extends ResourceName> = AsyncDisposable & {
  /** Undefined while nothing is known: no decision may be made then. */
  readonly cache: () => ObjectCache<R> | undefined
  /** Resolves with the cache as soon as it is known. */
  readonly whenKnown: (signal?: AbortSignal) => Promise<ObjectCache<R>>
  readonly status: () => ReflectorStatus
  /** Calls `listener` after each change of the object of that key, in order. It must not throw; dispose to stop. */
  readonly onChange: (listener: (target: Target) => void) => Disposable
}

export type ReflectorOptions<R extends ResourceName> = {
  readonly kube: Pick<Kube, 'list' | 'watch'>
  readonly resource: R
  readonly selection?: Selection
  readonly clock: Clock
  readonly random: Random
  /** Hears every failure, for the log. The reflector goes on by itself. */
  readonly onError: (error: Error, resource: ResourceName) => void
  /** Shared by the reflectors of a cluster, so that their lists do not come all at once. */
  readonly lists?: Limiter
  /** The start is delayed by up to this, by chance; 0 unless told. */
  readonly spreadMs?: number
}

const PAGE_LIMIT = 500
const OBJECTS_MAX = 500_000
const WATCH_SECONDS_MIN = 300
const WATCH_SECONDS_SPREAD = 300
/** Bookmarks come about once a minute, but no server has to send them. */
const SILENCE_MS = 150_000
const SLOW_MS = 60_000

type State<R extends ResourceName> = {
  readonly options: ReflectorOptions<R>
  readonly cache: ReturnType<typeof objectCache<R>>
  readonly listeners: Set<(target: Target) => void>
  readonly stop: AbortController
  readonly known: PromiseWithResolvers<ObjectCache<R>>
  isKnown: boolean
  version: string
  backoff: Backoff
  fruitless: number
  status: ReflectorStatus
}

export function startReflector<R extends ResourceName>(options: ReflectorOptions<R>): Reflector<R> {
  const state: State<R> = {
    options,
    cache: objectCache<R>(),
    listeners: new Set(),
    stop: new AbortController(),
    known: Promise.withResolvers(),
    isKnown: false,
    version: '',
    backoff: noBackoff,
    fruitless: 0,
    status: { phase: 'syncing' },
  }
  // Nobody has to wait for it.
  state.known.promise.catch(() => undefined)
  const running = run(state)
  return {
    cache: () => (state.isKnown ? state.cache : undefined),
    whenKnown: (signal) => unlessAborted(state.known.promise, signal),
    status: () => state.status,
    onChange(listener) {
      // An entry of its own, so that the same function may be given twice.
      const entry = (target: Target): void => listener(target)
      state.listeners.add(entry)
      return { [Symbol.dispose]: () => void state.listeners.delete(entry) }
    },
    async [Symbol.asyncDispose]() {
      state.stop.abort(new KubeError(0, 'Stopped', 'the reflector was stopped'))
      await running
      state.known.reject(errorOf(state.stop.signal.reason))
    },
  }
}

async function run<R extends ResourceName>(state: State<R>): Promise<void> {
  const { clock, random, spreadMs = 0 } = state.options
  const { signal } = state.stop
  let next: Recovery['next'] = 'list'
  try {
    await clock.sleep(spreadMs * random(), signal)
    while (!signal.aborted) {
      const during = next
      const startedMs = clock.monotonicMs()
      const error = await attempt(state, during)
      if (signal.aborted) return
      if (during === 'list' && error === undefined) {
        next = 'watch'
        continue
      }
      if (error !== undefined) state.fruitless += 1
      const livedMs = clock.monotonicMs() - startedMs
      const recovery = recoveryOf({ during, error, livedMs, fruitless: state.fruitless })
      next = recovery.next
      if (next === 'list') state.fruitless = 0
      report(state, recovery, error)
      await pause(state, recovery)
    }
  } catch (error) {
    // Only a stop ends the loop; anything else would be a bug of ours and must be seen.
    if (!signal.aborted) state.options.onError(errorOf(error), state.options.resource)
  }
}

/** One list or one watch. @returns what was thrown, undefined for an orderly end */
async function attempt<R extends ResourceName>(state: State<R>, kind: 'list' | 'watch'): Promise<unknown> {
  const { lists } = state.options
  try {
    if (kind === 'watch') await watchOnce(state)
    else if (lists) await lists.run(() => listOnce(state))
    else await listOnce(state)
    return undefined
  } catch (error) {
    return error ?? new Error('nothing was thrown')
  }
}

async function listOnce<R extends ResourceName>(state: State<R>): Promise<void> {
  const { signal } = state.stop
  signal.throwIfAborted()
  const { objects, version } = await listWhole(state.options, signal)
  state.version = version
  const changed = state.cache.replace(objects)
  state.isKnown = true
  heard(state)
  state.known.resolve(state.cache)
  for (const target of changed) tell(state, target)
}

/** All pages, which share one version. A continue token that has expired begins anew, once, without pages. */
async function listWhole<R extends ResourceName>(
  { kube, resource, selection }: ReflectorOptions<R>,
  signal: AbortSignal,
): Promise<{ readonly objects: readonly Live<R>[]; readonly version: string }> {
  let objects: Live<R>[] = []
  let limit: number | undefined = PAGE_LIMIT
  let token: string | undefined
  for (;;) {
    try {
      const page = await kube.list(resource, { ...selection, limit, continue: token, signal })
      for (const object of page.items) objects.push(object)
      if (objects.length > OBJECTS_MAX)
        throw new KubeError(0, 'InvalidReply', `there are more than ${OBJECTS_MAX} ${resource}`)
      if (page.continue === undefined) return { objects, version: page.resourceVersion }
      token = page.continue
    } catch (error) {
      if (token === undefined || !(error instanceof KubeError) || error.code !== 410) throw error
      objects = []
      limit = undefined
      token = undefined
    }
  }
}

async function watchOnce<R extends ResourceName>(state: State<R>): Promise<void> {
  const { kube, resource, selection, clock, random } = state.options
  const ending = new AbortController()
  const onStop = (): void => ending.abort(state.stop.signal.reason)
  state.stop.signal.addEventListener('abort', onStop, { once: true })
  if (state.stop.signal.aborted) onStop()
  const silent = (): void =>
    ending.abort(new KubeError(0, SILENCE, `nothing came for ${SILENCE_MS / 1_000} s`))
  let silence = clock.after(SILENCE_MS, silent)
  try {
    const timeoutSeconds = WATCH_SECONDS_MIN + Math.floor(WATCH_SECONDS_SPREAD * random())
    const options = { ...selection, resourceVersion: state.version, timeoutSeconds, signal: ending.signal }
    const events = await kube.watch(resource, options)
    heard(state)
    for await (const event of events) {
      silence[Symbol.dispose]()
      silence = clock.after(SILENCE_MS, silent)
      take(state, event)
    }
  } catch (error) {
    // What an abort looks like depends on where it struck; its reason does not.
    throw ending.signal.aborted ? ending.signal.reason : error
  } finally {
    silence[Symbol.dispose]()
    state.stop.signal.removeEventListener('abort', onStop)
  }
}

function take<R extends ResourceName>(
  state: State<R>,
  event: { readonly type: string } & ({ readonly object: Live<R> } | { readonly resourceVersion: string }),
): void {
  state.fruitless = 0
  heard(state)
  if (!('object' in event)) {
    state.version = event.resourceVersion
    return
  }
  const target = targetOf(event.object)
  const changed = event.type === 'DELETED' ? state.cache.drop(target) : state.cache.put(event.object)
  state.version = event.object.metadata.resourceVersion
  if (changed) tell(state, target)
}

function tell<R extends ResourceName>(state: State<R>, target: Target): void {
  for (const listener of state.listeners) {
    try {
      listener(target)
    } catch (error) {
      // One reader's bug must not cost the others their view.
      state.options.onError(errorOf(error), state.options.resource)
    }
  }
}

function heard<R extends ResourceName>(state: State<R>): void {
  state.status = { phase: 'synced', lastEventAt: state.options.clock.now() }
}

function report<R extends ResourceName>(state: State<R>, recovery: Recovery, error: unknown): void {
  if (error === undefined) return
  const { lastEventAt } = state.status
  const known = lastEventAt && { lastEventAt }
  if (recovery.degraded) state.status = { phase: 'degraded', why: messageOf(error), ...known }
  else if (recovery.next === 'list') state.status = { phase: 'syncing', ...known }
  if (!hasReason(error, SILENCE)) state.options.onError(errorOf(error), state.options.resource)
}

async function pause<R extends ResourceName>(state: State<R>, { pause }: Recovery): Promise<void> {
  const { clock, random } = state.options
  const { signal } = state.stop
  switch (pause.kind) {
    case 'none':
      return
    case 'asked':
      // A little later than asked, so that all who were asked the same do not come together.
      return await clock.sleep(pause.ms * (1 + random() / 10), signal)
    case 'slow':
      return await clock.sleep(SLOW_MS * (1 + random()), signal)
    case 'backoff': {
      const { delayMs, backoff } = nextBackoff(state.backoff, clock.monotonicMs(), random)
      state.backoff = backoff
      return await clock.sleep(delayMs, signal)
    }
  }
}

async function unlessAborted<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return await promise
  signal.throwIfAborted()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(errorOf(signal.reason))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
