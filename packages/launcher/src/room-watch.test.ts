import { MIB } from '@slipway/kit'
import { expect, test } from 'vitest'

import { planRoom } from './room-watch.ts'

const cases: [when: string, isLow: boolean, freeMib: number, says: 'room.low' | 'room.back' | undefined][] = [
  ['there is plenty', false, 5_000, undefined],
  ['it gets tight', false, 10, 'room.low'],
  ['it stays tight', true, 0, undefined],
  ['a little was freed', true, 40, undefined],
  ['enough was freed', true, 200, 'room.back'],
]
test.each(cases)('%s', (_, isLow, freeMib, says) => expect(planRoom(isLow, freeMib * MIB)).toBe(says))
