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

function setup(states: readonly (State | Error)[], signal = new AbortController().signal) {
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
  let reads = 0
  const following: Following<State> = {
    read() {
      const state = states[Math.min(reads, states.length - 1)] ?? 'running'
      reads += 1
      return state instanceof Error ? Promise.reject(state) : Promise.resolve(state)
    },
    outcome: (state) => (state === 'done' ? 'succeeded' : state === 'broken' ? 'failed' : undefined),
    line: (state) => `now ${state}`,
    again: 'release follow rel_1',
  }
  return { deps, following, said, reads: () => reads }
}

describe('following work', () => {
  test('ends with 0 when it succeeds, saying each change once', async () => {
    const { deps, following, said } = setup(['running', 'half', 'half', 'done'])
    expect(await follow(deps, 'running', following, { timeout: 60_000 })).toEqual({
      exit: Exit.ok,
      state: 'done',
    })
    expect(said).toEqual(['now running', 'now half', 'now done'])
  })

  test('ends with 1 when it fails', async () => {
    const { deps, following } = setup(['broken'])
    expect(await follow(deps, 'running', following, { timeout: 60_000 })).toEqual({
      exit: Exit.error,
      state: 'broken',
    })
  })

  test('--detach asks nothing and says how to attach', async () => {
    const { deps, following, said, reads } = setup(['running'])
    expect(await follow(deps, 'running', following, { timeout: 60_000, detach: true })).toMatchObject({
      exit: Exit.ok,
    })
    expect(reads()).toBe(0)
    expect(said.join()).toContain('slipway release follow rel_1')
  })

  test('--timeout ends with 6 and says that the work goes on', async () => {
    const { deps, following, said } = setup(['running'])
    expect(await follow(deps, 'running', following, { timeout: 5_000 })).toMatchObject({ exit: Exit.timeout })
    expect(said.at(-1)).toContain('the work goes on. Attach again: slipway release follow rel_1')
  })

  test('Ctrl-C ends with 130, says how to attach again and touches nothing', async () => {
    const controller = new AbortController()
    const { deps, following, said } = setup(['running'], controller.signal)
    controller.abort(new Error('interrupted'))
    expect(await follow(deps, 'running', following, { timeout: 60_000 })).toMatchObject({
      exit: Exit.interrupted,
    })
    expect(said.at(-1)).toContain('Detached')
  })

  test('a read that fails for a passing reason is tried again; any other ends it', async () => {
    const passing = setup([
      new ApiError('server_unreachable'),
      new ApiError('database_unavailable', { status: 503 }),
      'done',
    ])
    expect(await follow(passing.deps, 'running', passing.following, { timeout: 60_000 })).toMatchObject({
      exit: Exit.ok,
    })
    const final = setup([new ApiError('not_found', { status: 404 })])
    await expect(follow(final.deps, 'running', final.following, { timeout: 60_000 })).rejects.toMatchObject({
      code: 'not_found',
    })
  })

  test('a server that stays away ends at the deadline', async () => {
    const { deps, following } = setup([new ApiError('server_unreachable')])
    expect(await follow(deps, 'running', following, { timeout: 120_000 })).toMatchObject({
      exit: Exit.timeout,
    })
  })
})
