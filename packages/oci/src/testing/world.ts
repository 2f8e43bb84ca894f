import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { idsOf, systemClock, type Clock } from '@slipway/kit'

import { registryClient, type RegistryClient } from '../client/client.ts'
import type { RegistryOptions } from '../registry/context.ts'
import { folderBlobs } from '../registry/folder-blobs.ts'
import type { BlobStore, RegistryMetadata } from '../registry/ports.ts'
import { createRegistry } from '../registry/registry.ts'
import { newTokenKey, tokenSigner, type TokenSigner } from '../registry/token.ts'
import { memoryMetadata } from './memory-metadata.ts'
import { serveRegistry } from './serve.ts'

/*
 * A registry with a few people: `owner` may do all, `reader` may pull `team/*`, `stranger` may do nothing, and everybody may
 * pull `public/*`. The password is the name.
 */
export type TestRegistry = AsyncDisposable & {
  readonly handler: (request: Request) => Promise<Response>
  readonly blobs: BlobStore
  readonly metadata: RegistryMetadata
  readonly tokens: TokenSigner
  readonly folder: string
  readonly failures: unknown[]
}

export async function testRegistry(
  more: Partial<RegistryOptions> & { readonly clock?: Clock } = {},
): Promise<TestRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-oci-'))
  const clock = more.clock ?? systemClock
  const key = newTokenKey('first')
  const newId = idsOf(clock.now)
  const tokens = tokenSigner({
    keys: () => [key],
    issuer: 'slipway',
    audience: 'registry.test',
    clock,
    newId,
  })
  const blobs = more.blobs ?? (await folderBlobs(join(folder, 'registry')))
  const metadata = more.metadata ?? memoryMetadata()
  const failures: unknown[] = []
  const handler = createRegistry({
    blobs,
    metadata,
    newId,
    authenticate: async ({ username, password }) =>
      ['owner', 'reader', 'stranger'].includes(username) && username === password
        ? { id: username, name: username }
        : undefined,
    authorize: async (subject, repository) => {
      if (subject?.id === 'owner') return ['pull', 'push', 'delete']
      if (subject?.id === 'reader' && repository.startsWith('team/')) return ['pull']
      return repository.startsWith('public/') ? ['pull'] : []
    },
    login: { realm: '/v2/token', service: 'registry.test', tokens },
    onFailure: (error) => failures.push(error),
    ...more,
    clock,
  })
  return {
    handler,
    blobs,
    metadata,
    tokens,
    folder,
    failures,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

export type TestServer = AsyncDisposable & {
  readonly registry: TestRegistry
  readonly url: string
  readonly host: string
  readonly clientFor: (username: string | undefined) => RegistryClient
}

/** A test registry behind a socket. */
export async function testServer(more: Partial<RegistryOptions> = {}): Promise<TestServer> {
  const registry = await testRegistry(more)
  const served = await serveRegistry(registry.handler)
  return {
    registry,
    url: served.url,
    host: served.host,
    clientFor: (username) =>
      registryClient({
        baseUrl: served.url,
        clock: systemClock,
        credentials: username === undefined ? undefined : { username, password: username },
      }),
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]()
      await registry[Symbol.asyncDispose]()
    },
  }
}
