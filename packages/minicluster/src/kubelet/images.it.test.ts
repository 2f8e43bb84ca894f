/** Images in the cache of an agent, which has room for none that nobody uses. */
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { systemClock, waitFor } from '@slipway/kit'
import { expect, test } from 'vitest'

import { NAMESPACE, openStage, type Stage } from './testing.ts'

const NO_ROOM = {
  imageLimits: { highBytes: 0, lowBytes: 0, minAgeMs: 0 },
  periods: { imagesMs: 50, scanMs: 200, diskMs: 300, portsMs: 200 },
}

const cached = (stage: Stage, part: string): Promise<readonly string[]> =>
  readdir(path.join(stage.folder, 'kubelet', 'images', part)).catch(() => [])

test('an Image goes when its last container is gone, with its layers, and is pulled again when it is wanted', async () => {
  await using stage = await openStage()
  await stage.start(NO_ROOM)
  await stage.createPod('one', {})
  await stage.createPod('over', { command: ['node', '-e', '0'], spec: { restartPolicy: 'Never' } })
  await stage.waitForPod('one', 'ready', ({ status }) => status?.containerStatuses?.[0]?.ready === true)
  await stage.waitForPod('over', 'over', ({ status }) => status?.phase === 'Succeeded')
  await stage.registry.remove('pods', NAMESPACE, 'one')
  await stage.waitGone('one')
  expect(await cached(stage, 'applications')).toHaveLength(1)

  await stage.registry.remove('pods', NAMESPACE, 'over')
  await stage.waitGone('over')
  const isEmpty = async (): Promise<boolean> =>
    (await cached(stage, 'applications')).length + (await cached(stage, 'blobs/sha256')).length === 0
  await waitFor(systemClock, 'the cache to be empty', isEmpty, { timeoutMs: 30_000 })

  await stage.createPod('two', {})
  await stage.waitForPod('two', 'ready', ({ status }) => status?.containerStatuses?.[0]?.ready === true)
  expect((await stage.waitForEvent('two', 'Pulling')).message).toContain(stage.image)
})

test('what a pull left that was cut off is gone after the next start', async () => {
  await using stage = await openStage()
  const left = path.join(stage.folder, 'kubelet', 'images', 'applications', 'fresh-cut')
  await mkdir(left, { recursive: true })
  await writeFile(path.join(left, 'half'), 'x')
  await stage.start()
  expect(await cached(stage, 'applications')).toEqual([])
})
