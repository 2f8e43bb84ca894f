/*
 * What every controller stands on. A controller is level-triggered: changes only name keys, a key is worked on by one run at a
 * time, and a run reads everything afresh from the registry. Keys that are woken while they wait or run merge into one further
 * run. A failed run comes back after a delay that doubles; a Conflict comes back at once, because it only says that somebody
 * else was faster.
 */
import { assert, type Clock, errorOf, type Random, retryDelayMs } from '@slipway/kit'

import { StatusError } from '../errors.ts'
import type { AnyObject, Change, Log, Registry } from '../model.ts'

/** What all controllers are given. */
export type Parts = {
  readonly registry: Registry
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** When to look at the key again without being woken; undefined: only when something changes. */
export type Again = { readonly againInMs?: number | undefined }

export type Controller = {
  readonly name: string
  /** How many keys may be worked on at once. */
  readonly concurrency: number
  /** The keys that a change concerns. Called for each commit: it must be cheap. */
  readonly keysOf: (change: Change) => readonly string[]
  /** The keys to look at when the controller starts. */
  readonly firstKeys: () => readonly string[]
  readonly reconcile: (key: string) => Promise<Again>
}

const RETRY = { firstMs: 20, maxMs: 60_000 }
const CONFLICT_RETRY = { firstMs: 2, maxMs: 500 }

/** Runs a controller until it is disposed; disposing waits for the runs under way. */
export function runController(parts: Parts, controller: Controller): AsyncDisposable {
  const queue = keyQueue(parts, controller)
  const observer = parts.registry.observe((change) => {
    for (const key of controller.keysOf(change)) queue.wake(key)
  })
  for (const key of controller.firstKeys()) queue.wake(key)
  return {
    async [Symbol.asyncDispose]() {
      observer[Symbol.dispose]()
      await queue[Symbol.asyncDispose]()
    },
  }
}

export type KeyQueue = AsyncDisposable & {
  readonly wake: (key: string) => void
  /** Resolves when nothing waits and nothing runs; keys that wait for a time do not count. */
  readonly idle: () => Promise<void>
}

type QueueOptions = {
  readonly name: string
  readonly concurrency: number
  readonly reconcile: (key: string) => Promise<Again>
}

export function keyQueue(parts: Pick<Parts, 'clock' | 'random' | 'log'>, options: QueueOptions): KeyQueue {
  assert(options.concurrency > 0, 'a queue has at least one worker')
  const waiting = new Set<string>()
  const running = new Set<string>()
  const wokenWhileRunning = new Set<string>()
  const timers = new Map<string, { readonly atMs: number; readonly timer: Disposable }>()
  const failures = new Map<string, number>()
  let idleListeners: (() => void)[] = []
  let closed = false

  function wake(key: string): void {
    if (closed) return
    if (running.has(key)) wokenWhileRunning.add(key)
    else waiting.add(key)
    startRuns()
  }

  function wakeLater(key: string, delayMs: number): void {
    const atMs = parts.clock.monotonicMs() + delayMs
    const known = timers.get(key)
    if (known && known.atMs <= atMs) return
    known?.timer[Symbol.dispose]()
    const timer = parts.clock.after(delayMs, () => {
      timers.delete(key)
      wake(key)
    })
    timers.set(key, { atMs, timer })
  }

  function startRuns(): void {
    for (const key of waiting) {
      if (running.size >= options.concurrency) return
      waiting.delete(key)
      running.add(key)
      void run(key)
    }
  }

  async function run(key: string): Promise<void> {
    // Leaves the call stack of the commit that woke us, so that one burst of commits is one run.
    await new Promise((resolve) => setImmediate(resolve))
    try {
      const again = closed ? {} : await options.reconcile(key)
      failures.delete(key)
      if (again.againInMs !== undefined) wakeLater(key, Math.max(1, again.againInMs))
    } catch (thrown) {
      retry(key, errorOf(thrown))
    }
    running.delete(key)
    if (wokenWhileRunning.delete(key) && !closed) waiting.add(key)
    if (!closed) startRuns()
    if (running.size === 0 && (closed || waiting.size === 0)) tellIdle()
  }

  function retry(key: string, error: Error): void {
    if (closed) return
    const attempt = failures.get(key) ?? 0
    failures.set(key, attempt + 1)
    const isConflict = isStatus(error, 'Conflict')
    wakeLater(key, retryDelayMs(attempt, parts.random, isConflict ? CONFLICT_RETRY : RETRY))
    if (!isConflict || attempt > 5)
      parts.log('warn', `${options.name}: ${error.message}`, { key, attempt, stack: error.stack })
  }

  function tellIdle(): void {
    const listeners = idleListeners
    idleListeners = []
    for (const listener of listeners) listener()
  }

  function idle(): Promise<void> {
    if (running.size === 0 && (closed || waiting.size === 0)) return Promise.resolve()
    return new Promise((resolve) => idleListeners.push(resolve))
  }

  return {
    wake,
    idle,
    async [Symbol.asyncDispose]() {
      closed = true
      waiting.clear()
      for (const { timer } of timers.values()) timer[Symbol.dispose]()
      timers.clear()
      await idle()
    },
  }
}

/** True for a refusal of the registry with this reason (`NotFound`, `Conflict`, `AlreadyExists`, …). */
export function isStatus(thrown: unknown, ...reasons: readonly string[]): thrown is StatusError {
  return thrown instanceof StatusError && reasons.includes(thrown.reason)
}

/** Waits for `write`, taking "it is no longer there" as done. */
export async function unlessGone(write: Promise<unknown>): Promise<void> {
  try {
    await write
  } catch (thrown) {
    if (!isStatus(thrown, 'NotFound')) throw thrown
  }
}

/** True when two values, as far as JSON carries them, were written alike. */
export function isSameJson(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b)
}

/** `namespace/name`, or the name alone for cluster-wide objects. */
export function keyOf(object: {
  readonly metadata: { readonly namespace?: string; readonly name: string }
}): string {
  const { namespace, name } = object.metadata
  return namespace === undefined ? name : `${namespace}/${name}`
}

/** Takes a key of `keyOf` apart again. */
export function splitKey(key: string): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf('/')
  assert(slash > 0, 'the key of a namespaced object has two parts')
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

/** The owner that controls an object: the one reference with `controller: true`. */
export function controllerOf(
  object: Pick<AnyObject, 'metadata'>,
): { readonly kind: string; readonly name: string; readonly uid: string } | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true)
}

/** Runs `work` on at most `count` items at once and ends after all of them; the first failure is thrown then. */
export async function forEachBounded<T>(
  items: readonly T[],
  count: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = []
  let next = 0
  async function worker(): Promise<void> {
    while (next < items.length) {
      const item = items[next]
      next += 1
      if (item === undefined) continue
      try {
        await work(item)
      } catch (thrown) {
        failures.push(thrown)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(count, items.length) }, worker))
  if (failures.length > 0) throw errorOf(failures[0])
}
