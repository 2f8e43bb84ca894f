import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import {
  AppError,
  canonicalJson,
  decodeCursor,
  decodeNumberCursor,
  encodeCursor,
  envelopeOf,
  idsOf,
  limiterOf,
  manualClock,
  messageOf,
  newMasterKey,
  pageOf,
  parseDurationMs,
  parseJson,
  parseQuantity,
  repeat,
  retryDelayMs,
  seededRandom,
  serialQueue,
} from './index.ts'

describe('ids', () => {
  test('sort as text in the order of their making', async () => {
    const clock = manualClock()
    const newId = idsOf(clock.now)
    const ids: string[] = []
    for (let index = 0; index < 50; index += 1) {
      ids.push(newId('rel'))
      await clock.advance(7)
    }
    expect([...ids].sort()).toEqual(ids)
    expect(ids[0]).toMatch(/^rel_[0-9a-z]{26}$/)
  })
})

describe('envelope', () => {
  const envelope = envelopeOf(newMasterKey())

  test('opens what it sealed', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (plain, id) => {
        const sealed = envelope.seal(plain, ['org', 'kind', id, '1'])
        expect(envelope.open(sealed, ['org', 'kind', id, '1']).toString('utf8')).toBe(
          Buffer.from(plain, 'utf8').toString('utf8'),
        )
      }),
    )
  })

  test.each([
    ['another Organization', ['org2', 'variable', 'a', '1']],
    ['another id', ['org', 'variable', 'b', '1']],
    ['another version', ['org', 'variable', 'a', '2']],
    ['parts cut elsewhere', ['or', 'gvariable', 'a', '1']],
  ] as const)('refuses a ciphertext moved to %s', (_, owner) => {
    const sealed = envelope.seal('secret', ['org', 'variable', 'a', '1'])
    expect(() => envelope.open(sealed, [...owner])).toThrow(AppError)
  })

  test('refuses another master key and every flipped byte', () => {
    const sealed = envelope.seal('secret', ['org', 'variable', 'a', '1'])
    expect(() => envelopeOf(newMasterKey()).open(sealed, ['org', 'variable', 'a', '1'])).toThrow(
      'secret_unreadable',
    )
    const bytes = Buffer.from(sealed, 'base64url')
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = Buffer.from(bytes)
      changed[index] = (changed[index] ?? 0) ^ 1
      expect(() => envelope.open(changed.toString('base64url'), ['org', 'variable', 'a', '1'])).toThrow(
        AppError,
      )
    }
  })
})

describe('json from outside', () => {
  test('refuses 200,000 levels without a stack overflow', () => {
    expect(() => parseJson('['.repeat(200_000))).toThrow('json_too_deep')
  })
  test.each([
    '{"__proto__":{"admin":true}}',
    '{"a":{"constructor":1}}',
    '{"\\u005f_proto__":1}',
    '{"a":',
    '',
  ])('refuses %s', (text) => expect(() => parseJson(text)).toThrow('json_invalid'))
  test('brackets inside strings do not count as depth', () => {
    expect(parseJson(JSON.stringify({ a: '['.repeat(1000) + '\\"' }))).toEqual({
      a: '['.repeat(1000) + '\\"',
    })
  })
  test('canonical text does not depend on the order of keys', () => {
    expect(canonicalJson({ b: [{ z: 1, a: 2 }], a: null })).toBe('{"a":null,"b":[{"a":2,"z":1}]}')
  })
})

describe('units', () => {
  test.each([
    ['250m', 0.25],
    ['1.5Gi', 1.5 * 2 ** 30],
    ['2e3', 2000],
    ['1E', 1e18],
    ['3', 3],
    ['100k', 100_000],
  ])('quantity %s', (text, value) => expect(parseQuantity(text)).toBeCloseTo(value, 9))
  test.each(['', '1 Gi', 'Gi', '1KiB', '0x10', '1'.repeat(40)])('refuses quantity %j', (text) =>
    expect(() => parseQuantity(text)).toThrow('quantity_invalid'),
  )
  test('durations', () => {
    expect(parseDurationMs('90s')).toBe(90_000)
    expect(() => parseDurationMs('1.5h')).toThrow('duration_invalid')
  })
})

describe('paging', () => {
  test('a cursor comes back as it was packed', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (key) => {
        expect(decodeCursor(encodeCursor(key), key.length)).toEqual(key)
      }),
    )
  })
  test.each(['', 'not base64', encodeCursor(['a', 'b']), Buffer.from('{"a":1}').toString('base64url')])(
    'refuses cursor %j',
    (cursor) => expect(() => decodeCursor(cursor, 1)).toThrow('cursor_invalid'),
  )

  test('a cursor of a number takes nothing else', () => {
    expect(decodeNumberCursor(encodeCursor(['12']))).toBe(12)
    for (const text of ['', '1.5', '1e999', '-1', 'Infinity', '10000000000', 'x'])
      expect(() => decodeNumberCursor(encodeCursor([text])), text).toThrow('cursor_invalid')
  })
  test('the extra row only tells that there is more', () => {
    const page = pageOf([1, 2, 3], 2, (row) => row, String as never)
    expect(page.items).toEqual([1, 2])
    expect(
      pageOf(
        [1, 2],
        2,
        (row) => row,
        (row) => [String(row)],
      ).cursor,
    ).toBeUndefined()
  })
})

describe('retry', () => {
  test('doubles and stays below the limit', () => {
    const half = (): number => 0.5
    expect([0, 1, 2, 30].map((attempt) => retryDelayMs(attempt, half))).toEqual([500, 1000, 2000, 300_000])
    expect(() => retryDelayMs(-1, half)).toThrow('attempt counts from 0')
  })
})

describe('queues', () => {
  test('a serial queue keeps order and survives a failure', async () => {
    const queue = serialQueue()
    const seen: number[] = []
    const failing = queue.run(() => Promise.reject(new Error('no')))
    const later = queue.run(() => seen.push(1))
    await expect(failing).rejects.toThrow('no')
    await later
    expect(seen).toEqual([1])
  })

  test('a limiter never runs more than its count', async () => {
    const random = seededRandom(7)
    const limiter = limiterOf(3)
    let running = 0
    let most = 0
    await Promise.all(
      Array.from({ length: 40 }, () =>
        limiter.run(async () => {
          running += 1
          most = Math.max(most, running)
          for (let turn = 0; turn < random() * 5; turn += 1) await Promise.resolve()
          running -= 1
        }),
      ),
    )
    expect(most).toBe(3)
  })
})

describe('manual clock', () => {
  test('runs what falls due in order and cancels what was disposed', async () => {
    const clock = manualClock()
    const seen: string[] = []
    clock.after(20, () => seen.push('late'))
    clock.after(10, () => seen.push('early'))
    clock.after(15, () => seen.push('never'))[Symbol.dispose]()
    const ticks = clock.every(8, () => seen.push('tick'))
    await clock.advance(20)
    ticks[Symbol.dispose]()
    await clock.advance(100)
    expect(seen).toEqual(['tick', 'early', 'tick', 'late'])
  })
})

describe('repeat', () => {
  test('leaves out what falls due while it runs, and goes on after a failure', async () => {
    const clock = manualClock()
    const failures: unknown[] = []
    let begun = 0
    const lengthsMs = [25, 0, 0]
    const repeating = repeat(
      clock,
      10,
      async () => {
        begun += 1
        const lengthMs = lengthsMs[begun - 1]
        if (lengthMs === undefined) return
        if (lengthMs > 0) await clock.sleep(lengthMs)
        else throw new Error(`failed in run ${begun}`)
      },
      (thrown) => failures.push(messageOf(thrown)),
    )
    await clock.advance(9)
    expect(begun).toBe(0)
    await clock.advance(21)
    expect(begun).toBe(1)
    await clock.advance(10)
    expect(begun).toBe(2)
    await clock.advance(20)
    expect(begun).toBe(4)
    expect(failures).toEqual(['failed in run 2', 'failed in run 3'])
    repeating[Symbol.dispose]()
    await clock.advance(100)
    expect(begun).toBe(4)
  })
})
