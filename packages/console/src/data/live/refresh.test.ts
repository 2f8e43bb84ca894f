import { QueryClient, QueryObserver } from '@tanstack/react-query'
import { manualClock } from '@slipway/kit'
import { expect, test } from 'vitest'

import { refresherOf } from './refresh.ts'

const T0 = new Date('2026-01-01T00:00:00Z')

/** A cache that watches one answer; `answer` lets the question under way be answered. */
function watched(isLookedAt = true) {
  const clock = manualClock(T0)
  const cache = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: 1_000 } } })
  const waiting: (() => void)[] = []
  let asked = 0
  const observer = new QueryObserver(cache, {
    queryKey: ['getRelease', { release: 'rel_1' }],
    queryFn: () =>
      new Promise<number>((resolve) => {
        asked += 1
        waiting.push(() => resolve(asked))
      }),
  })
  observer.subscribe(() => undefined)
  const answer = async (): Promise<void> => {
    waiting.shift()?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const refresher = refresherOf(cache, clock, () => isLookedAt)
  return { clock, cache, answer, refresher, asked: () => asked }
}

const everything = () => true

test('many changes at once are one question', async () => {
  const { clock, answer, refresher, asked } = watched()
  await answer()
  for (let change = 0; change < 50; change += 1) refresher.mark(everything)
  await clock.advance(100)
  expect(asked()).toBe(2)
})

test('constant change asks at most four times a second', async () => {
  const { clock, answer, refresher, asked } = watched()
  await answer()
  const before = asked()
  for (let step = 0; step < 100; step += 1) {
    refresher.mark(everything)
    await clock.advance(20)
    await answer()
  }
  expect(asked() - before).toBeGreaterThanOrEqual(4)
  expect(asked() - before).toBeLessThanOrEqual(9)
})

test('a change during a question asks once more afterwards, and breaks nothing off', async () => {
  const { clock, answer, refresher, asked } = watched()
  refresher.mark(everything)
  await clock.advance(2_000)
  expect(asked()).toBe(1)
  await answer()
  await clock.advance(100)
  expect(asked()).toBe(2)
  await answer()
  await clock.advance(2_000)
  expect(asked()).toBe(2)
})

test('a page that nobody looks at asks nothing, and knows that it is old', async () => {
  const { clock, cache, answer, refresher, asked } = watched(false)
  await answer()
  refresher.mark(everything)
  await clock.advance(100)
  expect(asked()).toBe(1)
  expect(cache.getQueryState(['getRelease', { release: 'rel_1' }])?.isInvalidated).toBe(true)
})
