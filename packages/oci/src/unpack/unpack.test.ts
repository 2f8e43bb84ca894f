import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'

import { describe, expect, test } from 'vitest'

import { parseImageConfig } from '../format/config.ts'
import { digestOf } from '../format/digest.ts'
import { parseManifest } from '../format/manifest.ts'
import { mediaTypes } from '../format/media-types.ts'
import { inPieces, rawTar, type RawEntry } from '../testing/raw-tar.ts'
import { appendedLayers } from './appended.ts'
import { unpackLayers, type LayerToUnpack, type UnpackLimits } from './unpack.ts'

type Format = 'none' | 'gzip' | 'zstd'
const TYPES = { none: mediaTypes.layer, gzip: mediaTypes.layerGzip, zstd: mediaTypes.layerZstd }

function layerOf(entries: readonly RawEntry[], format: Format = 'none', more: object = {}): LayerToUnpack {
  const tar = rawTar(entries)
  const stored = format === 'gzip' ? gzipSync(tar) : format === 'zstd' ? zstdCompressSync(tar) : tar
  const descriptor = { mediaType: TYPES[format], digest: digestOf(stored), size: stored.length }
  return { descriptor: { ...descriptor, ...more }, diffId: digestOf(tar), open: () => inPieces(stored) }
}

async function withUnpacked<T>(
  layers: readonly LayerToUnpack[],
  look: (folder: string) => Promise<T>,
  limits?: UnpackLimits,
): Promise<T> {
  const parent = await mkdtemp(join(tmpdir(), 'slipway-unpack-'))
  const into = await mkdtemp(join(parent, 'app-'))
  try {
    await unpackLayers({ layers, into, limits })
    return await look(into)
  } finally {
    // Whatever the layers said, nothing was written beside the folder.
    expect(await readdir(parent)).toHaveLength(1)
    await rm(parent, { recursive: true, force: true })
  }
}

async function treeOf(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).sort()
}

const file = (name: string, content = name): RawEntry => ({ name, content })

test.each(['none', 'gzip', 'zstd'] as const)('unpacks what lies below /app (%s)', async (format) => {
  const layer = layerOf(
    [
      { name: 'app/', type: '5' },
      file('./app/a/b.txt', 'text'),
      { name: 'app/run', content: '#!', mode: 0o4777 },
      { name: 'app/secret', content: 's', mode: 0o600 },
      { name: 'app/l', type: '2', linkName: 'a/b.txt' },
    ],
    format,
  )
  await withUnpacked([layer], async (folder) => {
    expect(await treeOf(folder)).toEqual(['a', 'a/b.txt', 'l', 'run', 'secret'])
    expect(await readFile(join(folder, 'l'), 'utf8')).toBe('text')
    expect((await stat(join(folder, 'run'))).mode & 0o7777).toBe(0o755)
    expect((await stat(join(folder, 'secret'))).mode & 0o7777).toBe(0o644)
    expect((await stat(join(folder, 'a/b.txt'))).mtimeMs).toBe(1_700_000_000_000)
  })
})

test('whiteouts hide lower layers, wherever they stand, and not their own', async () => {
  const lower = layerOf([
    file('app/keep'),
    file('app/gone'),
    file('app/dir/old'),
    file('app/dir/sub/old'),
    file('app/other/x'),
  ])
  const upper = layerOf([
    file('app/dir/new'),
    file('app/dir/.wh..wh..opq', ''),
    file('app/.wh.gone', ''),
    file('app/.wh.never', ''),
    file('app/both'),
    file('app/.wh.both', ''),
    file('app/.wh.other', ''),
  ])
  await withUnpacked([lower, upper], async (folder) => {
    expect(await treeOf(folder)).toEqual(['both', 'dir', 'dir/new', 'keep'])
  })
})

test('an upper layer replaces files by folders, folders by files, and links', async () => {
  const lower = layerOf([file('app/a'), file('app/b/c'), { name: 'app/l', type: '2', linkName: 'b' }])
  const upper = layerOf([file('app/a'), file('app/b'), file('app/l')])
  await withUnpacked([lower, upper], async (folder) => {
    expect(await treeOf(folder)).toEqual(['a', 'b', 'l'])
    expect(await readFile(join(folder, 'l'), 'utf8')).toBe('app/l')
  })
})

const evil: [name: string, layers: LayerToUnpack[], reason: RegExp][] = [
  ['a name with ..', [layerOf([file('app/../../x')])], /out of its folder/],
  ['an absolute name', [layerOf([file('/app/x')])], /absolute/],
  ['a file outside /app', [layerOf([file('etc/passwd')])], /outside/],
  ['a neighbour of /app', [layerOf([file('application/x')])], /outside/],
  ['/app as a link', [layerOf([{ name: 'app', type: '2', linkName: '/etc' }])], /not a folder/],
  ['an absolute link', [layerOf([{ name: 'app/l', type: '2', linkName: '/etc' }])], /absolute/],
  ['a link out', [layerOf([{ name: 'app/l', type: '2', linkName: '../x' }])], /leads out/],
  [
    'a link out by way of another layer',
    [
      layerOf([file('app/d/e/f'), { name: 'app/d/up', type: '2', linkName: '.' }]),
      layerOf([{ name: 'app/l', type: '2', linkName: 'd/up/../..' }]),
    ],
    /leads out/,
  ],
  [
    'a file behind a link of a lower layer',
    [layerOf([{ name: 'app/l', type: '2', linkName: 'd' }, file('app/d/x')]), layerOf([file('app/l/y')])],
    /behind a link/,
  ],
  ['a file below a file', [layerOf([file('app/a'), file('app/a/b')])], /below a file/],
  ['a device', [layerOf([{ name: 'app/null', type: '3' }])], /device/],
  ['a pipe', [layerOf([{ name: 'app/p', type: '6' }])], /fifo/],
  ['a hard link', [layerOf([file('app/a'), { name: 'app/h', type: '1', linkName: 'app/a' }])], /hardlink/],
  ['a whiteout of nothing', [layerOf([file('app/.wh.', '')])], /names nothing/],
  ['a whiteout of the parent', [layerOf([file('app/x'), file('app/.wh...', '')])], /names nothing/],
  [
    'bytes that are not the digest',
    [layerOf([file('app/a')], 'none', { digest: digestOf('x') })],
    /digest is another/,
  ],
  ['bytes that are too short', [layerOf([file('app/a')], 'none', { size: 1e6 })], /shorter/],
  ['bytes that are too many', [layerOf([file('app/a')], 'none', { size: 10 })], /longer/],
  ['another diff id', [{ ...layerOf([file('app/a')], 'gzip'), diffId: digestOf('x') }], /diff id/],
  ['a lie about the compression', [layerOf([file('app/a')], 'none', { mediaType: TYPES.gzip })], /gzip data/],
  ['a type that is no layer', [layerOf([file('app/a')], 'none', { mediaType: 'a/b' })], /type is a\/b/],
]

test.each(evil)('refuses %s', async (_, layers, reason) => {
  const error: unknown = await withUnpacked(layers, treeOf).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'layer_invalid' })
  expect((error as { params: { reason: string } }).params.reason).toMatch(reason)
})

describe('limits', () => {
  test('entries', async () => {
    const layer = layerOf([file('app/a'), file('app/b'), file('app/c')])
    const limits = { entriesMax: 2, totalMaxBytes: 1e6 }
    await expect(withUnpacked([layer], treeOf, limits)).rejects.toMatchObject({ code: 'layer_invalid' })
  })
  test('bytes of all layers together, bombs included', async () => {
    const bomb = layerOf([{ name: 'app/zeros', content: Buffer.alloc(5_000_000) }], 'zstd')
    const limits = { entriesMax: 100, totalMaxBytes: 6_000_000 }
    await withUnpacked([bomb], treeOf, limits)
    const second = layerOf([{ name: 'app/more', content: Buffer.alloc(5_000_000) }], 'zstd')
    await expect(withUnpacked([bomb, second], treeOf, limits)).rejects.toMatchObject({
      code: 'layer_invalid',
    })
  })
})

test('the appended layers are those above the recorded base', () => {
  const layers = ['base', 'ours'].map((name) => ({
    mediaType: mediaTypes.layer,
    digest: digestOf(name),
    size: 4,
  }))
  const config = { mediaType: mediaTypes.config, digest: digestOf('config'), size: 6 }
  const manifestOf = (annotations: object) => {
    const parsed = parseManifest(
      Buffer.from(JSON.stringify({ schemaVersion: 2, config, layers, annotations })),
    )
    if (parsed.kind !== 'image') throw new Error('an image was written')
    return parsed
  }
  const configOf = (labels: object, count = 2) =>
    parseImageConfig(
      Buffer.from(
        JSON.stringify({
          config: { Labels: labels },
          rootfs: { diff_ids: layers.slice(0, count).map((layer) => layer.digest) },
        }),
      ),
    )
  const record = { 'slipway/base-layers': '1' }
  for (const [annotations, labels] of [
    [record, {}],
    [{}, record],
  ] as const) {
    const appended = appendedLayers(manifestOf(annotations), configOf(labels))
    expect(appended.map((layer) => layer.diffId)).toEqual([digestOf('ours')])
  }
  const refused: [object, number][] = [
    [{}, 2],
    [record, 1],
    [{ 'slipway/base-layers': '3' }, 2],
    [{ 'slipway/base-layers': '-1' }, 2],
    [{ 'slipway/base-layers': '1e0' }, 2],
  ]
  for (const [annotations, count] of refused)
    expect(() => appendedLayers(manifestOf(annotations), configOf({}, count))).toThrow('image_base_invalid')
})
