import { expect, test } from 'vitest'

import { commandOf, isLine, lineAddressText, requestOf, viewOf } from './view.ts'

const workload = 'wrk_01k9aaaaaaaaaaaaaaaaaaaaaa'
const now = new Date('2026-01-31T08:00:00Z')

test('an empty address shows the last lines, wrapped, with times', () => {
  const view = viewOf(workload, {})
  expect(view).toMatchObject({ span: 'last', isWrapped: true, hasTimes: true, isPrevious: false, find: '' })
  expect(requestOf(workload, view, now)).toEqual({ workload, previous: 'false', tail: 1_000 })
})

test('what an address cannot mean is passed over', () => {
  const view = viewOf(workload, {
    since: '7w',
    instance: 'wrk_01k9bbbbbbbbbbbbbbbbbbbbbb.api',
    process: '<b>',
    line: 'yesterday~a',
    find: 'x'.repeat(500),
  })
  expect(view).toMatchObject({ span: 'last', instance: undefined, process: undefined, line: undefined })
  expect(view.find).toHaveLength(200)
})

test.each(['toString', '__proto__', 'constructor'])('%s is no span', (since) => {
  expect(viewOf(workload, { since }).span).toBe('last')
})

test('a time asks for everything since then, a link for what stands before its line', () => {
  expect(requestOf(workload, viewOf(workload, { since: '3h' }), now)).toMatchObject({
    since: '2026-01-31T05:00:00.000Z',
    tail: 100_000,
  })
  const line = lineAddressText({ at: '2026-01-31T07:30:00.123456789Z', instance: `${workload}.api-web-1-x` })
  const view = viewOf(workload, { line })
  expect(requestOf(workload, view, now)).toMatchObject({ since: '2026-01-31T07:20:00.123Z' })
  expect(
    view.line &&
      isLine(view.line, { at: '2026-01-31T07:30:00.123456789Z', instance: `${workload}.api-web-1-x` }),
  ).toBe(true)
  expect(
    view.line &&
      isLine(view.line, { at: '2026-01-31T07:30:00.123456788Z', instance: `${workload}.api-web-1-x` }),
  ).toBe(false)
})

test('the command line shows the same', () => {
  const view = viewOf(workload, {
    since: '3h',
    instance: `${workload}.api-web-1a2b3c4d-x7k2p`,
    find: "can't",
    only: 'true',
    previous: 'true',
  })
  expect(commandOf('shop/api/production', view)).toBe(
    `logs -f shop/api/production/api-web-1a2b3c4d-x7k2p --since 3h --previous --filter 'can'\\''t'`,
  )
})
