/** A bounded queue between many writers and one reader: a slow reader makes the writers wait. */
export type Channel<T> = {
  /** Resolves when there is room again. */
  readonly push: (item: T) => Promise<void>
  /** At least one item, at most `max`; undefined once it is closed and empty. Rejects with the error it was failed with. */
  readonly take: (max: number) => Promise<readonly T[] | undefined>
  readonly close: () => void
  readonly fail: (error: Error) => void
}

export function channelOf<T>(capacity: number): Channel<T> {
  const items: T[] = []
  const state: { closed: boolean; failure: Error | undefined } = { closed: false, failure: undefined }
  let reader: (() => void) | undefined
  const writers: (() => void)[] = []

  return {
    async push(item) {
      while (items.length >= capacity && !state.closed)
        await new Promise<void>((resolve) => {
          writers.push(resolve)
        })
      if (state.closed) return
      items.push(item)
      reader?.()
    },
    async take(max) {
      while (items.length === 0) {
        if (state.failure) throw state.failure
        if (state.closed) return undefined
        await new Promise<void>((resolve) => {
          reader = resolve
        })
      }
      const taken = items.splice(0, max)
      for (const writer of writers.splice(0)) writer()
      return taken
    },
    close() {
      state.closed = true
      reader?.()
      for (const writer of writers.splice(0)) writer()
    },
    fail(error) {
      state.failure ??= error
      this.close()
    },
  }
}
