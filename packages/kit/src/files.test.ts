import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { findText, keepText, replaceFile } from './files.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-files-'))
})

afterEach(() => rm(folder, { recursive: true, force: true }))

test('a file that is replaced is its owner’s alone, whatever it was before, and leaves nothing beside it', async () => {
  const path = join(folder, 'token')
  await writeFile(path, 'old', { mode: 0o644 })
  await replaceFile(path, 'new', { flush: true })
  expect(await findText(path)).toBe('new')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(await readdir(folder)).toEqual(['token'])
})

test('many who replace one file at once leave what one of them wrote', async () => {
  const path = join(folder, 'state')
  const texts = Array.from({ length: 20 }, (_, index) => `${index}`.repeat(1_000))
  await Promise.all(texts.map((text) => replaceFile(path, text)))
  expect(texts).toContain(await findText(path))
  expect(await readdir(folder)).toEqual(['state'])
})

test('a file that cannot be replaced leaves what was there, and nothing unfinished', async () => {
  const path = join(folder, 'taken')
  await mkdir(path)
  await expect(replaceFile(path, 'text')).rejects.toThrow(/EISDIR/u)
  expect(await readdir(folder)).toEqual(['taken'])
  await expect(findText(path)).rejects.toThrow(/EISDIR/u)
})

test('what is kept is made once', async () => {
  const path = join(folder, 'key')
  expect(await findText(path)).toBeUndefined()
  expect(await keepText(path, () => 'first')).toBe('first')
  expect(await keepText(path, () => 'second')).toBe('first')
})
