/* Slipway's own Image, by its own append builder: a base of Debian's packages and the platform on top, without a daemon. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { must, systemClock } from '@slipway/kit'
import { buildImage, importArchive, type BuiltImage, type ImageSink, type ImageSource } from '@slipway/oci'

import { CONSOLE_FOLDER, PLATFORM_FILE, writePackage } from './package.ts'
import { USER_ID } from './base.ts'

export const PORT = 7447
export const DATA_FOLDER = '/var/lib/slipway'

export type ImageInput = {
  /** Path of a docker archive or a tar of an OCI layout that holds one image. */
  readonly baseArchive: string
  /** Where base and Image go: one repository, or a folder. */
  readonly sink: ImageSink
  readonly source: ImageSource
  readonly tags: readonly string[]
}

/** Makes the Image and returns what was built. */
export async function makeImage({ baseArchive, sink, source, tags }: ImageInput): Promise<BuiltImage> {
  const work = await mkdtemp(join(tmpdir(), 'slipway-image-'))
  try {
    const application = join(work, 'app')
    await mkdir(application)
    await writePackage(application)
    const archive = createReadStream(baseArchive)
    const [base] = await importArchive({ archive, sink, tagsFor: () => [] })
    const { digest } = must(base, 'the archive of the base holds an image')
    return await buildImage({
      archive: tarOf(application),
      layout: 'node',
      base: { kind: 'image', name: 'slipway/base', reference: digest, source, isSameRegistry: true },
      settings: {
        command: ['node', PLATFORM_FILE],
        environment: {
          SLIPWAY_HOST: '0.0.0.0',
          SLIPWAY_PORT: String(PORT),
          SLIPWAY_CONSOLE: `/app/${CONSOLE_FOLDER}`,
          SLIPWAY_DATA: DATA_FOLDER,
        },
        ports: [PORT],
        user: String(USER_ID),
      },
      sink,
      tags,
      spoolFolder: work,
      clock: systemClock,
    })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function* tarOf(folder: string): AsyncGenerator<Uint8Array, void, undefined> {
  const tar = spawn('tar', ['-cf', '-', '-C', folder, '.'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(tar, 'close')
  for await (const chunk of tar.stdout) yield chunk as Uint8Array
  const [code] = (await ended) as [number | null]
  if (code !== 0) throw new Error(`tar ended with ${code}`)
}
