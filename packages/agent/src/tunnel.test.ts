import { createHash } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { buffer } from 'node:stream/consumers'

import { manualClock, systemClock, waitFor, type Clock } from '@slipway/kit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { encodeFrame } from './frames.ts'
import { openTunnel, STREAMS_MAX, type Carrier, type Tunnel } from './tunnel.ts'
import { WINDOW_BYTES } from './tunnel-stream.ts'

type End = Carrier & { receive: (bytes: Buffer) => void; drop: (why: string) => void }

/** Two ends of a connection that delivers later, in pieces that `cutAt` chooses; `cut` makes it swallow everything. */
function connection(cutAt: () => number = () => 65_536): {
  readonly left: End
  readonly right: End
  readonly cut: () => void
} {
  let isCut = false
  const make = (): End => {
    let onMessage: (bytes: Buffer) => void = () => undefined
    let onClose: (why: string) => void = () => undefined
    return {
      send: () => undefined,
      close: () => undefined,
      onMessage: (listener) => void (onMessage = listener),
      onClose: (listener) => void (onClose = listener),
      receive: (bytes) => onMessage(bytes),
      drop: (why) => onClose(why),
    }
  }
  const join = (from: End, to: End): End => {
    const send: Carrier['send'] = (bytes, sent) => {
      setImmediate(() => {
        let at = 0
        while (at < bytes.length) {
          if (isCut) return
          const sizeBytes = Math.max(1, cutAt())
          to.receive(Buffer.from(bytes.subarray(at, at + sizeBytes)))
          at += sizeBytes
        }
        if (!isCut) sent?.()
      })
    }
    return Object.assign(from, {
      send,
      close: (why: string) => setImmediate(() => (isCut ? undefined : to.drop(why))),
    })
  }
  const [left, right] = [make(), make()]
  return { left: join(left, right), right: join(right, left), cut: () => void (isCut = true) }
}

function pair(
  onStream: (stream: Duplex) => void,
  options: { readonly clock?: Clock; readonly cutAt?: () => number } = {},
): { readonly platform: Tunnel; readonly agent: Tunnel; readonly cut: () => void } {
  const { left, right, cut } = connection(options.cutAt)
  const clock = options.clock ?? systemClock
  return {
    platform: openTunnel({ carrier: left, clock }),
    agent: openTunnel({ carrier: right, clock, onStream }),
    cut,
  }
}

const until = (what: string, condition: () => boolean): Promise<boolean> =>
  waitFor(systemClock, what, () => condition() || undefined, { timeoutMs: 30_000 })
const echo = (stream: Duplex): void => void stream.pipe(stream)
const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

describe('a tunnel', () => {
  test('carries many streams at once, each whole and in order, however the connection cuts the bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.integer({ min: 0, max: 100_000 }), { maxLength: 6 }), {
          minLength: 1,
          maxLength: 8,
        }),
        fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 20 }),
        async (conversations, cuts) => {
          let turn = 0
          const { platform } = pair(echo, { cutAt: () => cuts[(turn += 1) % cuts.length] ?? 1 })
          const results = conversations.map(async (sizes, index) => {
            const stream = platform.open()
            const sent = sizes.map((size, at) => Buffer.alloc(size, index * 16 + at))
            for (const bytes of sent) stream.write(bytes)
            stream.end()
            expect(hash(await buffer(stream))).toBe(hash(Buffer.concat(sent)))
          })
          await Promise.all(results)
          await until('all streams to be forgotten', () => platform.streamCount() === 0)
          platform.close('done')
        },
      ),
      { numRuns: 40 },
    )
  })

  test('a reader that sleeps holds up its own stream and no other', async () => {
    const sleeping: Duplex[] = []
    let isFirst = true
    const { platform } = pair((stream) => {
      if (isFirst) sleeping.push(stream)
      else echo(stream)
      isFirst = false
    })
    const slow = platform.open()
    let acceptedBytes = 0
    const piece = Buffer.alloc(16_384)
    const fill = (): void =>
      void slow.write(piece, (error) => {
        if (error) return
        acceptedBytes += piece.length
        fill()
      })
    fill()
    const quick = platform.open()
    quick.end('hello')
    expect((await buffer(quick)).toString()).toBe('hello')
    await until('the window to be full', () => acceptedBytes >= WINDOW_BYTES - piece.length)
    expect(acceptedBytes).toBeLessThanOrEqual(WINDOW_BYTES)
    // Read at last, the rest follows.
    sleeping[0]?.resume()
    await until('more to be taken', () => acceptedBytes > 4 * WINDOW_BYTES)
    platform.close('done')
  })

  test('a stream that is destroyed at one end ends at the other, and the tunnel goes on', async () => {
    const streams: Duplex[] = []
    const { platform } = pair((stream) => void streams.push(stream))
    const stream = platform.open()
    await until('the stream to arrive', () => streams.length === 1)
    stream.destroy()
    await until('the other end to be closed', () => streams[0]?.destroyed === true)
    const next = platform.open()
    await until('the next stream', () => streams.length === 2)
    next.write('x')
    const [first] = (await streams[1]?.take(1).toArray()) ?? []
    expect(String(first)).toBe('x')
    platform.close('done')
  })

  test('when it ends, every stream at both ends breaks as a connection does', async () => {
    const streams: Duplex[] = []
    const { platform, agent } = pair((stream) => void streams.push(stream))
    const stream = platform.open()
    const broke = new Promise((resolve) => stream.once('error', resolve))
    await until('the stream to arrive', () => streams.length === 1)
    agent.close('the agent stops')
    expect(await platform.closed).toBe('the agent stops')
    expect(await broke).toMatchObject({ code: 'ECONNRESET' })
    expect(streams[0]?.destroyed).toBe(true)
    expect(() => platform.open()).toThrow('the agent stops')
  })

  test('a connection that swallows everything is found dead by both ends', async () => {
    const clock = manualClock()
    const { platform, agent, cut } = pair(echo, { clock })
    for (let beat = 0; beat < 20; beat += 1) {
      await clock.advance(5_000)
      await new Promise(setImmediate)
      await new Promise(setImmediate)
    }
    expect(() => platform.open()).not.toThrow()
    cut()
    await clock.advance(30_000)
    expect(await platform.closed).toBe('the other end is silent')
    expect(await agent.closed).toBe('the other end is silent')
  })

  test('carries no more streams than it promises', () => {
    const { platform } = pair(() => undefined)
    for (let count = 0; count < STREAMS_MAX; count += 1) platform.open()
    expect(() => platform.open()).toThrow(String(STREAMS_MAX))
    platform.close('done')
  })

  const payload = Buffer.alloc(32_768)
  test.each([
    ['noise', () => [Buffer.from('GET / HTTP/1.1\r\n\r\n')]],
    ['a stream that the agent opens', () => [encodeFrame({ kind: 'open', stream: 1 })]],
    ['data for a stream that nobody opened', () => [encodeFrame({ kind: 'data', stream: 9, payload })]],
    [
      'more than the window allows',
      () => Array.from({ length: 9 }, () => encodeFrame({ kind: 'data', stream: 1, payload })),
    ],
    [
      'data after the end',
      () => [encodeFrame({ kind: 'end', stream: 1 }), encodeFrame({ kind: 'data', stream: 1, payload })],
    ],
  ])('%s ends the tunnel', async (_, messages) => {
    const { left } = connection()
    const tunnel = openTunnel({ carrier: left, clock: systemClock })
    // Nobody reads it: what is sent stays in the window.
    tunnel.open()
    for (const bytes of messages()) left.receive(bytes)
    expect(await tunnel.closed).toMatch(/frame|stream|window/u)
  })
})
