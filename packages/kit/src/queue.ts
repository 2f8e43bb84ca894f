/** Runs tasks one after another in the order of their arrival; a failing task does not stop the next. */
export type SerialQueue = { readonly run: <T>(task: () => Promise<T> | T) => Promise<T> }

export function serialQueue(): SerialQueue {
  let tail: Promise<unknown> = Promise.resolve()
  return {
    run(task) {
      const result = tail.then(task)
      tail = result.then(
        () => undefined,
        () => undefined,
      )
      return result
    },
  }
}

/** Lets at most `count` tasks run at once; the others wait in order. */
export type Limiter = {
  readonly run: <T>(task: () => Promise<T>) => Promise<T>
  readonly waiting: () => number
}

export function limiterOf(count: number): Limiter {
  let running = 0
  const waiting: (() => void)[] = []
  return {
    waiting: () => waiting.length,
    async run(task) {
      if (running >= count) await new Promise<void>((resolve) => waiting.push(resolve))
      else running += 1
      try {
        return await task()
      } finally {
        // A waiting task takes over this place; the count of running ones stays.
        const next = waiting.shift()
        if (next) next()
        else running -= 1
      }
    },
  }
}
