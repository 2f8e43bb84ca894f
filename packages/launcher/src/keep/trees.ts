import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'

import { systemCodeOf } from '@slipway/kit'
import { absent } from '@slipway/kit/files'

import type { Tree } from './manifest.ts'

const DEPTH_MAX = 32

export type Copied = Tree & {
  /** Blobs whose bytes are not what their name says; they were left out. */
  readonly damaged: readonly string[]
}

/**
 * Copies the files of a folder that are not at the target yet, each whole or not at all, 0600. Links and special files are no
 * part of what we keep. What vanishes meanwhile was collected by the one who works there.
 * @param isBlob - names are SHA digests of the contents, below `<algorithm>/`, and are checked
 */
export async function copyTree(from: string, to: string, isBlob = false): Promise<Copied> {
  let files = 0
  let bytes = 0
  const damaged: string[] = []
  for (const path of await listFiles(from, '', 0)) {
    const target = join(to, path)
    let size = await sizeOf(target)
    // A file of a sample may have changed since; a blob never does.
    if (size === undefined || !isBlob) {
      const copied = await copyFile(join(from, path), target, isBlob ? digestOf(path) : undefined)
      if (copied === 'damaged') damaged.push(path)
      size = typeof copied === 'number' ? copied : undefined
    }
    if (size === undefined) continue
    files += 1
    bytes += size
  }
  return { files, bytes, damaged }
}

type Digest = { readonly algorithm: string; readonly hex: string }

function digestOf(path: string): Digest {
  const [algorithm = '', , hex = ''] = path.split('/')
  return { algorithm, hex }
}

async function listFiles(folder: string, prefix: string, depth: number): Promise<readonly string[]> {
  if (depth > DEPTH_MAX) return []
  const entries = (await readdir(join(folder, prefix), { withFileTypes: true }).catch(absent)) ?? []
  const found: string[] = []
  for (const entry of entries) {
    const path = join(prefix, entry.name)
    if (entry.isDirectory()) for (const inner of await listFiles(folder, path, depth + 1)) found.push(inner)
    else if (entry.isFile()) found.push(path)
  }
  return found
}

/** @returns its size; `gone` when there is no such file any more */
async function copyFile(
  from: string,
  to: string,
  digest: Digest | undefined,
): Promise<number | 'damaged' | 'gone'> {
  await mkdir(dirname(to), { recursive: true, mode: 0o700 })
  const unfinished = `${to}.unfinished`
  const hash = digest && createHash(digest.algorithm)
  let bytes = 0
  try {
    const { mode } = await stat(from)
    await pipeline(
      createReadStream(from),
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          hash?.update(chunk)
          bytes += chunk.length
          yield chunk
        }
      },
      // A program of a sample stays one.
      createWriteStream(unfinished, { mode: 0o600 | (mode & 0o100), flush: true }),
    )
    if (hash && hash.digest('hex') !== digest?.hex) {
      await rm(unfinished, { force: true })
      return 'damaged'
    }
    await rename(unfinished, to)
    return bytes
  } catch (thrown) {
    await rm(unfinished, { force: true })
    if (systemCodeOf(thrown) === 'ENOENT') return 'gone'
    throw thrown
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(absent))?.size
}
