import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { HOUR_MS } from '@slipway/kit'
import { expect, onTestFinished, test } from 'vitest'

import { sweepFolders } from './sweep.ts'

test('old folders of runs that were killed go; young ones, others’ and those of a living process stay', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'slipway-sweep-'))
  onTestFinished(() => rm(parent, { recursive: true, force: true }))
  const now = new Date()
  const old = new Date(now.getTime() - 7 * HOUR_MS)
  const names = [
    'slipway-mirrors-AbC123',
    'slipway-test-42-run-AbC123',
    'slipway-used-AbC123',
    'slipway-new-AbC123',
  ]
  const kept = ['slipway-test-postgres-18.4.0', 'other-AbC123', 'slipway-file-AbC123']
  for (const name of [...names, ...kept.slice(0, 2)]) {
    await mkdir(join(parent, name, 'inside'), { recursive: true })
    await utimes(join(parent, name), old, old)
  }
  await utimes(join(parent, 'slipway-new-AbC123'), now, now)
  await writeFile(join(parent, 'slipway-file-AbC123'), '')
  await utimes(join(parent, 'slipway-file-AbC123'), old, old)
  const user = spawn('sleep', ['60'], { argv0: join(parent, 'slipway-used-AbC123', 'program') })
  onTestFinished(() => void user.kill('SIGKILL'))
  await once(user, 'spawn')

  const swept = await sweepFolders(parent, now.getTime())
  expect(swept.map((path) => path.slice(parent.length + 1)).toSorted()).toEqual(names.slice(0, 2))
  expect((await readdir(parent)).toSorted()).toEqual([...names.slice(2), ...kept].toSorted())
})
