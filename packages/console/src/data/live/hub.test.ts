import type { Change } from '@slipway/contract'
import { manualClock } from '@slipway/kit'
import { ApiError, type ChangeNotice, type WatchOptions } from '@slipway/sdk'
import { expect, test } from 'vitest'

import { hubOf, type FromTab, type ToTab } from './hub.ts'

const change: Change = {
  type: 'project',
  id: 'prj_1',
  change: 'changed',
  organizationId: null,
  projectId: 'prj_1',
  applicationId: null,
  workloadId: null,
  version: 1,
}
const told = (cursor: string): ChangeNotice => ({ kind: 'change', cursor, change })
const start: ChangeNotice = { kind: 'reset', cursor: 'c0', types: null, reason: 'start' }

type Stream = {
  readonly options: WatchOptions
  readonly send: (notice: ChangeNotice) => Promise<void>
  readonly refuse: (code: string) => Promise<void>
}

/** A hub whose streams the test writes. */
function hub() {
  const clock = manualClock(new Date('2026-01-01T00:00:00Z'))
  const streams: Stream[] = []
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  async function* watch(options: WatchOptions): AsyncGenerator<ChangeNotice> {
    const queue: (ChangeNotice | Error)[] = []
    let wake: () => void = () => undefined
    const put = (item: ChangeNotice | Error): Promise<void> => {
      queue.push(item)
      wake()
      return settle()
    }
    streams.push({
      options,
      send: put,
      refuse: (code) => put(new ApiError(code, { status: 401 })),
    })
    for (;;) {
      const item = queue.shift()
      if (item instanceof Error) throw item
      if (item) yield item
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  }
  const made = hubOf(watch, clock)
  const tab = () => {
    const heard: ToTab[] = []
    const own = { tell: (message: ToTab) => void heard.push(message) }
    return { heard, say: (message: FromTab) => made.hear(own, message) }
  }
  return { clock, streams, tab, settle }
}

test('two tabs share one stream, and both are told', async () => {
  const { streams, tab } = hub()
  const [one, two] = [tab(), tab()]
  one.say('join')
  two.say('join')
  await streams[0]?.send(start)
  await streams[0]?.send(told('c1'))
  expect(streams).toHaveLength(1)
  const expected = [
    { kind: 'state', isLive: false },
    { kind: 'state', isLive: true },
    { kind: 'reset', types: null },
    { kind: 'change', change },
  ]
  expect(one.heard).toEqual(expected)
  expect(two.heard).toEqual(expected)
})

test('the stream outlives the tab that began it, and ends with the last one', async () => {
  const { streams, tab } = hub()
  const [one, two] = [tab(), tab()]
  one.say('join')
  two.say('join')
  one.say('leave')
  expect(streams[0]?.options.signal?.aborted).toBe(false)
  two.say('leave')
  expect(streams[0]?.options.signal?.aborted).toBe(true)
  two.say('join')
  expect(streams).toHaveLength(2)
})

test('a server that is back is asked at once, from where it was left', async () => {
  const { streams, tab } = hub()
  const one = tab()
  one.say('join')
  await streams[0]?.send(start)
  await streams[0]?.send(told('c1'))
  one.say('retry')
  expect(streams).toHaveLength(1)
  await streams[0]?.send({ kind: 'connection', lost: new ApiError('server_unreachable') })
  expect(one.heard.at(-1)).toEqual({ kind: 'state', isLive: false })
  one.say('retry')
  expect(streams[1]?.options.cursor).toBe('c1')
})

test('who signs in begins anew, and an ended session is not asked for again', async () => {
  const { clock, streams, tab, settle } = hub()
  const one = tab()
  one.say('join')
  await streams[0]?.send(start)
  await streams[0]?.refuse('session_ended')
  expect(one.heard.slice(-2)).toEqual([
    { kind: 'state', isLive: false },
    { kind: 'refused', code: 'session_ended' },
  ])
  await clock.advance(60_000)
  expect(streams).toHaveLength(1)
  one.say('restart')
  await settle()
  expect(streams[1]?.options.cursor).toBeUndefined()
})

test('another refusal is asked about again after a while', async () => {
  const { clock, streams, tab } = hub()
  tab().say('join')
  await streams[0]?.refuse('internal')
  await clock.advance(15_000)
  expect(streams).toHaveLength(2)
})
