import { manualClock, type Clock } from '@slipway/kit'
import { cliText } from '@slipway/messages'
import { ApiError } from '@slipway/sdk'
import { describe, expect, test } from 'vitest'

import type { Deps } from './deps.ts'
import { Exit } from './exit.ts'
import { follow, type Following } from './follow.ts'

type State = 'running' | 'half' | 'done' | 'broken'

/** A clock on which every wait is over at once, and time passes by it. */
function hurried(): Clock {
  const clock = manualClock()
  return {
    ...clock,
    async sleep(ms, signal) {
      await clock.advance(ms)
      signal?.throwIfAborted()
    },
  }
}

/** What the stream brings: states and breaks, one connection after another; then what a reading gives. */
type Script = {
  readonly streams?: readonly (readonly (State | Error)[])[]
  readonly reads?: readonly (State | Error)[]
}

function setup({ streams = [], reads = [] }: Script, signal = new AbortController().signal) {
  const said: string[] = []
  const io = {
    note: (text: string) => said.push(text),
    complain: (text: string) => said.push(text),
    progress: () => undefined,
    noteIsTerminal: false,
  }
  const deps = {
    clock: hurried(),
    random: () => 0.5,
    io,
    signal,
    text: (key: never, params: never) => cliText('en', key, params),
  } as unknown as Deps
  let [opened, asked] = [0, 0]
  const following: Following<State> = {
    async *states(watching) {
      const stream = streams[Math.min(opened, streams.length - 1)] ?? []
      opened += 1
      watching.throwIfAborted()
      for (const state of stream) {
        if (state instanceof Error) throw state
        yield state
      }
    },
    read() {
      const state = reads[Math.min(asked, reads.length - 1)] ?? 'running'
      asked += 1
      return state instanceof Error ? Promise.reject(state) : Promise.resolve(state)
    },
    outcome: (state) => (state === 'done' ? 'succeeded' : state === 'broken' ? 'failed' : undefined),
    line: (state) => `now ${state}`,
    again: 'release follow rel_1',
  }
  return { deps, following, said, opened: () => opened, asked: () => asked }
}

describe('following work', () => {
  test('ends with 0 when it succeeds, saying each change once', async () => {
    const { deps, following, said } = setup({ streams: [['running', 'half', 'half', 'done']] })
    expect(await follow(deps, 'running', following, { timeout: 60_000 })).toEqual({
      exit: Exit.ok,
      state: 'done',
    })
    expect(said).toEqual(['now running', 'now half', 'now done'])
  })

  test('ends with 1 when it fails', async () => {
    const { deps, following } = setup({ streams: [['broken']] })
    expect(await follow(deps, 'running', following, { timeout: 60_000 })).toEqual({
      exit: Exit.error,
      state: 'broken',
    })
  })

  test('--detach asks nothing and says how to attach', async () => {
    const { deps, following, said, opened, asked } = setup({})
    expect(await follow(deps, 'running', following, { timeout: 60_000, detach: true })).toMatchObject({
      exit: Exit.ok,
    })
    expect([opened(), asked()]).toEqual([0, 0])
    expect(said.join()).toContain('slipway release follow rel_1')
  })

  test('--timeout ends with 6 and says that the work goes on', async () => {
    const { deps, following, said } = setup({ streams: [['running']] })
    expect(await follow(deps, 'running', following, { timeout: 5_000 })).toMatchObject({ exit: Exit.timeout })
    expect(said.at(-1)).toContain('the work goes on. Attach again: slipway release follow rel_1')
  })

  test('Ctrl-C ends with 130, says how to attach again and touches nothing', async () => {
    const controller = new AbortController()
    const { deps, following, said } = setup({ streams: [['running']] }, controller.signal)
    controller.abort(new Error('interrupted'))
    expect(await follow(deps, 'running', following, { timeout: 60_000 })).toMatchObject({
      exit: Exit.interrupted,
    })
    expect(said.at(-1)).toContain('Detached')
  })

  test('a stream that breaks is taken up again, and nothing is said twice', async () => {
    const { deps, following, said, opened, asked } = setup({
      streams: [
        ['running', new ApiError('server_unreachable')],
        ['half', 'done'],
      ],
      reads: ['running'],
    })
    expect(await follow(deps, 'running', following, { timeout: 60_000 })).toMatchObject({ exit: Exit.ok })
    expect(said).toEqual(['now running', 'now half', 'now done'])
    expect([opened(), asked()]).toEqual([2, 1])
  })

  test('without a stream the state is asked for until the work is over', async () => {
    const { deps, following } = setup({
      streams: [[new ApiError('too_many_streams', { status: 429 })]],
      reads: ['running', new ApiError('database_unavailable', { status: 503 }), 'half', 'done'],
    })
    expect(await follow(deps, 'running', following, { timeout: 600_000 })).toMatchObject({ exit: Exit.ok })
  })

  test('a stream that ends without an end of the work is no end', async () => {
    const { deps, following } = setup({ streams: [['half'], ['done']], reads: ['half'] })
    expect(await follow(deps, 'running', following, { timeout: 60_000 })).toMatchObject({ exit: Exit.ok })
  })

  test('a refusal ends it, from the stream or from a reading', async () => {
    const gone = new ApiError('not_found', { status: 404 })
    for (const script of [{ streams: [[gone]] }, { streams: [[]], reads: [gone] }]) {
      const { deps, following } = setup(script)
      await expect(follow(deps, 'running', following, { timeout: 60_000 })).rejects.toMatchObject({
        code: 'not_found',
      })
    }
  })

  test('a server that stays away ends at the deadline', async () => {
    const { deps, following } = setup({
      streams: [[new ApiError('server_unreachable')]],
      reads: [new ApiError('server_unreachable')],
    })
    expect(await follow(deps, 'running', following, { timeout: 120_000 })).toMatchObject({
      exit: Exit.timeout,
    })
  })
})
