import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { copyTree } from './trees.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-trees-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function addBlob(text: string, hex = createHash('sha256').update(text).digest('hex')): Promise<string> {
  const path = join('sha256', hex.slice(0, 2), hex)
  await mkdir(join(folder, 'from', 'sha256', hex.slice(0, 2)), { recursive: true })
  await writeFile(join(folder, 'from', path), text)
  return path
}
const copy = () => copyTree(join(folder, 'from'), join(folder, 'to'), true)

test('blobs are copied once, and a later pass adds what came', async () => {
  const first = await addBlob('one')
  expect(await copy()).toEqual({ files: 1, bytes: 3, damaged: [] })
  const second = await addBlob('three')
  await rm(join(folder, 'from', first))
  expect(await copy()).toEqual({ files: 1, bytes: 5, damaged: [] })
  // What a collector took away between the passes stays in the copy.
  expect(await readFile(join(folder, 'to', first), 'utf8')).toBe('one')
  expect(await readFile(join(folder, 'to', second), 'utf8')).toBe('three')
})

test('a blob that is not what its name says is left out and told', async () => {
  const path = await addBlob('one', 'a'.repeat(64))
  expect(await copy()).toEqual({ files: 0, bytes: 0, damaged: [path] })
  expect(await readdir(join(folder, 'to', 'sha256', 'aa'))).toEqual([])
})

test('links are no part of it, and a folder that is not there is empty', async () => {
  await mkdir(join(folder, 'from'))
  await symlink('/etc/passwd', join(folder, 'from', 'link'))
  expect(await copyTree(join(folder, 'from'), join(folder, 'to'))).toEqual({
    files: 0,
    bytes: 0,
    damaged: [],
  })
  expect(await copyTree(join(folder, 'none'), join(folder, 'to'))).toMatchObject({ files: 0 })
})
