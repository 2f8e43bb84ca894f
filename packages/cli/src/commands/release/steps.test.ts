import { expect, test } from 'vitest'

import { parseSteps } from './steps.ts'

const read: [text: string, steps: unknown][] = [
  ['rest', [{ percent: 100 }]],
  ['1,25%,rest', [{ instances: 1 }, { percent: 25 }, { percent: 100 }]],
  [
    '1,person,25%,header x-gray: 1,rest',
    [{ instances: 1, approve: true }, { percent: 25, header: 'x-gray: 1' }, { percent: 100 }],
  ],
  ['2, weight 10%, soak 90s, person', [{ instances: 2, weight: 10, soakSeconds: 90, approve: true }]],
  ['1,weight 0%', [{ instances: 1, weight: 0 }]],
]
test.each(read)('%s', (text, steps) => expect(parseSteps(text)).toEqual(steps))

const refused = [
  '',
  'person',
  'header x: 1,1',
  '0',
  '101%',
  '1,,2',
  '1,weight',
  '1,weight 101%',
  '1,soak long',
  '1,header x',
  '1,persons',
  '1,person now',
  '1,weight 50%,weight 20%',
  '1,soak 1m,person,soak 2m',
]
test.each(refused)('"%s" is refused', (text) => {
  expect(() => parseSteps(text)).toThrow(expect.objectContaining({ code: 'option_invalid' }) as Error)
})
