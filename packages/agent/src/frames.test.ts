import fc from 'fast-check'
import { expect, test } from 'vitest'

import { encodeFrame, type Frame, FrameError, frameReader, PAYLOAD_MAX_BYTES } from './frames.ts'

const stream = fc.integer({ min: 1, max: 0xffff_ffff })
const frame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ kind: fc.constantFrom('open', 'end', 'reset'), stream }),
  fc.record({
    kind: fc.constant('data'),
    stream,
    payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  }),
  fc.record({ kind: fc.constant('window'), stream, credit: fc.nat() }),
  fc.record({ kind: fc.constantFrom('ping', 'pong'), stream: fc.constant(0 as const) }),
)

test('frames come out as they went in, in whatever pieces the bytes arrive', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 30 }), fc.array(fc.nat(200)), (frames, cuts) => {
      const bytes = Buffer.concat(frames.map(encodeFrame))
      const read = frameReader()
      const out: Frame[] = []
      let at = 0
      for (const cut of cuts) {
        out.push(...read(bytes.subarray(at, at + cut)))
        at += cut
      }
      out.push(...read(bytes.subarray(at)))
      expect(out).toEqual(frames)
    }),
  )
})

test('noise is refused or waited for, and nothing else is thrown', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      try {
        frameReader()(Buffer.from(noise))
      } catch (error) {
        expect(error).toBeInstanceOf(FrameError)
      }
    }),
  )
})

test('a payload that is announced as too large is refused before it comes', () => {
  const header = encodeFrame({ kind: 'data', stream: 1, payload: Buffer.alloc(0) })
  header.writeUInt32BE(PAYLOAD_MAX_BYTES + 1, 5)
  expect(() => frameReader()(header)).toThrow(FrameError)
})
