import { randomBytes } from 'node:crypto'

import { systemClock } from '@slipway/kit'
import { expect, test } from 'vitest'

import { digestOf } from '../format/digest.ts'
import { mediaTypes } from '../format/media-types.ts'
import { testServer } from '../testing/world.ts'
import { registryClient, type RegistryClient } from './client.ts'

async function* pieces(bytes: Uint8Array, size = 100_000): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size)
}

async function pushImage(client: RegistryClient, repository: string, tag: string, layer: Uint8Array) {
  const config = Buffer.from('{"rootfs":{"type":"layers","diff_ids":[]}}')
  for (const bytes of [config, layer])
    await client.pushBlob({ repository, digest: digestOf(bytes), open: () => pieces(bytes) })
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: { mediaType: mediaTypes.config, digest: digestOf(config), size: config.length },
      layers: [{ mediaType: mediaTypes.layer, digest: digestOf(layer), size: layer.length }],
    }),
  )
  return await client.putManifest({ repository, reference: tag, mediaType: mediaTypes.manifest, bytes })
}

test('pushes, resolves, pulls, lists, mounts and deletes through login by token', async () => {
  await using server = await testServer()
  const client = server.clientFor('owner')
  await client.ping()
  const layer = randomBytes(3_000_000)
  const digest = await pushImage(client, 'team/app', 'v1', layer)
  expect((await client.resolveManifest('team/app', 'v1'))?.digest).toBe(digest)
  expect((await client.getManifest('team/app', digest)).mediaType).toBe(mediaTypes.manifest)
  const back = await client.readBlob('team/app', { digest: digestOf(layer) }, 4_000_000)
  expect(back.equals(layer)).toBe(true)
  expect(await client.listTags('team/app')).toEqual({ tags: ['v1'], next: undefined })
  const mount = { repository: 'team/other', from: 'team/app', digest: digestOf(layer) }
  expect(await client.mountBlob(mount)).toBe(true)
  expect(await client.findBlobSize('team/other', digestOf(layer))).toBe(layer.length)
  expect(await client.deleteManifest('team/app', 'v1')).toBe(true)
  expect(await client.deleteManifest('team/app', digest)).toBe(true)
  expect(await client.findManifest('team/app', digest)).toBeUndefined()
  expect(server.registry.failures).toEqual([])
})

test('uploads in chunks and goes on after the connection broke', async () => {
  await using server = await testServer()
  let patches = 0
  const client = registryClient({
    baseUrl: server.url,
    clock: systemClock,
    credentials: { username: 'owner', password: 'owner' },
    chunkBytes: 300_000,
    fetch: async (input, init) => {
      if (init?.method === 'PATCH') patches += 1
      // The answer is lost after the registry took the second chunk, and the fourth never arrives.
      if (init?.method === 'PATCH' && patches === 4) throw new TypeError('fetch failed')
      const response = await fetch(input, init)
      if (init?.method === 'PATCH' && patches === 2) throw new TypeError('fetch failed')
      return response
    },
  })
  const bytes = randomBytes(2_000_000)
  await client.pushBlob({ repository: 'team/app', digest: digestOf(bytes), open: () => pieces(bytes) })
  expect((await client.readBlob('team/app', { digest: digestOf(bytes) }, 2_000_000)).equals(bytes)).toBe(true)
})

test('what a caller may not see and what is not there look the same', async () => {
  await using server = await testServer()
  await pushImage(server.clientFor('owner'), 'team/app', 'v1', randomBytes(10))
  const stranger = server.clientFor('stranger')
  expect(await stranger.findManifest('team/app', 'v1')).toBeUndefined()
  expect(await stranger.findManifest('team/none', 'v1')).toBeUndefined()
  const reader = server.clientFor('reader')
  expect(await reader.findManifest('team/app', 'v1')).toBeDefined()
  await expect(pushImage(reader, 'team/app', 'v2', randomBytes(10))).rejects.toMatchObject({
    code: 'registry_unauthorized',
  })
  await expect(server.clientFor(undefined).findManifest('team/app', 'v1')).rejects.toMatchObject({
    code: 'registry_unauthorized',
  })
})

test('a wrong password is refused at once and named', async () => {
  await using server = await testServer()
  const client = registryClient({
    baseUrl: server.url,
    clock: systemClock,
    credentials: { username: 'owner', password: 'wrong' },
  })
  await expect(client.ping()).rejects.toMatchObject({
    code: 'registry_unauthorized',
    params: { account: 'owner' },
  })
})
