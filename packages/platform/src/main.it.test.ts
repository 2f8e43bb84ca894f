/* The process of the platform, as the launcher starts it: told by its environment, heard over IPC, read on standard error. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { testDatabase } from '@slipway/db/testing'
import { newMasterKey } from '@slipway/kit'
import { afterEach, beforeEach, expect, test } from 'vitest'

let cleanup: AsyncDisposableStack
beforeEach(() => {
  cleanup = new AsyncDisposableStack()
})
afterEach(() => cleanup.disposeAsync())

async function start(): Promise<ChildProcess> {
  const database = cleanup.use(await testDatabase())
  const dataFolder = await mkdtemp(join(tmpdir(), 'slipway-main-'))
  cleanup.defer(() => rm(dataFolder, { recursive: true, force: true }))
  const child = spawn(process.execPath, ['--conditions=source', join(import.meta.dirname, 'main.ts')], {
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: database.appUrl,
      DATABASE_OWNER_URL: database.ownerUrl,
      SLIPWAY_MASTER_KEY: newMasterKey().toString('base64'),
      SLIPWAY_DATA: dataFolder,
      SLIPWAY_PORT: '0',
      SLIPWAY_LOG_LEVEL: 'info',
    },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  cleanup.defer(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  })
  return child
}

test('it ends when its parent is gone, with lines in its log that nobody read', async () => {
  const child = await start()
  // What it says from its first line on meets a pipe that nobody holds.
  child.stderr?.destroy()
  expect((await once(child, 'message'))[0]).toMatchObject({ type: 'ready' })
  const ended = once(child, 'exit')
  child.disconnect()
  expect(await ended).toEqual([0, null])
})

test('it ends when told to, and its last lines are read', async () => {
  const child = await start()
  let output = ''
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')))
  expect((await once(child, 'message'))[0]).toMatchObject({ type: 'ready' })
  const closed = once(child, 'close')
  child.kill('SIGTERM')
  expect(await closed).toEqual([0, null])
  expect(output).toContain('the platform is ready')
})
