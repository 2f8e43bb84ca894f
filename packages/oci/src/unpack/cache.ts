/*
 * What is to be thrown away of the content cache that `fetchApplication` fills. The cache does not know who uses an application:
 * the caller says what may go, and is asked once more in the very turn of the event loop in which it goes, so that nobody can
 * begin to use it in between.
 */
import { renameSync, unlinkSync } from 'node:fs'
import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

import { AppError, systemCodeOf } from '@slipway/kit'
import { absent } from '@slipway/kit/files'

import { isDigest, type Digest } from '../format/digest.ts'
import { MANIFEST_MAX_BYTES, parseManifest, type Manifest } from '../format/manifest.ts'

const UNFINISHED = 'fresh-'
const ALGORITHMS = ['sha256', 'sha512'] as const

export type CachedApplication = {
  readonly digest: Digest
  readonly folder: string
  /** The modification time of its folder, which whoever uses it keeps up to date. */
  readonly usedAt: Date
  /** Manifest, configuration and layers; other applications may need the same. */
  readonly blobs: readonly CachedBlob[]
}

export type CachedBlob = { readonly digest: Digest; readonly sizeBytes: number }

/** Every application in the cache, in no particular order; none when there is no cache yet. */
export async function listCachedApplications(folder: string): Promise<readonly CachedApplication[]> {
  const names = await namesIn(join(folder, 'applications'))
  const found = await Promise.all(names.map((name) => readApplication(folder, name)))
  return found.filter((one) => one !== undefined)
}

async function readApplication(folder: string, name: string): Promise<CachedApplication | undefined> {
  const digest = name.replace('-', ':')
  if (!isDigest(digest)) return undefined
  const path = join(folder, 'applications', name)
  const info = await stat(path).catch(absent)
  if (!info) return undefined
  const manifest = await readManifest(folder, digest)
  const parts = manifest?.kind === 'image' ? [manifest.config, ...manifest.layers] : []
  const blobs = await Promise.all(
    [digest, ...parts.map((part) => part.digest)].map((one) => blobOf(folder, one)),
  )
  return { digest, folder: path, usedAt: info.mtime, blobs: blobs.filter((one) => one !== undefined) }
}

async function blobOf(folder: string, digest: Digest): Promise<CachedBlob | undefined> {
  const info = await stat(blobFile(folder, digest)).catch(absent)
  return info && { digest, sizeBytes: info.size }
}

/** Removes an unpacked application, all of it or nothing; false when `mayGo` refused or it was not there. */
export async function dropCachedApplication(
  folder: string,
  digest: Digest,
  mayGo: () => boolean,
): Promise<boolean> {
  const name = digest.replace(':', '-')
  const going = join(folder, 'applications', `${UNFINISHED}gone-${name}`)
  await rm(going, { recursive: true, force: true })
  if (!mayGo()) return false
  try {
    renameSync(join(folder, 'applications', name), going)
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return false
    throw error
  }
  await rm(going, { recursive: true, force: true })
  return true
}

/** Removes blobs that no application in the cache needs and that are older than `before`; the bytes they took. */
export async function dropUnusedBlobs(folder: string, before: Date, mayGo: () => boolean): Promise<number> {
  const needed = new Set(
    (await listCachedApplications(folder)).flatMap(({ blobs }) => blobs.map((one) => one.digest)),
  )
  let freedBytes = 0
  for (const algorithm of ALGORITHMS)
    for (const hex of await namesIn(join(folder, 'blobs', algorithm))) {
      const digest = `${algorithm}:${hex}`
      if (!isDigest(digest) || needed.has(digest)) continue
      const file = blobFile(folder, digest)
      const info = await stat(file).catch(absent)
      if (!info || info.mtime >= before || (await leadsTo(folder, digest, needed))) continue
      if (!mayGo()) return freedBytes
      unlinkSync(file)
      freedBytes += info.size
    }
  return freedBytes
}

/** An index is needed as long as one of its images is: it is what an image of several platforms is asked for by. */
async function leadsTo(folder: string, digest: Digest, needed: ReadonlySet<Digest>): Promise<boolean> {
  const manifest = await readManifest(folder, digest)
  return manifest?.kind === 'index' && manifest.manifests.some((child) => needed.has(child.digest))
}

/** Removes what pulls and removals left that were cut off. Only while nobody uses the cache. */
export async function clearUnfinished(folder: string): Promise<void> {
  for (const part of ['applications', 'blobs'])
    for (const name of await namesIn(join(folder, part)))
      if (name.startsWith(UNFINISHED)) await rm(join(folder, part, name), { recursive: true, force: true })
}

async function readManifest(folder: string, digest: Digest): Promise<Manifest | undefined> {
  const file = blobFile(folder, digest)
  const info = await stat(file).catch(absent)
  if (!info || info.size > MANIFEST_MAX_BYTES) return undefined
  try {
    return parseManifest(await readFile(file))
  } catch (error) {
    // A layer or a configuration, which reads as no manifest.
    if (error instanceof AppError) return undefined
    throw error
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder).catch(absent)) ?? []
}

function blobFile(folder: string, digest: Digest): string {
  return join(folder, 'blobs', digest.replace(':', '/'))
}
