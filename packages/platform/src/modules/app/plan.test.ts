import { describe, expect, test } from 'vitest'

import { namespaceOf } from './model.ts'
import { changeVariables, shownVariables } from './plan.ts'

const plain = (name: string, value: string) => ({ name, value, secret: false })
const secret = (name: string, value: string) => ({ name, value, secret: true })

describe('variables', () => {
  test('set replaces, remove removes, the rest stays', () => {
    const result = changeVariables([plain('A', '1'), secret('B', '2')], {
      set: [plain('C', '3'), plain('A', '9')],
      remove: ['B'],
    })
    expect(result).toEqual({ kind: 'changed', variables: [plain('A', '9'), plain('C', '3')] })
  })
  test('removing what is not there names it', () => {
    expect(changeVariables([], { set: [], remove: ['X'] })).toEqual({ kind: 'unknown', name: 'X' })
  })
  test.each(['PORT', 'HOST', 'POD_IP', 'SLIPWAY_VERSION', 'SLIPWAY_', 'KUBERNETES_SERVICE_HOST'])(
    '%s is not set by people, but a value from before can be removed',
    (name) => {
      expect(changeVariables([], { set: [plain('A', '1'), plain(name, 'x')], remove: [] })).toEqual({
        kind: 'reserved',
        name,
      })
      expect(changeVariables([plain(name, 'x')], { set: [], remove: [name] }).kind).toBe('changed')
    },
  )
  test.each(['LD_PRELOAD', 'NODE_OPTIONS', 'PATH', 'HOSTNAME', 'DB_PORT', 'MY_SLIPWAY_KEY', 'port'])(
    '%s is the application’s own',
    (name) => expect(changeVariables([], { set: [plain(name, 'x')], remove: [] }).kind).toBe('changed'),
  )
  test('the same values are no change, but making one secret is', () => {
    expect(changeVariables([plain('A', '1')], { set: [plain('A', '1')], remove: [] })).toEqual({
      kind: 'unchanged',
    })
    expect(changeVariables([plain('A', '1')], { set: [secret('A', '1')], remove: [] }).kind).toBe('changed')
  })
  test('the value of a secret variable is never shown', () => {
    expect(shownVariables([secret('A', 'hidden'), plain('B', 'b')])).toEqual([
      { name: 'A', secret: true, value: null },
      { name: 'B', secret: false, value: 'b' },
    ])
  })
})

describe('namespaces', () => {
  test('fit into 63 characters and never end a part with a hyphen', () => {
    const long = `${'a'.repeat(26)}-${'b'.repeat(10)}`
    const name = namespaceOf(long, { id: `env_${'0'.repeat(20)}abc123`, slug: long })
    expect(name).toBe(`${'a'.repeat(26)}-${'a'.repeat(26)}-abc123`)
    expect(name.length).toBeLessThanOrEqual(63)
  })
})
