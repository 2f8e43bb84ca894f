import { expect, test } from 'vitest'

import { askEach, countsOf, type Outcome } from './run.ts'

const never = new AbortController().signal

test('each row says how it went, and one that is refused stops no other', async () => {
  const outcomes = new Map<string, Outcome>()
  const refusal = new Error('no')
  await askEach({
    keys: ['a', 'b', 'c', 'd', 'e', 'f'],
    ask: (key) => (key === 'b' ? Promise.reject(refusal) : Promise.resolve()),
    well: 'done',
    tell: (key, outcome) => outcomes.set(key, outcome),
    signal: never,
  })
  expect(outcomes.get('b')).toEqual({ kind: 'refused', error: refusal })
  expect(countsOf(outcomes)).toEqual({ waiting: 0, accepted: 0, done: 5, refused: 1 })
})

test('never more than four are on their way, and all are asked', async () => {
  let running = 0
  let most = 0
  const asked: string[] = []
  await askEach({
    keys: Array.from({ length: 20 }, (_, index) => String(index)),
    ask: async (key) => {
      running += 1
      most = Math.max(most, running)
      await Promise.resolve()
      asked.push(key)
      running -= 1
    },
    well: 'accepted',
    tell: () => undefined,
    signal: never,
  })
  expect(asked).toHaveLength(20)
  expect(most).toBe(4)
})

test('nothing further is begun once it is given up', async () => {
  const ending = new AbortController()
  const asked: string[] = []
  await askEach({
    keys: ['a', 'b', 'c', 'd', 'e', 'f'],
    ask: (key) => {
      asked.push(key)
      ending.abort()
      return Promise.resolve()
    },
    well: 'done',
    tell: () => undefined,
    signal: ending.signal,
  })
  expect(asked).toEqual(['a'])
})
