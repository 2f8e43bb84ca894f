import { spawn } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'

import { systemClock } from '@slipway/kit'
import { buildImage, clientSink, importArchive } from '@slipway/oci'
import { testServer, type TestServer } from '@slipway/oci/testing'
import { pack } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { findPeer, type Peer } from './peers.ts'

/* crane, another independent client; it also writes the archives that `docker save` writes. */
const found = await findPeer('crane')
const missing = typeof found === 'string' ? found : undefined
if (missing !== undefined) console.warn(`not run: ${missing}`)

describe.skipIf(missing !== undefined)('crane', () => {
  let home = ''
  let server: TestServer
  let digest = ''
  const crane = (...args: string[]): Promise<string> => (found as Peer).run([...args, '--insecure'], home)

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'slipway-crane-'))
    server = await testServer()
    const archive = pack()
    archive.entry({ name: 'server.js' }, 'console.log(1)')
    archive.entry({ name: 'node_modules/a/index.js' }, 'x'.repeat(300_000))
    archive.finalize()
    const built = await buildImage({
      archive: Readable.from(archive),
      layout: 'node',
      base: { kind: 'declared', name: 'host/node' },
      settings: { command: ['node', 'server.js'] },
      sink: clientSink(server.clientFor('owner'), 'team/app'),
      tags: ['v1'],
      platform: { os: 'linux', architecture: 'amd64' },
      format: 'gzip',
      spoolFolder: home,
      clock: systemClock,
    })
    digest = built.digest
    await crane('auth', 'login', server.host, '-u', 'owner', '-p', 'owner')
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await rm(home, { recursive: true, force: true })
  })

  const at = (name: string): string => `${server.host}/${name}`

  test('finds our Image valid and copies, tags, lists and deletes', async () => {
    expect((await crane('digest', at('team/app:v1'))).trim()).toBe(digest)
    await crane('validate', '--remote', at('team/app:v1'))
    await crane('copy', at('team/app:v1'), at('team/copied:v1'))
    expect((await crane('digest', at('team/copied:v1'))).trim()).toBe(digest)
    await crane('tag', at('team/app:v1'), 'v2')
    expect((await crane('ls', at('team/app'))).trim().split('\n')).toEqual(['v1', 'v2'])
    expect((await crane('catalog', server.host)).trim().split('\n')).toContain('team/copied')
    await crane('delete', at(`team/copied@${digest}`))
    expect(await server.clientFor('owner').resolveManifest('team/copied', 'v1')).toBeUndefined()
    expect(server.registry.failures).toEqual([])
  })

  test.each(['legacy', 'oci'] as const)('its archives (%s) can be uploaded', async (format) => {
    const file = join(home, `image-${format}`)
    await crane('pull', `--format=${format}`, at('team/app:v1'), file)
    const archive = format === 'oci' ? tarOf(file) : createReadStream(file)
    const [image] = await importArchive({
      archive,
      sink: clientSink(server.clientFor('owner'), `team/${format}`),
      tagsFor: () => ['v9'],
      // crane checks gzip layers only.
      format: 'gzip',
    })
    await crane('validate', '--remote', at(`team/${format}:v9`))
    if (format === 'oci') expect(image?.digest).toBe(digest)
  })

  function tarOf(folder: string): Readable {
    return spawn('tar', ['-C', folder, '-cf', '-', '.'], { stdio: ['ignore', 'pipe', 'inherit'] }).stdout
  }
})
