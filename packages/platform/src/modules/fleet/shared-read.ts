/**
 * Lets all who ask for the same while an answer is under way share the next one. That one begins after they asked, so it is as
 * fresh as one of their own would be; there is never more than one under way and one to come.
 */
export function sharedReads<T>(read: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const running = new Map<string, Promise<T>>()
  const waiting = new Map<string, Promise<T>>()

  function begin(key: string): Promise<T> {
    waiting.delete(key)
    const fresh = read(key).finally(() => {
      if (running.get(key) === fresh) running.delete(key)
    })
    running.set(key, fresh)
    return fresh
  }

  return (key) => {
    const before = running.get(key)
    if (before === undefined) return begin(key)
    const after = () => begin(key)
    // How the one before ended is nothing to those who wait for the next.
    const next = waiting.get(key) ?? before.then(after, after)
    waiting.set(key, next)
    return next
  }
}
