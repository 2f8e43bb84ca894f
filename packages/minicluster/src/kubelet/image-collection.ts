/*
 * Image collection, as kubelets do it: above the high mark, the Images that were asked for longest ago go until the low mark is
 * reached; never one that a container has, running or not, and never one that was asked for a moment ago, since its container
 * may be about to begin. There are two marks of each kind: of the cache's own size, and of how full its disk is.
 */
import { statfs } from 'node:fs/promises'

import { MINUTE_MS, type Clock } from '@slipway/kit'
import { dropCachedApplication, dropUnusedBlobs, listCachedApplications, type Digest } from '@slipway/oci'

import type { Log } from '../model.ts'
import { measureTree } from './instance-folder.ts'

export type ImageLimits = {
  /** Size of the cache above which it is collected, and to which. */
  readonly highBytes: number
  readonly lowBytes: number
  /** Share of the disk in use, 0 to 1, above which the cache is collected, and to which. */
  readonly highShare: number
  readonly lowShare: number
  /** Images that were asked for more recently stay. */
  readonly minAgeMs: number
}

/** The shares and the age are the defaults of a kubelet. */
export const IMAGE_LIMITS: ImageLimits = {
  highBytes: 10 * 1024 ** 3,
  lowBytes: 8 * 1024 ** 3,
  highShare: 0.85,
  lowShare: 0.8,
  minAgeMs: 2 * MINUTE_MS,
}

const TREE_ENTRIES_MAX = 1_000_000

type Blob = { readonly digest: Digest; readonly sizeBytes: number }

export type CollectionInput = {
  readonly images: readonly {
    readonly digest: Digest
    readonly usedAtMs: number
    readonly inUse: boolean
    /** What it takes alone. */
    readonly treeBytes: number
    /** What it may share with others. */
    readonly blobs: readonly Blob[]
  }[]
  readonly disk: { readonly usedBytes: number; readonly sizeBytes: number }
  readonly limits: ImageLimits
  readonly nowMs: number
}

/** The Images to remove, in order. */
export function planCollection({ images, disk, limits, nowMs }: CollectionInput): readonly Digest[] {
  const holders = new Map<string, number>()
  for (const { blobs } of images)
    for (const { digest } of blobs) holders.set(digest, (holders.get(digest) ?? 0) + 1)
  let leftBytes = bytesToFree(images, disk, limits)
  const going: Digest[] = []
  const candidates = images.filter(({ inUse, usedAtMs }) => !inUse && nowMs - usedAtMs >= limits.minAgeMs)
  for (const image of candidates.toSorted((a, b) => a.usedAtMs - b.usedAtMs)) {
    if (leftBytes <= 0) break
    going.push(image.digest)
    leftBytes -= image.treeBytes
    for (const { digest, sizeBytes } of image.blobs) {
      const others = (holders.get(digest) ?? 0) - 1
      holders.set(digest, others)
      if (others === 0) leftBytes -= sizeBytes
    }
  }
  return going
}

function bytesToFree(
  images: CollectionInput['images'],
  disk: CollectionInput['disk'],
  limits: ImageLimits,
): number {
  const blobs = new Map(images.flatMap((image) => image.blobs.map((blob) => [blob.digest, blob.sizeBytes])))
  const sum = (numbers: Iterable<number>): number => [...numbers].reduce((all, one) => all + one, 0)
  const cacheBytes = sum(images.map(({ treeBytes }) => treeBytes)) + sum(blobs.values())
  const isDiskFull = disk.usedBytes > disk.sizeBytes * limits.highShare
  return Math.max(
    cacheBytes > limits.highBytes ? cacheBytes - limits.lowBytes : 0,
    isDiskFull ? disk.usedBytes - disk.sizeBytes * limits.lowShare : 0,
  )
}

export type ImageCollector = {
  /** Looks once and removes what is too much; the digests of what went. */
  readonly collect: () => Promise<readonly string[]>
}

export function imageCollector(options: {
  readonly folder: string
  readonly limits: ImageLimits
  readonly clock: Clock
  readonly log: Log
  /** Digests that containers have now. */
  readonly inUse: () => ReadonlySet<string>
  /** When an Image was asked for last, as far as this process knows; `undefined` while one is being asked for. */
  readonly askedForAtMs: (digest: string) => number | undefined
}): ImageCollector {
  const { folder, limits, clock, log, inUse, askedForAtMs } = options
  // What is unpacked never changes, and measuring it means a look at every file.
  const sizes = new Map<string, number>()

  async function look(): Promise<CollectionInput> {
    const applications = await listCachedApplications(folder)
    const used = inUse()
    const images: CollectionInput['images'][number][] = []
    for (const { digest, usedAt, blobs, folder: tree } of applications) {
      const treeBytes = sizes.get(digest) ?? (await measureTree(tree, undefined, TREE_ENTRIES_MAX)).bytes
      sizes.set(digest, treeBytes)
      images.push({ digest, usedAtMs: usedAt.getTime(), inUse: used.has(digest), treeBytes, blobs })
    }
    const { blocks, bfree, bavail, bsize } = await statfs(folder)
    // What is kept for root counts as used, as in df.
    const usedBytes = (blocks - bfree) * bsize
    const disk = { usedBytes, sizeBytes: usedBytes + bavail * bsize }
    return { images, disk, limits, nowMs: clock.now().getTime() }
  }

  return {
    async collect() {
      const input = await look()
      const sinceMs = input.nowMs - limits.minAgeMs
      const isUnwanted = (digest: string): boolean =>
        (askedForAtMs(digest) ?? Infinity) <= sinceMs && !inUse().has(digest)
      const gone: string[] = []
      for (const digest of planCollection(input)) {
        if (!(await dropCachedApplication(folder, digest, () => isUnwanted(digest)))) continue
        sizes.delete(digest)
        gone.push(digest)
      }
      const isQuiet = (): boolean => askedForAtMs('') !== undefined
      const freedBytes = await dropUnusedBlobs(folder, new Date(sinceMs), isQuiet)
      if (gone.length > 0 || freedBytes > 0)
        log('info', 'images that nobody uses were removed', { images: gone, blobBytes: freedBytes })
      return gone
    },
  }
}
