import { expect, test } from 'vitest'

import { keyQueue } from './queue.ts'

test('a key that is woken twice runs once', () => {
  const queue = keyQueue()
  queue.add('a', 10)
  queue.add('a', 5)
  expect(queue.take(4)).toBeUndefined()
  expect(queue.take(5)).toBe('a')
  expect(queue.take(20)).toBeUndefined()
})

test('a key that is woken while it runs never runs twice at once, and runs again afterwards', () => {
  const queue = keyQueue()
  queue.add('a', 0)
  expect(queue.take(0)).toBe('a')
  queue.add('a', 0)
  expect(queue.take(0)).toBeUndefined()
  expect(queue.nextAtMs()).toBeUndefined()
  queue.done('a')
  expect(queue.take(0)).toBe('a')
})

test('the key that has been due the longest comes first', () => {
  const queue = keyQueue()
  queue.add('late', 3)
  queue.add('early', 1)
  expect(queue.nextAtMs()).toBe(1)
  expect([queue.take(9), queue.take(9)]).toEqual(['early', 'late'])
})
