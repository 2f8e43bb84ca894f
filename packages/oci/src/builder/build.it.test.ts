import { mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { idsOf, systemClock } from '@slipway/kit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { parseImageConfig } from '../format/config.ts'
import { digestOf } from '../format/digest.ts'
import { parseManifest } from '../format/manifest.ts'
import { mediaTypes } from '../format/media-types.ts'
import { parseImageReference } from '../format/names.ts'
import { memoryMetadata } from '../testing/memory-metadata.ts'
import { inPieces, rawTar } from '../testing/raw-tar.ts'
import { testServer, type TestServer } from '../testing/world.ts'
import { appendedLayers } from '../unpack/appended.ts'
import { fetchApplication } from '../unpack/fetch.ts'
import type { BaseChoice } from './base.ts'
import { buildImage, type BuildOptions } from './build.ts'
import { directSink, directSource } from './direct.ts'
import type { WrittenLayer } from './layer.ts'
import { clientSink, clientSource } from './remote.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-build-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const PLATFORM = { os: 'linux', architecture: 'amd64' }
const PACKAGE = rawTar([
  { name: 'server.js', content: 'console.log(1)' },
  { name: 'bin/run', content: '#!/bin/sh\n', mode: 0o755 },
  { name: 'node_modules/a/index.js', content: 'module.exports = 1' },
  { name: 'current', type: '2', linkName: 'bin' },
  { name: 'data/', type: '5' },
])

const HOST_BASE: BaseChoice = { kind: 'declared', name: 'host/node' }

function optionsFor(sink: BuildOptions['sink'], more: Partial<BuildOptions> = {}): BuildOptions {
  return {
    archive: inPieces(PACKAGE),
    layout: 'node',
    base: HOST_BASE,
    settings: { command: ['node', 'server.js'], environment: { MODE: 'a\nb $X' }, ports: [8080] },
    configuration: [{ path: 'config/app.json', content: '{"a":1}' }],
    sink,
    tags: ['v1'],
    platform: PLATFORM,
    spoolFolder: folder,
    clock: systemClock,
    ...more,
  }
}

function direct(server: TestServer, repository: string) {
  const { blobs, metadata } = server.registry
  return { blobs, metadata, repository, clock: systemClock, newId: idsOf(systemClock.now) }
}

async function pushBase(server: TestServer, repository: string): Promise<void> {
  const layer = rawTar([{ name: 'etc/os-release', content: 'ID=test' }])
  const config = {
    os: 'linux',
    architecture: 'amd64',
    config: {
      Env: ['PATH=/usr/bin', 'MODE=base'],
      Entrypoint: ['tini', '--'],
      ExposedPorts: { '1/tcp': {} },
    },
    rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    history: [{ created_by: 'base' }],
  }
  const configBytes = Buffer.from(JSON.stringify(config))
  const client = server.clientFor('owner')
  for (const bytes of [layer, configBytes])
    await client.pushBlob({ repository, digest: digestOf(bytes), open: () => inPieces(bytes) })
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest: digestOf(configBytes), size: configBytes.length },
    layers: [{ mediaType: mediaTypes.layer, digest: digestOf(layer), size: layer.length }],
  }
  await client.putManifest({
    repository,
    reference: '1',
    mediaType: mediaTypes.manifest,
    bytes: Buffer.from(JSON.stringify(manifest)),
  })
}

test('a package on a declared base becomes an Image that unpacks to the same files', async () => {
  await using server = await testServer()
  const client = server.clientFor('owner')
  const built = await buildImage(optionsFor(clientSink(client, 'team/app')))
  expect(built.layers.map((layer) => layer.group)).toEqual(['dependencies', 'application', 'configuration'])
  const reference = parseImageReference('team/app:v1')
  const fetched = await fetchApplication({
    client: server.clientFor('reader'),
    reference,
    folder: join(folder, 'cache'),
    platform: PLATFORM,
  })
  const inside = (path: string): string => join(fetched.applicationFolder, path)
  expect(fetched.digest).toBe(built.digest)
  expect(fetched.base).toEqual({ name: 'host/node', digest: undefined, layerCount: 0 })
  expect(fetched.config.run).toMatchObject({
    cmd: ['node', 'server.js'],
    workingDir: '/app',
    exposedPorts: ['8080/tcp'],
    env: ['MODE=a\nb $X'],
  })
  expect(await readFile(inside('config/app.json'), 'utf8')).toBe('{"a":1}')
  expect(await readFile(inside('node_modules/a/index.js'), 'utf8')).toBe('module.exports = 1')
  expect((await stat(inside('bin/run'))).mode & 0o777).toBe(0o755)
  expect((await stat(inside('server.js'))).mode & 0o777).toBe(0o644)
  expect((await stat(inside('data'))).isDirectory()).toBe(true)
  expect(await readlink(inside('current'))).toBe('bin')
  // A second time needs no network when the digest is known.
  await server[Symbol.asyncDispose]()
  const again = await fetchApplication({
    client,
    reference: { repository: 'team/app', tag: undefined, digest: built.digest },
    folder: join(folder, 'cache'),
  })
  expect(again.applicationFolder).toBe(fetched.applicationFolder)
  expect((await readdir(join(folder, 'cache', 'applications'))).length).toBe(1)
})

test.each(['zstd', 'gzip'] as const)(
  'equal inputs give an equal digest, over the network or not (%s)',
  async (format) => {
    await using server = await testServer()
    const shuffled = rawTar([
      { name: 'data/', type: '5', mtimeSeconds: 5 },
      { name: './current', type: '2', linkName: 'bin', mtimeSeconds: 6 },
      { name: 'node_modules/a/index.js', content: 'module.exports = 1', mode: 0o600 },
      { name: 'bin/run', content: '#!/bin/sh\n', mode: 0o700, mtimeSeconds: 9 },
      { name: 'server.js', content: 'console.log(1)' },
    ])
    const first = await buildImage(optionsFor(clientSink(server.clientFor('owner'), 'team/app'), { format }))
    const second = await buildImage(
      optionsFor(directSink(direct(server, 'team/other')), { format, archive: inPieces(shuffled) }),
    )
    expect(second.digest).toBe(first.digest)
    expect(second.layers.map((layer) => layer.diffId)).toEqual(first.layers.map((layer) => layer.diffId))
    expect(second.layers[0]?.descriptor.mediaType).toContain(format)
  },
)

test('a real base is pinned, mounted and continued', async () => {
  await using server = await testServer()
  await pushBase(server, 'base/tiny')
  const source = directSource(direct(server, 'base/tiny'))
  const base: BaseChoice = {
    kind: 'image',
    name: 'base/tiny:1',
    reference: '1',
    source,
    isSameRegistry: true,
  }
  const sink = directSink(direct(server, 'team/app'))
  const built = await buildImage(optionsFor(sink, { base }))
  const manifest = parseManifest(built.manifest)
  if (manifest.kind !== 'image') throw new Error('an image was built')
  const config = parseImageConfig(
    await server.clientFor('reader').readBlob('team/app', built.config, 100_000),
  )
  expect(manifest.annotations).toMatchObject({
    'org.opencontainers.image.base.name': 'base/tiny:1',
    'org.opencontainers.image.base.digest': built.base.digest,
    'slipway/base-layers': '1',
  })
  expect(config.run).toMatchObject({
    entrypoint: ['tini', '--'],
    env: ['PATH=/usr/bin', 'MODE=a\nb $X'],
    exposedPorts: ['8080/tcp'],
  })
  expect(config.diffIds).toHaveLength(4)
  expect(appendedLayers(manifest, config).map((layer) => layer.descriptor.digest)).toEqual(
    built.layers.map((layer) => layer.descriptor.digest),
  )
})

test('a base in another registry is copied as it is', async () => {
  await using far = await testServer()
  await using server = await testServer()
  await pushBase(far, 'base/tiny')
  const source = clientSource(far.clientFor('owner'), 'base/tiny')
  const base: BaseChoice = { kind: 'image', name: 'far/tiny', reference: '1', source, isSameRegistry: false }
  const built = await buildImage(optionsFor(clientSink(server.clientFor('owner'), 'team/app'), { base }))
  const fetched = await fetchApplication({
    client: server.clientFor('reader'),
    reference: { repository: 'team/app', tag: undefined, digest: built.digest },
    folder: join(folder, 'far'),
  })
  expect((await readdir(fetched.applicationFolder)).sort()).toContain('server.js')
  const [layer] = fetched.manifest.layers
  expect(layer && (await server.clientFor('owner').findBlobSize('team/app', layer.digest))).toBe(layer?.size)
})

test('an unchanged layer is taken from the cache by its content', async () => {
  await using server = await testServer()
  const known = new Map<string, WrittenLayer>()
  const layerCache = {
    find: async (key: string) => known.get(key),
    store: async (key: string, layer: WrittenLayer) => void known.set(key, layer),
  }
  const sink = directSink(direct(server, 'team/app'))
  await buildImage(optionsFor(sink, { layerCache }))
  const changed = rawTar([
    { name: 'server.js', content: 'console.log(2)' },
    { name: 'node_modules/a/index.js', content: 'module.exports = 1' },
  ])
  const second = await buildImage(optionsFor(sink, { layerCache, archive: inPieces(changed) }))
  expect(second.layers.map((layer) => [layer.group, layer.isReused])).toEqual([
    ['dependencies', true],
    ['application', false],
    ['configuration', true],
  ])
})

test('a refused package leaves no tag, no manifest and no upload', async () => {
  const metadata = memoryMetadata()
  await using server = await testServer({ metadata })
  const evil = rawTar([
    { name: 'ok', content: 'x' },
    { name: '../evil', content: 'x' },
  ])
  const sink = directSink(direct(server, 'team/app'))
  await expect(buildImage(optionsFor(sink, { archive: inPieces(evil) }))).rejects.toMatchObject({
    code: 'package_invalid',
  })
  expect(await metadata.hasRepository('team/app')).toBe(false)
  expect(await readdir(join(server.registry.folder, 'registry', 'uploads'))).toEqual([])
})

const badSettings: [what: string, more: Partial<BuildOptions>][] = [
  ['no command', { settings: { command: [] } }],
  ['a command with a path', { settings: { command: ['/app/run'] } }],
  ['a command that is an option', { settings: { command: ['-x'] } }],
  ['a NUL in an argument', { settings: { command: ['node', 'a\0b'] } }],
  ['a variable with =', { settings: { command: ['node'], environment: { 'A=B': '1' } } }],
  ['a variable of 1 MB', { settings: { command: ['node'], environment: { A: 'x'.repeat(1e6) } } }],
  ['port 0', { settings: { command: ['node'], ports: [0] } }],
  ['port 70000', { settings: { command: ['node'], ports: [70_000] } }],
  ['user root', { settings: { command: ['node'], user: 'root' } }],
  ['user 0', { settings: { command: ['node'], user: '00:5' } }],
  ['a configuration file above', { configuration: [{ path: '../x', content: '' }] }],
  ['a configuration file behind a link', { configuration: [{ path: 'current/x', content: '' }] }],
  ['a configuration file below a file', { configuration: [{ path: 'server.js/x', content: '' }] }],
]

test.each(badSettings)('refuses %s', async (_, more) => {
  await using server = await testServer()
  const sink = directSink(direct(server, 'team/app'))
  await expect(buildImage(optionsFor(sink, more))).rejects.toMatchObject({ code: 'image_config_invalid' })
  expect(await server.registry.metadata.findTag('team/app', 'v1')).toBeUndefined()
})
