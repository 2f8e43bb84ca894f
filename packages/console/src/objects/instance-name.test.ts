import { expect, test } from 'vitest'

import { shortName } from './instance-name.ts'

const workload = 'wrk_01k9aaaaaaaaaaaaaaaaaaaaaa'

test('Instances are told apart by process and the end of their name', () => {
  expect(shortName(`${workload}.api-web-1a2b3c4d-x7k2p`)).toBe('web-x7k2p')
  expect(shortName(`${workload}.big-api-web-1a2b3c4d-5d9f7c6b8-x7k2p`)).toBe('web-x7k2p')
  expect(shortName(`${workload}.lonely`)).toBe('lonely')
})
