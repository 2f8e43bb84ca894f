import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { openLogFile } from './log-file.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-log-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('a log goes on where it was, and only its owner reads it', async () => {
  const path = join(folder, 'a.log')
  for (const line of ['one\n', 'two\n']) {
    using log = openLogFile(path)
    log.write(line)
  }
  expect(await readFile(path, 'utf8')).toBe('one\ntwo\n')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
})

test('a log that is full makes room, keeps three older ones and tears no line', async () => {
  using log = openLogFile(join(folder, 'a.log'), { sizeMaxBytes: 20 })
  for (let number = 100; number < 120; number += 1) log.write(`line ${number}\n`)
  expect((await readdir(folder)).toSorted()).toEqual(['a.log', 'a.log.1', 'a.log.2', 'a.log.3'])
  expect(await readFile(join(folder, 'a.log'), 'utf8')).toBe('line 118\nline 119\n')
  expect(await readFile(join(folder, 'a.log.3'), 'utf8')).toBe('line 112\nline 113\n')
})

test('what cannot be written is still there for the last words', () => {
  const log = openLogFile(join(folder, 'a.log'))
  log[Symbol.dispose]()
  expect(() => log.write('lost\n')).not.toThrow()
  expect(log.tail()).toBe('lost\n')
})
