import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { unknownFields } from './index.ts'
import { sameJson } from './json.ts'
import { canonicalQuantity, quantityNano } from './quantity.ts'

test.each([
  ['a misspelt field', 'apps/v1', 'Deployment', { spec: { replica: 1 } }, ['unknown field "spec.replica"']],
  [
    'a field deep in a list',
    'v1',
    'Pod',
    { spec: { containers: [{ name: 'a' }, { name: 'b', imagePolicy: 'x' }] } },
    ['unknown field "spec.containers[1].imagePolicy"'],
  ],
  [
    'a volume, whose sources stand beside its name',
    'v1',
    'Pod',
    { spec: { volumes: [{ name: 'v', emptyDir: {} }] } },
    [],
  ],
  ['free maps', 'v1', 'ConfigMap', { data: { anything: 'goes' }, metadata: { labels: { 'a/b': 'c' } } }, []],
  [
    'a field of the Gateway API that is not in its definition',
    'gateway.networking.k8s.io/v1',
    'HTTPRoute',
    { metadata: { foo: 1 }, spec: { rules: [{ matches: [{ pth: {} }] }] } },
    ['unknown field "metadata.foo"', 'unknown field "spec.rules[0].matches[0].pth"'],
  ],
  ['a kind that we do not know', 'example.com/v1', 'Thing', { foo: 1 }, []],
])('strict decoding looks at %s', (_, apiVersion, kind, fields, messages) => {
  expect(unknownFields(apiVersion, kind, { apiVersion, kind, ...fields })).toEqual(messages)
})

test('strict decoding says at most a hundred things', () => {
  const object = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`field${index}`, 1]))
  expect(unknownFields('v1', 'Pod', object)).toHaveLength(100)
})

test.each([
  ['0.5', '500m'],
  ['1000m', '1'],
  ['1024Mi', '1Gi'],
  ['1.5Gi', '1536Mi'],
  ['1000', '1k'],
  ['1000Ki', '1000Ki'],
  ['512Ki', '512Ki'],
  ['0.1Ki', '102400m'],
  ['1e3', '1e3'],
  ['100e1', '1e3'],
  ['0Gi', '0'],
  ['-5m', '-5m'],
  ['.5', '500m'],
  ['5.', '5'],
  ['1u', '1u'],
  ['0.0000000001', '1n'],
  ['12E', '12E'],
])('the quantity %s is written %s', (text, canonical) => {
  expect(canonicalQuantity(text)).toBe(canonical)
})

test.each(['', 'x', '1x', '1 Gi', '1e', '--1', '1ee3', '1e99', 'Gi', '.', '1'.repeat(200)])(
  '%j is no quantity',
  (text) => {
    expect(canonicalQuantity(text)).toBeUndefined()
  },
)

test('the canonical spelling of a quantity is the same amount and its own canonical spelling', () => {
  const suffix = fc.constantFrom('n', 'u', 'm', '', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'e3', 'e-3')
  const digits = fc.tuple(fc.integer({ min: -999_999, max: 999_999 }), fc.nat({ max: 999 }), suffix)
  fc.assert(
    fc.property(digits, ([whole, fraction, unit]) => {
      const text = `${whole}.${fraction}${unit}`
      const canonical = canonicalQuantity(text) ?? ''
      expect(quantityNano(canonical)).toBe(quantityNano(text))
      expect(canonicalQuantity(canonical)).toBe(canonical)
    }),
  )
})

test('JSON values are the same whatever the order of their keys', () => {
  expect(sameJson({ a: 1, b: [{ c: null }] }, { b: [{ c: null }], a: 1 })).toBe(true)
  expect(sameJson({ a: undefined }, { b: undefined })).toBe(false)
  expect(sameJson([1, 2], [2, 1])).toBe(false)
})
