import { useSyncExternalStore } from 'react'

/** A value outside of React that components follow. */
export type SignalStore<T> = {
  readonly get: () => T
  readonly set: (value: T) => void
  readonly use: () => T
}

export function signalStore<T>(first: T): SignalStore<T> {
  let current = first
  const listeners = new Set<() => void>()
  const subscribe = (listener: () => void): (() => void) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  const get = (): T => current
  return {
    get,
    set(value) {
      if (Object.is(value, current)) return
      current = value
      for (const listener of listeners) listener()
    },
    use: () => useSyncExternalStore(subscribe, get),
  }
}
