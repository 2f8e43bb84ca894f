import { describe, expect, test } from 'vitest'

import { chainOf, PART_MIN_BYTES, planParts, segmentName, startOfSegment, type Segment } from './segments.ts'

const MIB = 1024 * 1024
const segment = (startBytes: number, sizeBytes: number, second = 0): Segment => ({
  key: `${startBytes}+${sizeBytes}@${second}`,
  startBytes,
  sizeBytes,
  writtenAt: new Date(second * 1_000),
})

describe('a row of segments', () => {
  const cases: readonly [
    what: string,
    segments: readonly Segment[],
    sizeBytes: number,
    keys: readonly string[] | undefined,
  ][] = [
    ['nothing is needed for no bytes', [], 0, []],
    ['follows from end to start', [segment(0, 5), segment(5, 3)], 8, ['0+5@0', '5+3@0']],
    ['leaves out what lies beyond', [segment(0, 5), segment(5, 3)], 5, ['0+5@0']],
    ['takes the newer of two', [segment(0, 5, 1), segment(0, 5, 2)], 5, ['0+5@2']],
    [
      'passes over what an interrupted writer left',
      [segment(0, 5), segment(5, 9, 1), segment(14, 9, 1), segment(5, 2, 2), segment(7, 4, 3)],
      11,
      ['0+5@0', '5+2@2', '7+4@3'],
    ],
    [
      'goes back when the newer one leads nowhere',
      [segment(0, 5), segment(5, 2, 9), segment(5, 3, 1), segment(8, 2, 1)],
      10,
      ['0+5@0', '5+3@1', '8+2@1'],
    ],
    ['is not there with a gap', [segment(0, 5), segment(6, 3)], 9, undefined],
    ['is not there without a beginning', [segment(5, 3)], 8, undefined],
    ['is not there when it ends too early', [segment(0, 5)], 8, undefined],
  ]
  test.each(cases)('%s', (_, segments, sizeBytes, keys) => {
    expect(chainOf(segments, sizeBytes)?.map(({ key }) => key)).toEqual(keys)
  })

  test('many dead ends are each looked at once', () => {
    const segments = Array.from({ length: 2_000 }, (_, at) => [segment(at, 1), segment(at, 2)]).flat()
    expect(chainOf(segments, 5_000)).toBeUndefined()
  })
})

describe('the parts of an object', () => {
  const kinds = (sizes: readonly number[]) => {
    let startBytes = 0
    const chain = sizes.map((sizeBytes) => {
      const made = segment(startBytes, sizeBytes)
      startBytes += sizeBytes
      return made
    })
    return planParts(chain).map((part) => (part.kind === 'copy' ? 'copy' : part.segments.length))
  }

  test('large segments are copied, the last one whatever its size', () => {
    expect(kinds([8 * MIB, 8 * MIB, 1])).toEqual(['copy', 'copy', 'copy'])
  })

  test('small ones are gathered until they are large enough', () => {
    expect(kinds([MIB, 2 * MIB, 3 * MIB, MIB])).toEqual([3, 'copy'])
    expect(kinds([MIB, 8 * MIB, 8 * MIB])).toEqual([2, 'copy'])
    expect(kinds([8 * MIB, MIB, MIB])).toEqual(['copy', 2])
  })

  test('the smallest part that the store takes is taken', () => {
    expect(kinds([PART_MIN_BYTES, PART_MIN_BYTES - 1, 1])).toEqual(['copy', 2])
  })
})

test('a segment is named by where it begins', () => {
  const name = segmentName(8_388_608, '0123456789abcdef')
  expect(startOfSegment(name)).toBe(8_388_608)
  expect(startOfSegment('something else')).toBeUndefined()
})
