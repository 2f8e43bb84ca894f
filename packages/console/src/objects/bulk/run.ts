import { limiterOf } from '@slipway/kit'

/*
 * One operation for many objects: first each is checked without being done, so that a preview can say what would be refused;
 * then those that would be accepted are done, and each says how it went.
 */

/** Requests on their way at the same time: quick, and never more than a fraction of what an account may ask in a minute. */
const AT_ONCE = 4

export type Outcome =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'accepted' }
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly error: unknown }

export type Outcomes = ReadonlyMap<string, Outcome>

/** How many rows stand how. Pure. */
export function countsOf(outcomes: Outcomes): Readonly<Record<Outcome['kind'], number>> {
  const counts = { waiting: 0, accepted: 0, done: 0, refused: 0 }
  for (const { kind } of outcomes.values()) counts[kind] += 1
  return counts
}

type Run = {
  readonly keys: readonly string[]
  readonly ask: (key: string) => Promise<unknown>
  /** What a row is that was answered without a refusal. */
  readonly well: 'accepted' | 'done'
  readonly tell: (key: string, outcome: Outcome) => void
  /** Nothing further is begun once it aborts; what is on its way comes to its end. */
  readonly signal: AbortSignal
}

/** Asks for each key, a few at a time, in order; never throws. */
export async function askEach({ keys, ask, well, tell, signal }: Run): Promise<void> {
  const limiter = limiterOf(AT_ONCE)
  await Promise.all(
    keys.map((key) =>
      limiter.run(async () => {
        if (signal.aborted) return
        try {
          await ask(key)
          tell(key, { kind: well })
        } catch (thrown) {
          tell(key, { kind: 'refused', error: thrown })
        }
      }),
    ),
  )
}
