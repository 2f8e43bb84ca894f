/** Parts of the agent on real files: output after a kill, claims of uids, folders, volumes. */
import { appendFile, chmod, lstat, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { systemClock, waitFor } from '@slipway/kit'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { openFolders } from './folders.ts'
import { hostIdentities } from './identity.ts'
import { copyTree, measureTree, removeTree } from './instance-folder.ts'
import { readLog, readLogEnd } from './log-read.ts'
import { openOutput, rawFile } from './output.ts'
import { quiet, readAll } from './testing.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'slipway-rooms-'))
})
afterEach(() => removeTree(folder))

const now = new Date()
const read = (options: object = {}): Promise<string> =>
  readAll(readLog(folder, undefined, { ...options, now }))
const open = (fileBytes?: number) =>
  openOutput({ folder, clock: systemClock, log: quiet, ...(fileBytes === undefined ? {} : { fileBytes }) })

test('after a kill between log and position the same bytes are read again: nothing lost, nothing doubled', async () => {
  const first = await open()
  await appendFile(rawFile(folder, 'stdout'), 'one\ntwo\n')
  await first.drain(false)
  const position = await readFile(path.join(folder, 'position'))
  await appendFile(rawFile(folder, 'stdout'), 'three\n')
  await first.drain(false)
  await first[Symbol.asyncDispose]()
  // As if the position had not been written any more.
  await writeFile(path.join(folder, 'position'), position)
  await appendFile(rawFile(folder, 'stdout'), 'four')
  await using second = await open()
  await second.drain(true)
  expect(await read()).toBe('one\ntwo\nthree\nfour\n')
  expect(await readLogEnd(folder, 2, 8)).toBe('ee\nfour\n')
})

test('rotation keeps the newest five files and tail counts across them', async () => {
  await using output = await open(1_000)
  for (let line = 0; line < 200; line += 1) {
    await appendFile(rawFile(folder, 'stdout'), `line ${line}\n`)
    await output.drain(false)
  }
  const lines = (await read()).trimEnd().split('\n')
  expect(lines.at(-1)).toBe('line 199')
  expect(lines.length).toBeLessThan(120)
  expect((await read({ tailLines: 40 })).trimEnd().split('\n')[0]).toBe('line 160')
  expect(await read({ tailLines: 0 })).toBe('')
  expect(await read({ sinceTime: new Date(now.getTime() + 3_600_000) })).toBe('')
})

test('a reader that follows gets what comes later, across a rotation, until the output is complete', async () => {
  await using output = await open(500)
  const text = readAll(readLog(folder, output, { follow: true, now }))
  for (let line = 0; line < 40; line += 1) await appendFile(rawFile(folder, 'stderr'), `${line}\n`)
  await output.drain(false)
  await appendFile(rawFile(folder, 'stderr'), 'end')
  await output.drain(true)
  expect((await text).endsWith('39\nend\n')).toBe(true)
})

test('output that nobody asked for is read all the same', async () => {
  await using output = await open()
  await appendFile(rawFile(folder, 'stdout'), 'hello\n')
  expect(
    await waitFor(systemClock, 'the line', async () => (await read()) || undefined, { timeoutMs: 20_000 }),
  ).toBe('hello\n')
  expect(output.isComplete()).toBe(false)
})

test('a uid is claimed by one pod only; claims of another boot and of vanished pods are free', async () => {
  const claims = path.join(folder, 'uid')
  const pod = path.join(folder, 'pod')
  await mkdir(pod)
  const one = hostIdentities({ folder: claims, bootId: 'a', clock: systemClock })
  const two = hostIdentities({ folder: claims, bootId: 'a', clock: systemClock })
  const first = await one.claim('p1', pod)
  const second = await two.claim('p2', pod)
  expect([first, second]).toEqual([1_900_000_000, 1_900_000_001])
  expect(await hostIdentities({ folder: claims, bootId: 'b', clock: systemClock }).claim('p3', pod)).toBe(
    1_900_000_000,
  )
  const many = await Promise.all(
    [one, two, one, two].map((claims, index) => claims.claim(`many${index}`, pod)),
  )
  expect(new Set([...many, second]).size).toBe(5)
  await rm(pod, { recursive: true })
  expect(await hostIdentities({ folder: claims, bootId: 'a', clock: systemClock }).claim('p4', folder)).toBe(
    1_900_000_000,
  )
  const again = hostIdentities({ folder: claims, bootId: 'c', clock: systemClock })
  expect(await again.claim('p2', folder, 1_900_000_001)).toBe(1_900_000_001)
})

test('copies keep links and modes, measuring counts blocks, removal opens what was closed', async () => {
  const from = path.join(folder, 'from')
  const to = path.join(folder, 'to')
  await mkdir(path.join(from, 'sub'), { recursive: true })
  await writeFile(path.join(from, 'sub', 'run.sh'), 'x'.repeat(10_000), { mode: 0o755 })
  await mkdir(to)
  await copyTree({ from, to, link: false, hostUid: undefined })
  expect((await lstat(path.join(to, 'sub', 'run.sh'))).mode & 0o777).toBe(0o755)
  expect((await measureTree(to, undefined, 100)).bytes).toBeGreaterThanOrEqual(10_000)
  expect((await measureTree(to, undefined, 1)).complete).toBe(false)
  await chmod(path.join(to, 'sub'), 0)
  await removeTree(to)
  await expect(lstat(to)).rejects.toThrow('ENOENT')
})

test('as root a data folder that other uids cannot enter is refused with the reason', async () => {
  await expect(openFolders(path.join(folder, 'data'), true)).rejects.toThrow(`because ${folder} has mode 700`)
})
