import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { finished } from 'node:stream/promises'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { openSealedFile, sealFile } from './seal.ts'

let folder: string
let path: string
const key = randomBytes(32)
const plain = randomBytes(300_000)

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-seal-'))
  path = join(folder, 'file')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const seal = (): Promise<void> =>
  sealFile(path, key, (stream) => {
    stream.end(plain)
    return finished(stream, { readable: false })
  })

test('what was sealed is read again, and lies there unreadable and closed to others', async () => {
  await seal()
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect((await readFile(path)).includes(plain.subarray(0, 64))).toBe(false)
  expect((await buffer(await openSealedFile(path, key))).equals(plain)).toBe(true)
})

test('a byte that was changed, a missing end and another key are noticed', async () => {
  await seal()
  const sealed = await readFile(path)
  await expect(buffer(await openSealedFile(path, randomBytes(32)))).rejects.toThrow(/authenticate/u)
  const changed = Buffer.from(sealed)
  changed.writeUInt8(changed.readUInt8(5_000) ^ 1, 5_000)
  for (const damage of [changed, sealed.subarray(0, -1)]) {
    await writeFile(path, damage)
    await expect(buffer(await openSealedFile(path, key))).rejects.toThrow(/authenticate/u)
  }
  await writeFile(path, '')
  await expect(openSealedFile(path, key)).rejects.toMatchObject({ code: 'backup_invalid' })
})

test('a source that fails is what is told', async () => {
  const failing = sealFile(path, key, async (stream) => {
    stream.write('half')
    throw new Error('no database')
  })
  await expect(failing).rejects.toThrow('no database')
  expect((await readdir(folder)).length).toBeLessThanOrEqual(1)
})
