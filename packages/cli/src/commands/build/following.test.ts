import type { Build } from '@slipway/contract'
import { systemClock } from '@slipway/kit'
import { cliText } from '@slipway/messages'
import { ApiError, type ServerEvent } from '@slipway/sdk'
import { expect, test } from 'vitest'

import type { Deps } from '../../deps.ts'
import { Exit } from '../../exit.ts'
import { followBuild } from './following.ts'

const running = { id: 'bld_1', state: 'Running', endedAt: null, reason: null } as unknown as Build
const ended = { ...running, state: 'Succeeded', endedAt: '2026-01-15T08:30:00.000Z' } as Build

const line = (id: string, text: string): ServerEvent => ({ id, name: 'line', data: { text } })
const state = (build: Build): ServerEvent => ({ id: '', name: 'build', data: build })

/** Connections one after the other, each a list of events that may end with a loss. */
function setup(connections: readonly (readonly (ServerEvent | Error)[])[]) {
  const asked: (string | undefined)[] = []
  const printed: string[] = []
  const said: string[] = []
  const api = {
    async *followBuildLog(_: unknown, options: { readonly lastEventId?: string }) {
      const events = connections[Math.min(asked.length, connections.length - 1)] ?? []
      asked.push(options.lastEventId)
      for (const event of events) {
        if (event instanceof Error) throw event
        yield event
      }
    },
    getBuild: async () => ended,
  }
  const deps = {
    api: () => api,
    clock: { ...systemClock, sleep: async () => undefined },
    random: () => 0.5,
    signal: new AbortController().signal,
    language: 'en',
    io: {
      note: (text: string) => said.push(text),
      complain: (text: string) => said.push(text),
      progress: () => undefined,
      noteIsTerminal: false,
    },
    text: (key: never, params: never) => cliText('en', key, params),
  } as unknown as Deps
  const write = (text: string): void => void printed.push(text)
  return { asked, printed, said, follow: () => followBuild(deps, running, { timeout: 60_000, write }) }
}

test('a log that breaks off goes on where it broke off, and is read to its end though the build is over', async () => {
  const lost = new ApiError('server_unreachable')
  const { asked, printed, follow } = setup([
    [state(running), line('2', 'one'), line('4', 'two'), lost],
    [lost],
    [state(ended), line('6', 'three'), line('8', 'four')],
  ])
  expect(await follow()).toEqual({ exit: Exit.ok, build: ended })
  expect(printed).toEqual(['one', 'two', 'three', 'four'])
  expect(asked).toEqual([undefined, '4', '4'])
})

test('a build that failed ends with 1 and says why', async () => {
  const reason = { code: 'build_cancelled', params: {} }
  const failed = { ...ended, state: 'Failed', reason } as unknown as Build
  const { said, follow } = setup([[line('2', 'one'), state(failed)]])
  expect(await follow()).toEqual({ exit: Exit.error, build: failed })
  expect(said).toHaveLength(1)
})

test('a log that may not be read ends with the refusal', async () => {
  const { follow } = setup([[new ApiError('permission_missing', { status: 403 })]])
  await expect(follow()).rejects.toMatchObject({ code: 'permission_missing' })
})
