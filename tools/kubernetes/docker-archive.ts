import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, rmSync, statSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'

import { pack, type Pack } from 'tar-stream'

export type ArchivedImage = {
  /** With a tag. */
  readonly name: string
  /** Becomes the only layer; every file belongs to root there. */
  readonly rootFolder: string
  readonly run: Readonly<Record<string, unknown>>
}

/** Writes an image of one layer as `docker save` would; equal files give an equal archive. */
export async function writeDockerArchive(image: ArchivedImage, path: string): Promise<void> {
  const layerPath = `${path}.layer`
  try {
    const owner = ['--owner=0', '--group=0', '--numeric-owner', '--mtime=@0', '--sort=name']
    execFileSync('tar', [...owner, '-cf', layerPath, '-C', image.rootFolder, '.'])
    const config = {
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: image.run,
      rootfs: { type: 'layers', diff_ids: [`sha256:${await sha256Of(layerPath)}`] },
      history: [{ created: '1970-01-01T00:00:00Z' }],
    }
    const manifest = [{ Config: 'config.json', RepoTags: [image.name], Layers: ['layer.tar'] }]
    const archive = pack()
    const written = pipeline(archive, createWriteStream(path))
    archive.entry({ name: 'manifest.json', mtime: new Date(0) }, JSON.stringify(manifest))
    archive.entry({ name: 'config.json', mtime: new Date(0) }, JSON.stringify(config))
    await addFile(archive, 'layer.tar', layerPath)
    archive.finalize()
    await written
  } finally {
    rmSync(layerPath, { force: true })
  }
}

async function addFile(archive: Pack, name: string, path: string): Promise<void> {
  await pipeline(
    createReadStream(path),
    archive.entry({ name, size: statSync(path).size, mtime: new Date(0) }),
  )
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}
