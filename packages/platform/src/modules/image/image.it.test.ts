import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'

import { systemClock } from '@slipway/kit'
import { buildImage, clientSink, registryClient } from '@slipway/oci'
import { testPlatform, type TestPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

let platform: TestPlatform
let operator: string
let application: string
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-image-'))
  platform = await testPlatform()
  operator = await platform.becomeOperator()
  const made = async (path: string, body: unknown): Promise<string> =>
    String((await platform.call('POST', path, { secret: operator, body })).body['id'])
  const organization = await made('/v1/organizations', { slug: 'acme', name: 'Acme' })
  const project = await made(`/v1/organizations/${organization}/projects`, { slug: 'shop', name: 'Shop' })
  application = await made(`/v1/projects/${project}/applications`, { slug: 'web' })
})
afterAll(async () => {
  await platform[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const run = promisify(execFile)
let pushes = 0

async function push(password: string, repository: string, tag: string): Promise<string> {
  const client = registryClient({
    baseUrl: platform.url,
    credentials: { username: 'ci', password },
    clock: systemClock,
  })
  await writeFile(join(folder, 'server.js'), `console.log('${repository}', '${tag}', ${(pushes += 1)})`)
  const { stdout } = await run('tar', ['-C', folder, '-cf', '-', 'server.js'], { encoding: 'buffer' })
  const built = await buildImage({
    archive: Readable.from([stdout]),
    layout: 'node',
    base: { kind: 'declared', name: 'host/node' },
    settings: { command: ['node', 'server.js'], ports: [3000] },
    sink: clientSink(client, repository),
    tags: [tag],
    spoolFolder: folder,
    clock: systemClock,
  })
  return built.digest
}

test('an Image that was pushed is listed with its tag, template and size, and its push is audited', async () => {
  const digest = await push(operator, 'shop/web', 'v1')
  const list = await platform.call('GET', `/v1/applications/${application}/images`, { secret: operator })
  expect(list.body['items']).toMatchObject([
    {
      reference: `shop/web@${digest}`,
      tags: ['v1'],
      base: 'host/node',
      usedBy: [],
      template: { processes: { web: { kind: 'web', port: 3000, command: ['node', 'server.js'] } } },
    },
  ])
  const events = await platform.call('GET', '/v1/audit-events?limit=50', { secret: operator })
  expect(JSON.stringify(events.body)).toContain('image.push')
})

test('a tag moves to what is pushed later, and an Image is deleted with its tags', async () => {
  const older = await push(operator, 'shop/web', 'v2')
  const newer = await push(operator, 'shop/web', 'v2')
  const list = await platform.call('GET', `/v1/applications/${application}/images`, { secret: operator })
  const items = list.body['items'] as { id: string; digest: string; tags: string[] }[]
  expect(items.find(({ digest }) => digest === older)?.tags).toEqual([])
  const path = `/v1/images/${String(items.find(({ digest }) => digest === newer)?.id)}`
  expect((await platform.call('DELETE', path, { secret: operator })).status).toBe(204)
  expect((await platform.call('GET', path, { secret: operator })).status).toBe(404)
  const pulled = await fetch(new URL('/v2/shop/web/manifests/v2', platform.url), {
    headers: { authorization: `Basic ${btoa(`ci:${operator}`)}` },
  })
  expect(pulled.status).toBe(404)
})

test('a stranger can neither push nor see, and a revoked token ends at once', async () => {
  const stranger = await platform.user(operator, 'stranger')
  await expect(push(stranger.secret, 'shop/web', 'evil')).rejects.toThrow()
  await expect(push('wrong', 'shop/web', 'evil')).rejects.toThrow()
  const manifest = new URL('/v2/shop/web/manifests/v1', platform.url)
  const basic = (secret: string) => ({ headers: { authorization: `Basic ${btoa(`ci:${secret}`)}` } })
  expect((await fetch(manifest, basic(stranger.secret))).status).toBe(404)
  expect((await fetch(new URL('/v2/', platform.url))).status).toBe(401)

  const token = await platform.call('POST', '/v1/tokens', { secret: operator, body: { name: 'ci' } })
  const login = await fetch(
    new URL('/v2/token?scope=repository:shop/web:pull', platform.url),
    basic(String(token.body['secret'])),
  )
  const bearer = {
    headers: { authorization: `Bearer ${((await login.json()) as { token: string }).token}` },
  }
  expect((await fetch(manifest, bearer)).status).toBe(200)
  await platform.call('DELETE', `/v1/tokens/${String(token.body['id'])}`, { secret: operator })
  expect((await fetch(manifest, bearer)).status).not.toBe(200)
})

test('a repository without an Application, and a reserved one, cannot be pushed to by a member', async () => {
  await expect(push(operator, 'shop/nothing', 'v1')).rejects.toThrow()
  await expect(push(operator, 'base/node', 'v1')).resolves.toContain('sha256:')
  const bases = await platform.call('GET', '/v1/base-images', { secret: operator })
  expect(JSON.stringify(bases.body)).toContain('base/node:v1')
})

/** An OCI layout as tar with so many Images, each with a layer of its own. */
async function layout(name: string, count = 1): Promise<Buffer<ArrayBuffer>> {
  const parent = join(folder, name)
  await mkdir(join(parent, 'blobs/sha256'), { recursive: true })
  const put = async (content: Buffer | object, mediaType: string) => {
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content))
    const hex = createHash('sha256').update(bytes).digest('hex')
    await writeFile(join(parent, 'blobs/sha256', hex), bytes)
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length }
  }
  const manifests = []
  for (let index = 0; index < count; index += 1) {
    const layer = Buffer.alloc(1_024 * (index + 2))
    const config = {
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: { Cmd: ['node', 'app.js'], ExposedPorts: { '4000/tcp': {} } },
      rootfs: { type: 'layers', diff_ids: [`sha256:${createHash('sha256').update(layer).digest('hex')}`] },
    }
    const manifest = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: await put(config, 'application/vnd.oci.image.config.v1+json'),
      layers: [await put(layer, 'application/vnd.oci.image.layer.v1.tar')],
    }
    manifests.push(await put(manifest, manifest.mediaType))
  }
  await writeFile(join(parent, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  await writeFile(join(parent, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }))
  const { stdout } = await run('tar', ['-C', parent, '-cf', '-', '.'], { encoding: 'buffer' })
  return Buffer.from(stdout)
}

async function upload(path: string, body: Buffer<ArrayBuffer>, secret = operator) {
  const response = await fetch(new URL(path, platform.url), {
    method: 'PUT',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/octet-stream' },
    body,
  })
  return { status: response.status, text: await response.text() }
}

test('an archive becomes a base, or an Image of its Application that can be released', async () => {
  const archive = await layout('one')
  expect(await upload('/v1/base-images/content?name=base/build:latest', archive)).toEqual({
    status: 204,
    text: '',
  })
  const bases = await platform.call('GET', '/v1/base-images', { secret: operator })
  expect(JSON.stringify(bases.body)).toContain('base/build:latest')
  const path = `/v1/applications/${application}/images`
  expect((await upload(`${path}/content?tag=imported`, archive)).status).toBe(204)
  const list = await platform.call('GET', path, { secret: operator })
  expect(list.body['items']).toMatchObject([
    {
      tags: ['imported'],
      createdBy: 'admin',
      template: { processes: { web: { port: 4000, command: ['node', 'app.js'] } } },
    },
    {},
    {},
  ])
})

test('what is no archive of one Image is refused with the reason, and a base takes an operator', async () => {
  const path = `/v1/applications/${application}/images/content?tag=bad`
  const several = await upload(path, await layout('two', 2))
  expect(several).toMatchObject({
    status: 422,
    text: expect.stringContaining('2 images instead of one') as unknown,
  })
  const nonsense = await upload(path, Buffer.from('nonsense'))
  expect(nonsense).toMatchObject({
    status: 422,
    text: expect.stringContaining('image_archive_invalid') as unknown,
  })
  expect((await upload('/v1/base-images/content?name=shop/web:1', Buffer.from('x'))).status).toBe(400)
  const member = await platform.user(operator, 'member')
  const base = await upload('/v1/base-images/content?name=base/x:1', await layout('three'), member.secret)
  expect([403, 404]).toContain(base.status)
  const list = await platform.call('GET', `/v1/applications/${application}/images`, { secret: operator })
  expect(JSON.stringify(list.body)).not.toContain('"bad"')
})
