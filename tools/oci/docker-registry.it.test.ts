import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'

import { systemClock } from '@slipway/kit'
import {
  buildImage,
  clientSink,
  digestOf,
  fetchApplication,
  registryClient,
  type RegistryClient,
} from '@slipway/oci'
import { pack } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { findPeer, type Peer } from './peers.ts'

/* Our client and builder against docker-registry, an independent server. */
const found = await findPeer('docker-registry')
const missing = typeof found === 'string' ? found : undefined
if (missing !== undefined) console.warn(`not run: ${missing}`)

const PLATFORM = { os: 'linux', architecture: 'amd64' }

describe.skipIf(missing !== undefined)('docker-registry', () => {
  let folder = ''
  let client: RegistryClient
  let stop = async (): Promise<void> => {}

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slipway-docker-registry-'))
    const config = join(folder, 'config.yml')
    await writeFile(
      config,
      [
        'version: 0.1',
        'log: {level: info}',
        `storage: {filesystem: {rootdirectory: ${folder}/data}, delete: {enabled: true}}`,
        'http: {addr: "127.0.0.1:0", secret: test}',
      ].join('\n'),
    )
    const child = spawn((found as Peer).program, ['serve', config], { stdio: ['ignore', 'ignore', 'pipe'] })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    stop = async () => {
      child.kill('SIGKILL')
      await ended
      await rm(folder, { recursive: true, force: true })
    }
    for await (const line of createInterface({ input: child.stderr })) {
      const port = /listening on 127\.0\.0\.1:([0-9]+)/.exec(line)?.[1]
      if (port === undefined) continue
      client = registryClient({
        baseUrl: `http://127.0.0.1:${port}`,
        clock: systemClock,
        chunkBytes: 100_000,
      })
      break
    }
    // Nobody reads its log any more; it must not block on a full pipe.
    child.stderr.resume()
  })
  afterAll(() => stop())

  test('takes our Images, in chunks, and gives them back', async () => {
    await client.ping()
    const archive = pack()
    archive.entry({ name: 'server.js' }, 'console.log(1)')
    archive.entry(
      { name: 'node_modules/a/random' },
      Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))),
    )
    archive.entry(
      { name: 'node_modules/b/random' },
      Buffer.from(crypto.getRandomValues(new Uint8Array(65_000))),
    )
    archive.entry(
      { name: 'node_modules/c/random' },
      Buffer.from(crypto.getRandomValues(new Uint8Array(65_000))),
    )
    archive.finalize()
    const built = await buildImage({
      archive: Readable.from(archive),
      layout: 'node',
      base: { kind: 'declared', name: 'host/node' },
      settings: { command: ['node', 'server.js'] },
      sink: clientSink(client, 'team/app'),
      tags: ['v1'],
      platform: PLATFORM,
      spoolFolder: folder,
      clock: systemClock,
    })
    const fetched = await fetchApplication({
      client,
      reference: { repository: 'team/app', tag: 'v1', digest: undefined },
      folder: join(folder, 'cache'),
      platform: PLATFORM,
    })
    expect(fetched.digest).toBe(built.digest)
    expect(await readFile(join(fetched.applicationFolder, 'server.js'), 'utf8')).toBe('console.log(1)')
    const [layer] = built.layers
    const mount = {
      repository: 'team/other',
      from: 'team/app',
      digest: layer?.descriptor.digest ?? digestOf(''),
    }
    expect(await client.mountBlob(mount)).toBe(true)
    expect(await client.mountBlob({ ...mount, digest: digestOf('none') })).toBe(false)
    expect(await client.listTags('team/app')).toEqual({ tags: ['v1'], next: undefined })
    expect(await client.listReferrers('team/app', built.digest)).toEqual([])
    expect(await client.deleteManifest('team/app', built.digest)).toBe(true)
    expect(await client.resolveManifest('team/app', 'v1')).toBeUndefined()
  })
})
