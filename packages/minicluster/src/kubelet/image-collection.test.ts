import { expect, test } from 'vitest'

import { IMAGE_LIMITS, planCollection, type CollectionInput } from './image-collection.ts'

const MIB = 1024 ** 2
const NOW_MS = 10_000_000
const limits = { ...IMAGE_LIMITS, highBytes: 100 * MIB, lowBytes: 60 * MIB }
const roomy = { usedBytes: 10 * MIB, sizeBytes: 1_000 * MIB }

type Image = CollectionInput['images'][number]

/** An image of 30 MiB, last asked for so many hours ago. */
function image(name: string, hours: number, more: Partial<Image> = {}): Image {
  const usedAtMs = NOW_MS - hours * 3_600_000
  return { digest: `sha256:${name}`, usedAtMs, inUse: false, treeBytes: 30 * MIB, blobs: [], ...more }
}

const shared = [{ digest: 'sha256:shared' as const, sizeBytes: 50 * MIB }]

const cases: [when: string, input: Partial<CollectionInput>, gone: readonly string[]][] = [
  ['at the high mark: everything stays', { images: [image('a', 9), image('b', 8), image('c', 7)] }, []],
  [
    'above it: the longest unused go, down to the low mark',
    { images: [image('a', 7), image('b', 9), image('c', 8), image('d', 6)] },
    ['b', 'c'],
  ],
  [
    'what a container has stays, however old',
    { images: [image('a', 9, { inUse: true }), image('b', 8), image('c', 7), image('d', 6)] },
    ['b', 'c'],
  ],
  [
    'what was asked for a moment ago stays, even if too much remains',
    { images: [image('a', 0.01), image('b', 0.02), image('c', 0.01), image('d', 0.05)] },
    ['d'],
  ],
  [
    'a full disk counts as well as a large cache',
    { images: [image('a', 9), image('b', 8)], disk: { usedBytes: 860 * MIB, sizeBytes: 1_000 * MIB } },
    ['a', 'b'],
  ],
  [
    'a disk that is full of other things costs no more than all unused images',
    { images: [image('a', 9)], disk: { usedBytes: 990 * MIB, sizeBytes: 1_000 * MIB } },
    ['a'],
  ],
  [
    'a shared layer is counted once, and freed with the last that needs it',
    {
      images: [image('a', 9, { blobs: shared }), image('b', 8, { blobs: shared }), image('c', 7)],
      limits: { ...limits, lowBytes: 110 * MIB },
    },
    ['a'],
  ],
]

test.each(cases)('%s', (_, input, gone) => {
  const planned = planCollection({ images: [], disk: roomy, limits, nowMs: NOW_MS, ...input })
  expect(planned).toEqual(gone.map((name) => `sha256:${name}`))
})
