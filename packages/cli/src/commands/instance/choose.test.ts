import { expect, test } from 'vitest'

import { newestOf } from './choose.ts'

const cases: [name: string, releases: (number | null)[], chosen: number | null | undefined][] = [
  ['the newest Release, wherever it stands in the list', [5, 7, 6], 7],
  ['an Instance whose Release is unknown only when there is no other', [null, 3], 3],
  ['an Instance whose Release is unknown, alone', [null], null],
  ['nothing of nothing', [], undefined],
]
test.each(cases)('%s', (_, releases, chosen) => {
  expect(newestOf(releases.map((releaseNumber) => ({ releaseNumber })))?.releaseNumber).toBe(chosen)
})
