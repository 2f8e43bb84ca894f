import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll } from 'vitest'

import { describeBlobStore } from '../testing/blob-store-contract.ts'

const folders: string[] = []
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))))

describeBlobStore('in a folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-blobs-'))
  folders.push(folder)
  return { folder }
})
