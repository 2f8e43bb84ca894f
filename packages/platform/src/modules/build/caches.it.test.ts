import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'

import { systemClock } from '@slipway/kit'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { buildCaches, type BuildCaches } from './caches.ts'

const ids = ['1', '2'].map((digit) => `app_${digit.repeat(26)}`)
const [one = '', two = ''] = ids
const signal = AbortSignal.timeout(60_000)
let folder: string
let caches: BuildCaches

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-caches-'))
  caches = buildCaches(folder, systemClock)
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function textOf(applicationId: string): Promise<string | undefined> {
  const found = await caches.open(applicationId)
  return found && (await found.body.toArray()).join('')
}

test('a cache is kept for its Application alone, until it is replaced or cleared', async () => {
  await caches.keep(one, Readable.from([Buffer.from('first')]), signal)
  expect([await textOf(one), await textOf(two)]).toEqual(['first', undefined])
  await caches.keep(one, Readable.from([Buffer.from('second')]), signal)
  expect([await textOf(one), await caches.find(one)]).toMatchObject(['second', { sizeBytes: 6 }])
  await caches.clear(one)
  await caches.clear(two)
  expect([await textOf(one), await readdir(folder)]).toEqual([undefined, []])
})

test('a transfer that breaks off leaves the cache there was, and nothing else', async () => {
  await caches.keep(one, Readable.from([Buffer.from('first')]), signal)
  const broken = Readable.from(
    (async function* () {
      yield Buffer.from('half')
      throw new Error('gone')
    })(),
  )
  await expect(caches.keep(one, broken, signal)).rejects.toThrow('gone')
  expect([await textOf(one), await readdir(folder)]).toEqual(['first', [`${one}.tar`]])
})

test('tidying removes what belongs to no Application, what was not used for long, and old halves', async () => {
  for (const id of ids) await caches.keep(id, Readable.from([Buffer.from(id)]), signal)
  const long = new Date(Date.now() - 40 * 86_400_000)
  const old = `app_${'3'.repeat(26)}`
  await writeFile(join(folder, `${old}.tar`), 'old')
  await utimes(join(folder, `${old}.tar`), long, long)
  await writeFile(join(folder, `${one}.tar.${long.getTime()}-1`), 'half')
  await writeFile(join(folder, `${one}.tar.${Date.now()}-1`), 'growing')
  await caches.tidy((asked) => Promise.resolve(new Set(asked.filter((id) => id !== two))))
  const left = await readdir(folder)
  expect(left.filter((name) => name.endsWith('.tar'))).toEqual([`${one}.tar`])
  expect(left).toHaveLength(2)
})
