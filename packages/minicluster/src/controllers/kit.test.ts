import { manualClock, seededRandom } from '@slipway/kit'
import { expect, test } from 'vitest'

import { statusErrors } from '../errors.ts'
import { forEachBounded, keyQueue } from './kit.ts'

const parts = () => ({ clock: manualClock(), random: seededRandom(1), log: () => undefined })
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('wakes of one key while it waits or runs merge into one further run, and never run side by side', async () => {
  let running = 0
  let most = 0
  let runs = 0
  const gates: (() => void)[] = []
  const queue = keyQueue(parts(), {
    name: 'test',
    concurrency: 4,
    async reconcile() {
      running += 1
      runs += 1
      most = Math.max(most, running)
      await new Promise<void>((resolve) => gates.push(resolve))
      running -= 1
      return {}
    },
  })
  for (let count = 0; count < 5; count += 1) queue.wake('a')
  await turn()
  for (let count = 0; count < 5; count += 1) queue.wake('a')
  gates.shift()?.()
  await turn()
  await turn()
  gates.shift()?.()
  await queue.idle()
  expect([runs, most]).toEqual([2, 1])
})

test('a failed run comes back after a delay that doubles; a conflict within milliseconds', async () => {
  const { clock, random, log } = parts()
  const at: number[] = []
  let error: Error = new Error('broken')
  await using queue = keyQueue(
    { clock, random, log },
    {
      name: 'test',
      concurrency: 1,
      reconcile() {
        at.push(clock.monotonicMs())
        return Promise.reject(error)
      },
    },
  )
  const startMs = clock.monotonicMs()
  queue.wake('a')
  await queue.idle()
  await clock.advance(100)
  await queue.idle()
  const [first = 0, second = 0, third = 0] = at.map((ms) => ms - startMs)
  expect(first).toBe(0)
  expect(second).toBeGreaterThanOrEqual(16)
  expect(third - second).toBeGreaterThan(second)
  at.length = 0
  error = statusErrors.conflict('pods', '', 'a', 'the object has been modified')
  queue.wake('b')
  await queue.idle()
  const before = clock.monotonicMs()
  await clock.advance(3)
  await queue.idle()
  expect(at.some((ms) => ms > before)).toBe(true)
})

test('bounded work never exceeds its bound, does everything, and then throws the first failure', async () => {
  let running = 0
  let most = 0
  const done: number[] = []
  const work = forEachBounded([1, 2, 3, 4, 5, 6], 2, async (item) => {
    running += 1
    most = Math.max(most, running)
    await turn()
    running -= 1
    done.push(item)
    if (item === 2) throw new Error('two')
  })
  await expect(work).rejects.toThrow('two')
  expect([most, done.length]).toEqual([2, 6])
})
