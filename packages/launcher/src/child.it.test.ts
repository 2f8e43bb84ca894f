import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { systemClock, waitFor } from '@slipway/kit'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { startChild, type ChildMessage, type ChildOptions } from './child.ts'
import { openLogFile } from './log-file.ts'
import { findStartTime } from './process-identity.ts'
import { supervise } from './supervise.ts'

let folder: string
const { signal } = new AbortController()

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-child-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function optionsOf(program: string, more: Partial<ChildOptions> = {}): Promise<ChildOptions> {
  const script = join(folder, 'child.mjs')
  await writeFile(script, program)
  return {
    name: 'platform',
    node: process.execPath,
    nodeFlags: [],
    script,
    args: [],
    env: {},
    log: openLogFile(join(folder, 'child.log')),
    clock: systemClock,
    readyMs: 20_000,
    stopMs: 20_000,
    ...more,
  }
}

const stays = "process.on('disconnect', () => process.exit(0)); setInterval(() => undefined, 1000);"
const isReady = "process.send({ type: 'ready', url: 'http://localhost:1' });"

test('what a child says before and after it is ready is heard', async () => {
  const heard: ChildMessage[] = []
  const options = await optionsOf(
    `${stays} process.send({ type: 'sample', sampleUrl: 'early' }); ${isReady} process.send({ type: 'sample', sampleUrl: 'late' })`,
    { onMessage: (message) => heard.push(message) },
  )
  await using child = await startChild(options, signal)
  expect(child.ready).toMatchObject({ url: 'http://localhost:1' })
  await waitFor(systemClock, 'both words', () => heard.length === 2, { timeoutMs: 20_000 })
  expect(heard.map((message) => message['sampleUrl'])).toEqual(['early', 'late'])
})

test('a refusal is told by its code, and an unknown one in the words of the child', async () => {
  const known = await optionsOf(
    "process.send({ type: 'failed', code: 'port_unavailable', params: { port: 7447, host: '127.0.0.1' }, error: 'x' }); setInterval(() => undefined, 1000)",
  )
  await expect(startChild(known, signal)).rejects.toMatchObject({
    code: 'port_unavailable',
    params: { port: 7447, host: '127.0.0.1' },
  })
  const unknown = await optionsOf(
    "process.send({ type: 'failed', error: 'state is damaged' }); setInterval(() => undefined, 1000)",
  )
  await expect(startChild(unknown, signal)).rejects.toMatchObject({
    code: 'part_failed',
    params: { part: 'platform', reason: 'state is damaged', log: join(folder, 'child.log') },
  })
})

test('a child that ends before it is ready is refused with its last line', async () => {
  const options = await optionsOf(
    "process.stderr.write('first\\nno room on the disk'); process.exitCode = 3; process.disconnect()",
  )
  await expect(startChild(options, signal)).rejects.toMatchObject({
    code: 'part_failed',
    params: { reason: 'exit code 3: no room on the disk' },
  })
})

test('a child that is not ready in time is ended, by force if it does not listen', async () => {
  const options = await optionsOf(
    "process.on('SIGTERM', () => undefined); process.send({ type: 'pid', pid: process.pid }); setInterval(() => undefined, 1000)",
    { readyMs: 1_500, stopMs: 500 },
  )
  let pid = 0
  const onMessage = (message: ChildMessage): void => void (pid = Number(message['pid']))
  await expect(startChild({ ...options, onMessage }, signal)).rejects.toMatchObject({ code: 'part_slow' })
  expect(pid).toBeGreaterThan(0)
  expect(await findStartTime(pid)).toBeUndefined()
})

test('a start that is given up ends the child', async () => {
  const abort = new AbortController()
  const heard: number[] = []
  const options = await optionsOf(`${stays} process.send({ type: 'pid', pid: process.pid })`, {
    onMessage: (message) => {
      heard.push(Number(message['pid']))
      abort.abort(new Error('no longer wanted'))
    },
  })
  await expect(startChild(options, abort.signal)).rejects.toThrow('no longer wanted')
  expect(await findStartTime(heard[0] ?? 0)).toBeUndefined()
})

test('a child that is killed is started again, and one that always ends is given up', async () => {
  const options = await optionsOf(`${isReady} ${stays}`)
  const pids: number[] = []
  const ends: string[] = []
  // Pauses between starts are not waited for.
  const clock = { ...systemClock, sleep: () => systemClock.sleep(1) }
  await using part = await supervise(
    {
      clock,
      options: { ...options, clock: systemClock },
      onStarted: ({ pid }) => Promise.resolve(void pids.push(pid)),
      onEnded: (how) => ends.push(how),
    },
    signal,
  )
  for (let count = 1; count <= 6; count += 1) {
    await waitFor(systemClock, `start ${count}`, () => pids.length === count, { timeoutMs: 20_000 })
    process.kill(pids.at(-1) ?? 0, 'SIGKILL')
  }
  expect(await part.gaveUp).toMatchObject({ code: 'part_gave_up', params: { count: 6, how: 'SIGKILL' } })
  expect(ends).toEqual(Array.from({ length: 5 }, () => 'SIGKILL'))
})

test('a part that is stopped is not started again', async () => {
  const options = await optionsOf(`${isReady} ${stays}`)
  const pids: number[] = []
  const part = await supervise(
    {
      clock: systemClock,
      options,
      onStarted: ({ pid }) => Promise.resolve(void pids.push(pid)),
      onEnded: () => undefined,
    },
    signal,
  )
  await part[Symbol.asyncDispose]()
  expect(pids).toHaveLength(1)
  expect(await findStartTime(pids[0] ?? 0)).toBeUndefined()
})
