import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'

import { AppError } from '@slipway/kit'
import { pack } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { inPieces, paxEntry, rawTar, type RawEntry } from '../testing/raw-tar.ts'
import { readPackage, type PackageLimits } from './package-reader.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-package-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function read(archive: Uint8Array, limits?: Partial<PackageLimits>, pieceBytes?: number) {
  return await readPackage({ archive: inPieces(archive, pieceBytes), spoolFolder: folder, limits })
}

async function textOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of content) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

const file = (name: string, more: Partial<RawEntry> = {}): RawEntry => ({ name, content: 'content', ...more })
const link = (name: string, linkName: string): RawEntry => ({ name, type: '2', linkName })
const hardLink = (name: string, linkName: string): RawEntry => ({ name, type: '1', linkName })
const base256 = (value: number): Uint8Array => {
  const field = Buffer.alloc(12)
  field[0] = 0x80
  field.writeBigUInt64BE(BigInt(value), 4)
  return field
}
const long = 'n'.repeat(256)

/** Archive, and a piece of the reason it is refused with. */
const evil: [name: string, archive: Uint8Array, reason: RegExp][] = [
  ['a name with ..', rawTar([file('../evil')]), /out of its folder/],
  ['.. in the middle of a name', rawTar([file('a/../../evil')]), /out of its folder/],
  ['.. that would come back inside', rawTar([file('a/../b')]), /out of its folder/],
  ['an absolute name', rawTar([file('/etc/passwd')]), /absolute/],
  ['an absolute name by pax', rawTar([paxEntry({ path: '/etc/passwd' }), file('x')]), /absolute/],
  ['.. by pax', rawTar([paxEntry({ path: 'a/../../b' }), file('x')]), /out of its folder/],
  [
    '.. by a GNU long name',
    rawTar([{ name: '././@LongLink', type: 'L', content: '../../evil\0' }, file('x')]),
    /out of its folder/,
  ],
  ['an empty name', rawTar([file('')]), /empty/],
  ['the package itself as a file', rawTar([file('.')]), /not a folder/],
  ['a symlink with an absolute target', rawTar([file('a'), link('l', '/etc/passwd')]), /out of the package/],
  ['a symlink with a target above', rawTar([file('a'), link('l', '../x')]), /out of the package/],
  [
    'a symlink that leads out by way of another',
    rawTar([file('a/b/c/f'), link('a/b/up', '..'), link('a/out', 'b/up/../../..')]),
    /out of the package/,
  ],
  [
    'a symlink that leads out by way of a link to the top',
    rawTar([file('f'), link('a/b/top', '../..'), link('a/b/out', 'top/../x')]),
    /out of the package/,
  ],
  ['symlinks in a circle', rawTar([file('f'), link('a', 'b'), link('b', 'a')]), /out of the package/],
  ['a symlink without a target', rawTar([file('f'), link('a', '')]), /no usable target/],
  ['a file behind a symlink', rawTar([link('d', 'e'), file('d/f')]), /behind a link/],
  ['a symlink put below a file afterwards', rawTar([file('d/f'), link('d', 'e')]), /behind a link/],
  [
    'a folder replaced by a link',
    rawTar([{ name: 'd/', type: '5' }, link('d', 'e'), file('f')]),
    /both a folder/,
  ],
  ['a file below a file', rawTar([file('d'), file('d/f')]), /below a file/],
  ['a hard link out', rawTar([file('f'), hardLink('h', '../etc/passwd')]), /out of its folder/],
  ['an absolute hard link', rawTar([file('f'), hardLink('h', '/etc/passwd')]), /absolute/],
  ['a hard link to nothing', rawTar([file('f'), hardLink('h', 'later')]), /no earlier file/],
  ['a hard link to a symlink', rawTar([file('f'), link('s', 'f'), hardLink('h', 's')]), /no earlier file/],
  [
    'a hard link with content',
    rawTar([file('f'), { ...hardLink('h', 'f'), content: 'x' }]),
    /announces a size/,
  ],
  ['a symlink with content', rawTar([file('f'), { ...link('h', 'f'), content: 'x' }]), /announces a size/],
  ['a character device', rawTar([{ name: 'null', type: '3' }]), /is a device/],
  ['a block device', rawTar([{ name: 'sda', type: '4' }]), /is a device/],
  ['a named pipe', rawTar([{ name: 'pipe', type: '6' }]), /is a fifo/],
  ['an unknown type', rawTar([{ name: 'what', type: 'Z' }]), /is a other/],
  ['the setuid bit', rawTar([file('su', { mode: 0o4755 })]), /setuid/],
  ['the setgid bit', rawTar([file('sg', { mode: 0o2755 })]), /setuid or setgid/],
  ['a whiteout', rawTar([file('f'), file('.wh.lib')]), /\.wh\./],
  ['an opaque whiteout deep inside', rawTar([file('f'), file('a/.wh..wh..opq')]), /\.wh\./],
  ['a whiteout as a folder', rawTar([file('.wh.etc/x')]), /\.wh\./],
  ['a name of 256 bytes', rawTar([paxEntry({ path: `a/${long}` }), file('x')]), /longer than 255/],
  [
    'a path of more than 4,096 bytes',
    rawTar([paxEntry({ path: `${'d/'.repeat(2_100)}f` }), file('x')]),
    /longer than 4096/,
  ],
  ['a name that is not UTF-8', rawTar([file('x', { name: Buffer.from([0x61, 0xff, 0xfe]) })]), /not UTF-8/],
  [
    'an overlong UTF-8 slash',
    rawTar([file('x', { name: Buffer.from([0x61, 0xc0, 0xaf, 0x62]) })]),
    /not UTF-8/,
  ],
  ['a NUL in a pax name', rawTar([paxEntry({ path: 'a\0b' }), file('x')]), /NUL/],
  ['a newline in a name', rawTar([file('a\nb')]), /control character/],
  ['a terminal sequence in a name', rawTar([file('a\u001b[31mb')]), /control character/],
  ['a sparse file of GNU', rawTar([{ name: 's', type: 'S' }]), /sparse/],
  ['a sparse file of pax', rawTar([paxEntry({ 'GNU.sparse.major': '1' }), file('x')]), /sparse/],
  ['a global pax name', rawTar([paxEntry({ path: 'all' }, 'g'), file('x')]), /for all entries/],
  ['a global pax size', rawTar([paxEntry({ size: '1' }, 'g'), file('x')]), /for all entries/],
  ['a pax size that is no number', rawTar([paxEntry({ size: '1e9' }), file('x')]), /pax size/],
  ['a negative pax size', rawTar([paxEntry({ size: '-1' }), file('x')]), /pax size/],
  [
    'a malformed pax record',
    rawTar([{ name: 'p', type: 'x', content: '999 path=x\n' }, file('x')]),
    /malformed pax/,
  ],
  ['a huge extended header', rawTar([{ name: 'p', type: 'x', sizeBytes: 1e9 }]), /extended header/],
  ['a size that lies beyond the end', rawTar([file('x', { sizeBytes: 1e6 })]), /cut short/],
  ['a size of 2^60', rawTar([file('x', { sizeField: base256(2 ** 60) })]), /damaged/],
  ['a negative size in base 256', rawTar([file('x', { sizeField: Buffer.alloc(12, 0xff) })]), /damaged/],
  ['a size that is no number', rawTar([file('x', { sizeField: Buffer.from('99999999999\0') })]), /damaged/],
  ['a wrong checksum', rawTar([file('x', { breakChecksum: true })]), /damaged/],
  ['a missing end mark', rawTar([file('x')], false), /end mark/],
  ['an archive cut in a header', rawTar([file('x')]).subarray(0, 300), /end mark/],
  [
    'an archive cut in a file',
    rawTar([file('x', { content: 'y'.repeat(5_000) })]).subarray(0, 2_000),
    /cut short/,
  ],
  [
    'something after the end mark',
    Buffer.concat([rawTar([file('x')]), rawTar([file('hidden')])]),
    /follows its end/,
  ],
  ['no file at all', rawTar([]), /no file/],
  ['folders only', rawTar([{ name: 'a/', type: '5' }]), /no file/],
  ['nothing', Buffer.alloc(0), /end mark/],
  ['text', Buffer.from('this is not an archive at all'.repeat(100)), /not a tar/],
  ['a zip', Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(2_000, 1)]), /zip/],
  [
    'gzip cut short',
    gzipSync(rawTar([file('x', { content: 'y'.repeat(9_000) })])).subarray(0, 60),
    /gzip data/,
  ],
  ['damaged zstd', damaged(zstdCompressSync(rawTar([file('x')]))), /zstd data|not a tar/],
  ['gzip of text', gzipSync('hello'.repeat(1_000)), /not a tar/],
]

function damaged(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  copy.fill(0xaa, 8, 40)
  return copy
}

describe('a hostile package is refused with its reason:', () => {
  test.each(evil)('%s', async (_, archive, reason) => {
    const error = await read(archive).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(AppError)
    const { code, params } = error as AppError
    expect(['package_invalid', 'package_too_large']).toContain(code)
    expect(String(params['reason'])).toMatch(reason)
    expect(await readdir(folder)).toEqual([])
  })
})

test('the table has at least forty archives', () => expect(evil.length).toBeGreaterThanOrEqual(40))

describe('a package that is too large is refused while it streams:', () => {
  test('by entries', async () => {
    const many = rawTar(Array.from({ length: 50 }, (_, index) => file(`f${index}`)))
    await expect(read(many, { entriesMax: 49 })).rejects.toMatchObject({ code: 'package_too_large' })
  })
  test('by its own size', async () => {
    await expect(read(rawTar([file('f')]), { archiveMaxBytes: 100 })).rejects.toMatchObject({
      code: 'package_too_large',
    })
  })
  test.each(['gzip', 'zstd'])('by what a %s bomb unpacks to', async (kind) => {
    const plain = rawTar([file('zeros', { content: Buffer.alloc(20_000_000) })])
    const bomb = kind === 'gzip' ? gzipSync(plain) : zstdCompressSync(plain)
    expect(bomb.length).toBeLessThan(100_000)
    await expect(read(bomb, { totalMaxBytes: 1_000_000 })).rejects.toMatchObject({
      code: 'package_too_large',
    })
  })
})

test('case twins, empty folders, inner links and long names are kept, sorted by bytes', async () => {
  const deep = `${'folder/'.repeat(30)}file`
  const archive = rawTar([
    { name: './', type: '5' },
    file('./b'),
    file('B', { mode: 0o755 }),
    { name: 'empty/', type: '5' },
    link('current', 'releases/1'),
    link('releases/abs', '/app/b'),
    hardLink('copy', './b'),
    paxEntry({ path: deep }),
    file('short'),
    file('名字'),
  ])
  await using content = await read(archive)
  expect(content.entries.map((entry) => entry.path)).toEqual(
    ['B', 'b', 'copy', 'current', 'empty', deep, 'releases/abs', '名字'].sort((a, b) =>
      Buffer.compare(Buffer.from(a), Buffer.from(b)),
    ),
  )
  const find = (path: string) => content.entries.find((entry) => entry.path === path)
  expect(find('B')?.isExecutable).toBe(true)
  expect(find('releases/abs')?.linkName).toBe('../b')
  const copy = find('copy')
  expect(copy && (await textOf(content.contentOf(copy)))).toBe('content')
})

test('of two files of one name the later one counts', async () => {
  await using content = await read(rawTar([file('f', { content: 'old' }), file('f', { content: 'new' })]))
  expect(content.entries).toHaveLength(1)
  expect(content.entries[0] && (await textOf(content.contentOf(content.entries[0])))).toBe('new')
})

test.each([1, 7, 511, 512, 513, 100_000])('reads the same in pieces of %i bytes', async (pieceBytes) => {
  const archive = rawTar([file('a', { content: 'x'.repeat(1_500) }), file('b', { content: '' }), file('c')])
  await using content = await read(archive, undefined, pieceBytes)
  const texts = await Promise.all(content.entries.map((entry) => textOf(content.contentOf(entry))))
  expect(texts).toEqual(['x'.repeat(1_500), '', 'content'])
})

test('reads what an independent program writes, plain, as gzip and as zstd', async () => {
  const writer = pack()
  writer.entry({ name: 'package.json' }, '{}')
  writer.entry({ name: `node_modules/${'x'.repeat(120)}/index.js` }, 'long')
  writer.finalize()
  const chunks: Uint8Array[] = []
  for await (const chunk of writer) chunks.push(chunk as Uint8Array)
  const plain = Buffer.concat(chunks)
  for (const archive of [plain, gzipSync(plain), zstdCompressSync(plain)]) {
    await using content = await read(archive)
    expect(content.entries.map((entry) => entry.path)).toEqual([
      `node_modules/${'x'.repeat(120)}/index.js`,
      'package.json',
    ])
  }
})
