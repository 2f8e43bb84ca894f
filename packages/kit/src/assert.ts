/** A broken promise of our own code: answered with 500, logged with its cause, never shown in detail. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/**
 * States what cannot be false unless the code is wrong; never a check of input.
 * @throws {AssertionError} with `message` when `condition` is falsy.
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/** Marks the branch of a `switch` that no value can reach; a forgotten case does not compile. */
export function unreachable(value: never): never {
  throw new AssertionError(`unexpected value ${JSON.stringify(value)}`)
}

/** Returns `value`, which cannot be undefined or null unless the code is wrong. */
export function must<T>(value: T | undefined | null, message: string): T {
  assert(value !== undefined && value !== null, message)
  return value
}
