/** A number in [0, 1), for jitter only; secrets and ids come from `node:crypto`. */
export type Random = () => number

export const systemRandom: Random = Math.random

/** The same sequence for the same seed (mulberry32), for simulations that print their seed. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
