import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'

import { idsOf, systemClock } from '@slipway/kit'
import { describe, expect, test } from 'vitest'

import { digestOf, hexOf } from '../format/digest.ts'
import { parseManifest } from '../format/manifest.ts'
import { mediaTypes } from '../format/media-types.ts'
import { inPieces, rawTar, type RawEntry } from '../testing/raw-tar.ts'
import { testRegistry, type TestRegistry } from '../testing/world.ts'
import { directSink } from './direct.ts'
import { importArchive } from './import-archive.ts'

const LAYER = rawTar([{ name: 'etc/motd', content: 'hello' }])
const LARGE = rawTar([{ name: 'big', content: randomBytes(5_000_000) }])
const CONFIG = Buffer.from(
  JSON.stringify({
    os: 'linux',
    architecture: 'amd64',
    rootfs: { type: 'layers', diff_ids: [digestOf(LAYER), digestOf(LARGE)] },
  }),
)
const MANIFEST = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest: digestOf(CONFIG), size: CONFIG.length },
    layers: [LAYER, LARGE].map((layer) => ({
      mediaType: mediaTypes.layer,
      digest: digestOf(layer),
      size: layer.length,
    })),
  }),
)
const indexOf = (bytes: Uint8Array): string =>
  JSON.stringify({
    schemaVersion: 2,
    manifests: [
      {
        mediaType: mediaTypes.manifest,
        digest: digestOf(bytes),
        size: bytes.length,
        annotations: { 'org.opencontainers.image.ref.name': 'v7' },
      },
    ],
  })
const blob = (bytes: Uint8Array): RawEntry => ({
  name: `blobs/sha256/${hexOf(digestOf(bytes))}`,
  content: bytes,
})
const LAYOUT: RawEntry[] = [
  { name: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' },
  { name: 'blobs/', type: '5' },
  ...[LAYER, LARGE, CONFIG, MANIFEST].map(blob),
  { name: 'index.json', content: indexOf(MANIFEST) },
]
const list = (layers: string[], config = 'config.json'): string =>
  JSON.stringify([{ Config: config, RepoTags: ['shop/cart:v7'], Layers: layers }])
const SAVED: RawEntry[] = [
  { name: 'a/layer.tar', content: LAYER },
  { name: 'b/layer.tar', content: LARGE },
  { name: 'c/layer.tar', type: '2', linkName: '../b/layer.tar' },
  { name: 'config.json', content: CONFIG },
  { name: 'manifest.json', content: list(['a/layer.tar', 'c/layer.tar']) },
  { name: 'repositories', content: '{}' },
]

function importInto(registry: TestRegistry, archive: Uint8Array) {
  const { blobs, metadata } = registry
  const direct = {
    blobs,
    metadata,
    clock: systemClock,
    newId: idsOf(systemClock.now),
    repository: 'team/app',
  }
  return importArchive({
    archive: inPieces(archive),
    sink: directSink(direct),
    tagsFor: ({ names }) => names.map((name) => name.split(':').at(-1) ?? name),
  })
}

describe('a good archive becomes an Image:', () => {
  test.each([
    ['an OCI layout', rawTar(LAYOUT)],
    ['an OCI layout as gzip', gzipSync(rawTar(LAYOUT))],
  ])('%s, unchanged', async (_, archive) => {
    await using registry = await testRegistry()
    const [image, ...more] = await importInto(registry, archive)
    expect(more).toEqual([])
    expect(image).toMatchObject({ digest: digestOf(MANIFEST), tags: ['v7'] })
    expect(await registry.metadata.findTag('team/app', 'v7')).toBe(digestOf(MANIFEST))
    for (const bytes of [LAYER, LARGE, CONFIG])
      expect(await registry.metadata.findBlob({ repository: 'team/app', digest: digestOf(bytes) })).toBe(
        bytes.length,
      )
  })

  const zipped = SAVED.map((entry) =>
    entry.content === LAYER || entry.content === LARGE
      ? { ...entry, content: gzipSync(entry.content) }
      : entry,
  )
  test.each([
    ['docker save', SAVED, mediaTypes.layerZstd],
    ['docker save with its files in another order', SAVED.toReversed(), mediaTypes.layerZstd],
    ['docker save with layers in gzip', zipped, mediaTypes.layerGzip],
  ])('%s, with compressed layers', async (_, entries, layerType) => {
    await using registry = await testRegistry()
    const [image] = await importInto(registry, rawTar(entries))
    expect(image).toMatchObject({ names: ['shop/cart:v7'], tags: ['v7'] })
    const stored = image && (await registry.metadata.findManifest('team/app', image.digest))
    const manifest = stored && parseManifest(stored.bytes)
    if (manifest?.kind !== 'image') throw new Error('an image was stored')
    expect(manifest.config.digest).toBe(digestOf(CONFIG))
    expect(manifest.layers.map((layer) => layer.mediaType)).toEqual([layerType, layerType])
  })
})

const without = (entries: RawEntry[], name: string): RawEntry[] =>
  entries.filter((entry) => entry.name !== name)
const replaced = (entries: RawEntry[], name: string, content: string): RawEntry[] =>
  entries.map((entry) => (entry.name === name ? { name, content } : entry))

const bad: [name: string, archive: Uint8Array, reason: RegExp][] = [
  ['no list', rawTar(without(SAVED, 'manifest.json')), /manifest\.json is missing/],
  ['an empty archive', rawTar([]), /missing/],
  ['a list of nothing', rawTar(replaced(SAVED, 'manifest.json', '[]')), /no image/],
  ['a list that is none', rawTar(replaced(SAVED, 'manifest.json', '{}')), /no list/],
  ['a list that is broken', rawTar(replaced(SAVED, 'manifest.json', '[{')), /JSON/],
  ['a missing layer', rawTar(without(SAVED, 'a/layer.tar')), /layer is missing/],
  ['a missing configuration', rawTar(without(SAVED, 'config.json')), /config\.json is missing/],
  ['too few layers', rawTar(replaced(SAVED, 'manifest.json', list(['a/layer.tar']))), /diff ids/],
  [
    'layers in the wrong order',
    rawTar(replaced(SAVED, 'manifest.json', list(['b/layer.tar', 'a/layer.tar']))),
    /not what the configuration names/,
  ],
  [
    'a link out of the archive',
    rawTar([...SAVED, { name: 'd/layer.tar', type: '2', linkName: '../../etc/shadow' }]),
    /leads out/,
  ],
  ['an absolute link', rawTar([...SAVED, { name: 'd', type: '2', linkName: '/etc/shadow' }]), /leads out/],
  [
    'a configuration by path',
    rawTar(replaced(SAVED, 'manifest.json', list([], '../../etc/passwd'))),
    /missing/,
  ],
  [
    'a blob that is not its name',
    rawTar([...LAYOUT, { ...blob(LAYER), content: 'other' }]),
    /not what its name/,
  ],
  ['a layout without a blob', rawTar(LAYOUT.filter((entry) => entry.content !== LAYER)), /missing/],
  [
    'a layout without the manifest',
    rawTar(LAYOUT.filter((entry) => entry.content !== MANIFEST)),
    /manifest is missing/,
  ],
  [
    'a layer of damaged gzip',
    rawTar(
      SAVED.map((entry) =>
        entry.name === 'a/layer.tar'
          ? { ...entry, content: Buffer.from([0x1f, 0x8b, 1, 2, 3, 4, 5, 6, 7, 8, 9]) }
          : entry,
      ),
    ),
    /damaged gzip/,
  ],
  ['a device', rawTar([...LAYOUT, { name: 'null', type: '3' }]), /device/],
  ['a name that leads out', rawTar([...LAYOUT, { name: '../x', content: 'x' }]), /out of its folder/],
  ['an archive cut short', rawTar(LAYOUT).subarray(0, 100_000), /cut short/],
  ['no archive', randomBytes(3_000), /tar archive/],
]

describe('a bad archive is refused and sets no tag:', () => {
  test.each(bad)('%s', async (_, archive, reason) => {
    await using registry = await testRegistry()
    const error: unknown = await importInto(registry, archive).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'image_archive_invalid' })
    expect((error as { params: { reason: string } }).params.reason).toMatch(reason)
    expect(await registry.metadata.findTag('team/app', 'v7')).toBeUndefined()
  })
})
