import { expect, test } from 'vitest'

import { sharedReads } from './shared-read.ts'

/** Reads that end when they are told to. */
function scripted() {
  const reads: (PromiseWithResolvers<number> & { readonly key: string })[] = []
  const ask = sharedReads((key) => {
    const one = { key, ...Promise.withResolvers<number>() }
    reads.push(one)
    return one.promise
  })
  return { reads, ask }
}

test('who asks while an answer is under way gets one that began afterwards, together with all others', async () => {
  const { reads, ask } = scripted()
  const first = ask('a')
  const later = [ask('a'), ask('a'), ask('a')]
  const other = ask('b')
  expect(reads.map(({ key }) => key)).toEqual(['a', 'b'])
  reads[1]?.resolve(9)
  reads[0]?.resolve(1)
  expect(await Promise.all([first, other])).toEqual([1, 9])
  await Promise.resolve()
  expect(reads.map(({ key }) => key)).toEqual(['a', 'b', 'a'])
  const last = ask('a')
  reads[2]?.resolve(2)
  expect(await Promise.all(later)).toEqual([2, 2, 2])
  await Promise.resolve()
  reads[3]?.resolve(3)
  expect(await last).toBe(3)
})

test('a failure is that of who asked for it, and the next one reads again', async () => {
  const { reads, ask } = scripted()
  const first = ask('a')
  const second = ask('a')
  reads[0]?.reject(new Error('gone'))
  await expect(first).rejects.toThrow('gone')
  await Promise.resolve()
  reads[1]?.resolve(2)
  expect(await second).toBe(2)
  const third = ask('a')
  reads[2]?.resolve(3)
  expect(await third).toBe(3)
})
