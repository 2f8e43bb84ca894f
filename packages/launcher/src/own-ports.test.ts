import { once } from 'node:events'
import { createServer } from 'node:net'

import { expect, test } from 'vitest'

import { candidateRanges, chooseOwnPorts } from './own-ports.ts'

test('the usual installation has the usual range first, another one never', () => {
  expect(candidateRanges('/a', true)[0]).toBe('18000-18999')
  expect(candidateRanges('/a', false)).not.toContain('18000-18999')
})

test('ranges of other installations lie below those of Instances and do not overlap', () => {
  const firsts = candidateRanges('/b', false).map((range) => range.split('-').map(Number))
  expect(new Set(firsts.map(([first]) => first)).size).toBe(firsts.length)
  for (const [first = 0, last = 0] of firsts) {
    expect(last - first).toBe(199)
    expect(first).toBeGreaterThanOrEqual(10_000)
    expect(last).toBeLessThan(18_000)
  }
})

test('a range in which somebody listens is passed over', async () => {
  const folder = '/a/data/folder'
  const [range = ''] = candidateRanges(folder, false)
  const other = createServer()
  other.listen(Number(range.split('-')[0]) + 2, '127.0.0.1')
  // Whoever else listens there already does the same for this test.
  await Promise.race([once(other, 'listening'), once(other, 'error').catch(() => undefined)])
  try {
    expect(await chooseOwnPorts(folder, false)).not.toBe(range)
  } finally {
    other.close()
  }
})
