import { execFileSync } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'

import { parseJson, systemClock } from '@slipway/kit'
import { buildImage, importArchive } from '@slipway/oci'
import { pack } from 'tar-stream'
import { expect, test } from 'vitest'

import { openLayout } from './layout.ts'

test('a folder holds an Image that other tools read, and nothing unfinished', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-layout-'))
  try {
    const { sink, finish } = await openLayout(join(folder, 'image'))
    const archive = pack()
    archive.entry({ name: 'server.js' }, 'console.log(1)')
    archive.finalize()
    const built = await buildImage({
      archive: Readable.from(archive),
      layout: 'node',
      base: { kind: 'declared', name: 'host/node' },
      settings: { command: ['node', 'server.js'] },
      sink,
      tags: [],
      spoolFolder: folder,
      clock: systemClock,
    })
    await finish({ digest: built.digest, mediaType: built.mediaType, tag: 'slipway' })
    const index = parseJson(await readFile(join(folder, 'image', 'index.json'), 'utf8'))
    expect(index).toMatchObject({ manifests: [{ digest: built.digest, size: built.manifest.length }] })
    const blobs = await readdir(join(folder, 'image/blobs/sha256'))
    expect(blobs.filter((name) => !/^[0-9a-f]{64}$/u.test(name))).toEqual([])

    execFileSync('tar', ['-cf', join(folder, 'image.tar'), '-C', join(folder, 'image'), '.'])
    const again = await openLayout(join(folder, 'again'))
    const imported = await importArchive({
      archive: createReadStream(join(folder, 'image.tar')),
      sink: again.sink,
      tagsFor: () => [],
    })
    expect(imported.map(({ digest }) => digest)).toEqual([built.digest])
    const { bytes } = await again.source.getManifest(built.digest)
    expect(Buffer.from(bytes)).toEqual(Buffer.from(built.manifest))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('a blob that is not what it claims to be is not kept', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-layout-'))
  try {
    const { sink } = await openLayout(folder)
    const writer = await sink.startBlob()
    await writer.write(Buffer.from('other'))
    const wrong = `sha256:${'0'.repeat(64)}` as const
    await expect(writer.commit(wrong)).rejects.toThrow('not what was written')
    await writer.abort()
    expect(await sink.hasBlob(wrong)).toBe(false)
    expect(await readdir(join(folder, 'blobs/sha256'))).toEqual([])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
