import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { StatusError } from '../errors.ts'
import { readAnswers } from '../schema/testing.ts'
import { objectOf, textOf } from '../schema/json.ts'
import { normalizeObject } from '../schema/normalize.ts'
import { decodeProtobuf } from './index.ts'

const bodies = readAnswers('protobuf')

test.each(bodies.map((one) => [textOf(one['kind']), one] as const))(
  'a %s in protobuf is the same object as in JSON',
  (_, one) => {
    const bytes = Buffer.from(textOf(one['protobuf']), 'base64')
    expect(decodeProtobuf(bytes)).toEqual(normalizeObject(objectOf(one['json'])))
  },
)

test('whatever bytes come, the answer is an object or a bad request', () => {
  const prefix = Buffer.from('k8s\0')
  const kinds = fc.constantFrom(...bodies.map((one) => Buffer.from(textOf(one['protobuf']), 'base64')))
  const damaged = fc
    .tuple(kinds, fc.nat(), fc.uint8Array({ maxLength: 8 }), fc.boolean())
    .map(([bytes, at, noise, cut]) => {
      const place = prefix.length + (at % (bytes.length - prefix.length))
      return Buffer.concat([
        bytes.subarray(0, place),
        noise,
        cut ? Buffer.alloc(0) : bytes.subarray(place + 1),
      ])
    })
  const noise = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.concat([prefix, bytes]))
  fc.assert(
    fc.property(fc.oneof(damaged, noise), (bytes) => {
      try {
        expect(decodeProtobuf(bytes)['kind']).toBeTypeOf('string')
      } catch (error) {
        if (!(error instanceof StatusError)) throw error
        expect(error.code).toBe(400)
      }
    }),
    { numRuns: 500 },
  )
})

test.each([
  ['no prefix', Buffer.from('{}'), 400],
  ['nothing', new Uint8Array(), 400],
  ['only the prefix', Buffer.from('k8s\0'), 400],
  ['more than 3 MiB', Buffer.alloc(3 * 1024 * 1024 + 1), 413],
])('a body with %s is refused', (_, bytes, code) => {
  expect(() => decodeProtobuf(bytes)).toThrow(expect.objectContaining({ code }))
})
