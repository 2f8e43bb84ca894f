import { DAY_MS } from '@slipway/kit'
import { expect, test } from 'vitest'

import { toneOfEnd } from './end.ts'

const now = new Date('2026-03-01T00:00:00Z')
test.each([
  ['2026-02-28T23:59:59Z', 'bad'],
  ['2026-03-01T00:00:00Z', 'bad'],
  ['2026-03-01T00:00:01Z', 'warn'],
  ['2026-03-08T00:00:00Z', 'warn'],
  ['2026-03-08T00:00:01Z', 'good'],
])('what ends at %s is %s', (at, tone) => expect(toneOfEnd(at, now, 7 * DAY_MS)).toBe(tone))
