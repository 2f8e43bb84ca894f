import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'

import { systemClock } from '@slipway/kit'
import { buildImage, clientSink, fetchApplication } from '@slipway/oci'
import { testServer, type TestServer } from '@slipway/oci/testing'
import { pack } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { findPeer, type Peer } from './peers.ts'

/* skopeo, an independent client, against our registry with Images of our builder. */
const found = await findPeer('skopeo')
const missing = typeof found === 'string' ? found : undefined
if (missing !== undefined) console.warn(`not run: ${missing}`)

const PLATFORM = { os: 'linux', architecture: 'amd64' }
let home = ''
let server: TestServer

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'slipway-skopeo-'))
  await mkdir(join(home, 'registries.d'))
  server = await testServer()
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await rm(home, { recursive: true, force: true })
})

async function skopeo(...args: string[]): Promise<string> {
  const peer = found as Peer
  const common = ['--insecure-policy', '--registries.d', join(home, 'registries.d')]
  return await peer.run([...common, ...args], home)
}

async function buildTestImage(tag: string, format: 'zstd' | 'gzip'): Promise<string> {
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
    tags: [tag],
    platform: PLATFORM,
    format,
    spoolFolder: home,
    clock: systemClock,
  })
  return built.digest
}

describe.skipIf(missing !== undefined)('skopeo', () => {
  const at = (tag: string, repository = 'team/app'): string => `docker://${server.host}/${repository}:${tag}`
  const creds = ['--creds', 'owner:owner', '--tls-verify=false']

  test('logs in, and is refused with a wrong password', async () => {
    const login = (password: string) =>
      skopeo(
        'login',
        '--tls-verify=false',
        '--authfile',
        join(home, 'auth.json'),
        '-u',
        'owner',
        '-p',
        password,
        server.host,
      )
    expect(await login('owner')).toContain('Login Succeeded')
    await expect(login('wrong')).rejects.toThrow()
  })

  test.each(['zstd', 'gzip'] as const)(
    'reads our Images and copies them out and back unchanged (%s)',
    async (format) => {
      const digest = await buildTestImage(format, format)
      const inspected = JSON.parse(await skopeo('inspect', ...creds, at(format))) as {
        Digest: string
        Architecture: string
        RepoTags: string[]
      }
      expect(inspected).toMatchObject({ Digest: digest, Architecture: 'amd64' })
      expect(inspected.RepoTags).toContain(format)
      const layout = join(home, `layout-${format}`)
      await skopeo(
        'copy',
        '--src-creds',
        'owner:owner',
        '--src-tls-verify=false',
        at(format),
        `oci:${layout}:x`,
      )
      const index = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as {
        manifests: { digest: string }[]
      }
      expect(index.manifests[0]?.digest).toBe(digest)
      await skopeo(
        'copy',
        '--dest-creds',
        'owner:owner',
        '--dest-tls-verify=false',
        `oci:${layout}:x`,
        at(format, 'team/copied'),
      )
      const back = await server.clientFor('owner').resolveManifest('team/copied', format)
      expect(back?.digest).toBe(digest)
      const fetched = await fetchApplication({
        client: server.clientFor('reader'),
        reference: { repository: 'team/copied', tag: format, digest: undefined },
        folder: join(home, `cache-${format}`),
        platform: PLATFORM,
      })
      expect(await readFile(join(fetched.applicationFolder, 'server.js'), 'utf8')).toBe('console.log(1)')
    },
  )

  test('copies between repositories by mounting', async () => {
    await buildTestImage('m', 'gzip')
    await skopeo(
      'copy',
      '--src-creds',
      'owner:owner',
      '--dest-creds',
      'owner:owner',
      '--src-tls-verify=false',
      '--dest-tls-verify=false',
      at('m'),
      at('m', 'team/mounted'),
    )
    expect(await server.clientFor('owner').resolveManifest('team/mounted', 'm')).toBeDefined()
  })

  test('deletes, and anonymous callers see nothing', async () => {
    await buildTestImage('d', 'gzip')
    await expect(skopeo('inspect', '--tls-verify=false', at('d'))).rejects.toThrow()
    await skopeo('delete', ...creds, at('d'))
    expect(await server.clientFor('owner').resolveManifest('team/app', 'd')).toBeUndefined()
    expect(server.registry.failures).toEqual([])
  })

  test('lists tags', async () => {
    await buildTestImage('t1', 'gzip')
    const listed = JSON.parse(await skopeo('list-tags', ...creds, `docker://${server.host}/team/app`)) as {
      Tags: string[]
    }
    expect(listed.Tags).toContain('t1')
  })
})
