import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { systemClock } from '@slipway/kit'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { openChildrenFile } from './leftovers.ts'
import { findStartTime } from './process-identity.ts'
import { openRunFile, type RunInfo } from './run-file.ts'

let folder: string
const { signal } = new AbortController()

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-left-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function program(code: string): Promise<number> {
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'ignore'] })
  await once(child.stdout, 'data')
  return child.pid ?? 0
}

test('a start waits for the children of one that was killed, and forgets them', async () => {
  const pid = await program("console.log('up'); setTimeout(() => undefined, 1500)")
  await openChildrenFile(folder, systemClock).record(pid)
  expect(await openChildrenFile(folder, systemClock).clear(signal)).toBe(1)
  expect(await findStartTime(pid)).toBeUndefined()
  expect(await readdir(folder)).toEqual([])
})

test('children that hang are killed', async () => {
  const pid = await program("console.log('up'); setInterval(() => undefined, 1000)")
  const file = openChildrenFile(folder, systemClock)
  await file.record(pid)
  // Half a minute passes at once; the killed one is waited for in real time.
  let passedMs = 0
  const hasty = { ...systemClock, monotonicMs: () => (passedMs += 1_000) }
  const again = openChildrenFile(folder, { ...hasty, sleep: (ms) => systemClock.sleep(Math.min(ms, 20)) })
  expect(await again.clear(signal)).toBe(1)
  expect(await findStartTime(pid)).toBeUndefined()
})

test('a pid that means another process now, and a file that is torn, hold nothing up', async () => {
  const file = openChildrenFile(folder, systemClock)
  await file.record(999_999_999)
  expect(await file.clear(signal)).toBe(0)
  await writeFile(join(folder, 'children.json'), '{"children":[{"pid":1')
  expect(await file.clear(signal)).toBe(0)
})

test('run.json is gone with its launcher, unless another one has written it since', async () => {
  const info: RunInfo = {
    url: 'http://localhost:7447',
    gatewayUrl: '',
    kubeconfig: '',
    authority: null,
    authorityFingerprint: null,
    firstRunToken: null,
    sampleProblem: null,
    sampleUrl: null,
    pid: process.pid,
  }
  const file = openRunFile(folder)
  await file.write(info)
  await file[Symbol.asyncDispose]()
  expect(await readdir(folder)).toEqual([])
  await file.write({ ...info, pid: 1 })
  await file[Symbol.asyncDispose]()
  expect(await readdir(folder)).toEqual(['run.json'])
})
