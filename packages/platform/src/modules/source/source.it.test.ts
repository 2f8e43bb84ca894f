import { execFileSync } from 'node:child_process'
import { chmod } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { testPlatform, type TestPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { gitServer, testRepository, type GitServer, type TestRepository } from './testing.ts'

const resources = new AsyncDisposableStack()
let platform: TestPlatform
let operator: string
let application: string
let repository: TestRepository
let open: GitServer
let locked: GitServer
let first: string
let second: string

type Answer = Awaited<ReturnType<TestPlatform['call']>>

const TOKEN = 'canary-token-3141592'
const code = (answer: Answer): unknown => (answer.body['error'] as { code?: unknown } | undefined)?.code

beforeAll(async () => {
  repository = resources.use(await testRepository())
  first = await repository.commit({ 'index.html': 'one' }, 'first')
  await repository.git('tag', '-a', 'v1', '-m', 'one')
  second = await repository.commit({
    'slipway.yaml': 'version: 1\nprocesses: {web: {kind: web, port: 3000}}',
  })
  await repository.git('branch', 'feature/x', first)
  const served = dirname(repository.folder)
  open = resources.use(await gitServer(served))
  locked = resources.use(await gitServer(served, TOKEN))
  platform = resources.use(await testPlatform({ localSourceRoots: dirname(repository.folder) }))
  operator = await platform.becomeOperator()
  const made = async (path: string, body: unknown): Promise<string> =>
    String((await platform.call('POST', path, { secret: operator, body })).body['id'])
  const organization = await made('/v1/organizations', { slug: 'acme', name: 'Acme' })
  const project = await made(`/v1/organizations/${organization}/projects`, { slug: 'shop', name: 'Shop' })
  application = await made(`/v1/projects/${project}/applications`, { slug: 'web' })
})
afterAll(() => resources.disposeAsync())

const path = (more = ''): string => `/v1/applications/${application}/source${more}`
const set = (body: unknown): Promise<Answer> => platform.call('PUT', path(), { secret: operator, body })
const get = (more: string): Promise<Answer> => platform.call('GET', path(more), { secret: operator })

test('without a source every question says how to set one', async () => {
  for (const more of ['', '/refs', '/commits', '/resolution'])
    expect([more, (await get(more)).status, code(await get(more))]).toEqual([more, 404, 'source_missing'])
})

describe.each([
  ['a folder on this machine', () => ({ url: repository.folder })],
  ['a URL', () => ({ url: `${open.url}/repository` })],
  [
    'a URL with a password',
    () => ({
      url: `${locked.url}/repository`,
      credentials: { kind: 'token', username: 'ci', token: TOKEN },
    }),
  ],
])('%s', (_, input) => {
  test('branches, tags and commits are listed', async () => {
    const stored = await set(input())
    expect(stored.status).toBe(200)
    expect(JSON.stringify(stored.body)).not.toContain(TOKEN)
    const refs = await get('/refs')
    expect(refs.body).toEqual({
      defaultBranch: 'main',
      items: [
        { kind: 'branch', name: 'feature/x', commit: first },
        { kind: 'branch', name: 'main', commit: second },
        { kind: 'tag', name: 'v1', commit: first },
      ],
    })
    const page = await get('/refs?limit=2')
    const next = await get(`/refs?limit=2&cursor=${String(page.body['cursor'])}`)
    expect(next.body['items']).toMatchObject([{ name: 'v1' }])
    const commits = await get('/commits?limit=1')
    expect(commits.body['items']).toMatchObject([{ id: second, parents: [first] }])
    const older = await get(`/commits?limit=1&cursor=${String(commits.body['cursor'])}`)
    expect(older.body['items']).toMatchObject([{ id: first, subject: 'first' }])
    expect(older.body['cursor']).toBeUndefined()
  })

  test('a ref is resolved by branch, tag, id and the beginning of an id, with its slipway.yaml', async () => {
    for (const [ref, commit] of [
      ['', second],
      ['?ref=main', second],
      ['?ref=v1', first],
      ['?ref=feature%2Fx', first],
      [`?ref=${first}`, first],
      [`?ref=${second.slice(0, 10)}`, second],
    ] as const) {
      const answer = await get(`/resolution${ref}`)
      expect([ref, (answer.body['commit'] as { id?: string } | undefined)?.id]).toEqual([ref, commit])
    }
    const resolved = await get('/resolution')
    expect(resolved.body).toMatchObject({
      isDefaultBranch: true,
      hasManifest: true,
      manifest: { processes: { web: { port: 3000 } } },
    })
  })

  test('what is not there is said so', async () => {
    expect(code(await get('/resolution?ref=nothing'))).toBe('ref_unknown')
    expect(code(await get(`/resolution?ref=${'0'.repeat(40)}`))).toBe('ref_unknown')
    expect(code(await get('/resolution?ref=0000000'))).toBe('ref_unknown')
    expect(code(await get('/resolution?ref=--upload-pack%3Did'))).toBe('ref_invalid')
    expect(code(await get('/commits?cursor=zzz'))).toBe('cursor_invalid')
  })
})

describe('what cannot be a source', () => {
  const cases: [name: string, body: () => unknown, expected: string][] = [
    [
      'a repository that asks for a password',
      () => ({ url: `${locked.url}/repository`, credentials: null }),
      'source_login_refused',
    ],
    [
      'a wrong password',
      () => ({
        url: `${locked.url}/repository`,
        credentials: { kind: 'token', username: 'ci', token: 'wrong' },
      }),
      'source_login_refused',
    ],
    ['a repository that is gone', () => ({ url: `${open.url}/gone` }), 'source_not_a_repository'],
    ['a redirect', () => ({ url: `${open.url}/elsewhere/x` }), 'source_failed'],
    ['nobody there', () => ({ url: 'http://127.0.0.1:1/x' }), 'source_unreachable'],
    ['nobody there, by an IPv6 address', () => ({ url: 'http://[::1]:1/x' }), 'source_unreachable'],
    ['a metadata service', () => ({ url: 'http://169.254.169.254/x' }), 'outbound_forbidden'],
    ['plain http in public', () => ({ url: 'http://1.1.1.1/x' }), 'source_plain_http'],
    ['a folder outside of the roots', () => ({ url: '/etc' }), 'source_local_refused'],
    ['a folder that is not there', () => ({ url: '/nothing/here' }), 'source_local_refused'],
    ['a folder without a repository', () => ({ url: dirname(repository.folder) }), 'source_not_a_repository'],
    ['a helper', () => ({ url: 'ext::sh -c id' }), 'source_url_invalid'],
    ['credentials in the URL', () => ({ url: 'https://a:b@git.example/x' }), 'source_url_invalid'],
    [
      'credentials for a folder',
      () => ({ url: repository.folder, credentials: { kind: 'token', token: 'x' } }),
      'source_credentials_kind',
    ],
    [
      'a key for http',
      () => ({ url: `${open.url}/repository`, credentials: { kind: 'ssh-key', privateKey: 'x' } }),
      'source_credentials_kind',
    ],
    ['an unknown field', () => ({ url: repository.folder, token: 'x' }), 'input_invalid'],
    [
      'a line break in a token',
      () => ({ url: 'https://x/y', credentials: { kind: 'token', token: 'a\nb' } }),
      'input_invalid',
    ],
  ]
  test.each(cases)('%s', async (_, body, expected) => {
    const before = await get('')
    const answer = await set(body())
    expect([answer.status >= 400 && answer.status < 500, code(answer)]).toEqual([true, expected])
    expect(JSON.stringify(answer.body)).not.toContain(TOKEN)
    expect((await get('')).body).toEqual(before.body)
  })

  test('a repository without a commit', async () => {
    await using empty = await testRepository()
    await using server = await gitServer(dirname(empty.folder))
    expect((await set({ url: `${server.url}/repository` })).status).toBe(200)
    expect(code(await get('/resolution'))).toBe('source_empty')
  })

  test('a broken slipway.yaml is told by its place', async () => {
    await using broken = await testRepository()
    await broken.commit({ 'slipway.yaml': 'version: 1\nbuild:\n  tool: make\n' })
    await using server = await gitServer(dirname(broken.folder))
    await set({ url: `${server.url}/repository` })
    const answer = await get('/resolution')
    expect(code(answer)).toBe('app_manifest_invalid')
    expect(JSON.stringify(answer.body)).toContain('tool')
  })
})

test('credentials stay while the host stays, and never follow the address elsewhere', async () => {
  const credentials = { kind: 'token', username: 'ci', token: TOKEN }
  await set({ url: `${locked.url}/repository`, credentials })
  const same = await set({ url: `${locked.url}/repository`, defaultBranch: 'main' })
  expect(same.body).toMatchObject({ credentials: { kind: 'token', username: 'ci' } })
  const moved = await set({ url: `${open.url}/repository` })
  expect(moved.body).toMatchObject({ credentials: null })
})

test('a repository of another account on this machine is read without being trusted', async () => {
  if (process.getuid?.() !== 0) return
  await repository.git('clone', '--quiet', repository.folder, join(dirname(repository.folder), 'foreign'))
  const foreign = join(dirname(repository.folder), 'foreign')
  await chmod(foreign, 0o755)
  execFileSync('chown', ['-R', '65534:65534', foreign])
  expect((await set({ url: foreign })).status).toBe(200)
  expect((await get('/resolution')).status).toBe(200)
})

test('nothing of a removed source is left', async () => {
  await set({ url: repository.folder })
  expect((await platform.call('DELETE', path(), { secret: operator })).status).toBe(204)
  expect(code(await get(''))).toBe('source_missing')
  expect(code(await platform.call('DELETE', path(), { secret: operator }))).toBe('source_missing')
})
