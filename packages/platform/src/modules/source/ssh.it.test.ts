import { dirname } from 'node:path'

import { testPlatform, type TestPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { findSshd, sshServer, type SshServer } from './testing-ssh.ts'
import { testRepository, type TestRepository } from './testing.ts'

const program = await findSshd()
if ('missing' in program) {
  process.stderr.write(`not run: git over ssh, since ${program.missing}\n`)
  if (process.env['CI'] !== undefined) throw new Error(program.missing)
}

describe.skipIf('missing' in program)('a repository behind ssh', () => {
  const resources = new AsyncDisposableStack()
  let platform: TestPlatform
  let operator: string
  let path: string
  let repository: TestRepository
  let server: SshServer
  let commit: string

  beforeAll(async () => {
    if ('missing' in program) return
    repository = resources.use(await testRepository())
    commit = await repository.commit({ 'index.html': 'one' }, 'first')
    server = resources.use(await sshServer(program))
    platform = resources.use(await testPlatform({ localSourceRoots: dirname(repository.folder) }))
    operator = await platform.becomeOperator()
    const made = async (at: string, body: unknown): Promise<string> =>
      String((await platform.call('POST', at, { secret: operator, body })).body['id'])
    const organization = await made('/v1/organizations', { slug: 'acme', name: 'Acme' })
    const project = await made(`/v1/organizations/${organization}/projects`, { slug: 'shop', name: 'Shop' })
    path = `/v1/applications/${await made(`/v1/projects/${project}/applications`, { slug: 'web' })}/source`
  }, 180_000)
  afterAll(() => resources.disposeAsync())

  const set = (privateKey?: string) =>
    platform.call('PUT', path, {
      secret: operator,
      body: {
        url: `${server.url}${repository.folder}`,
        credentials: privateKey === undefined ? null : { kind: 'ssh-key', privateKey },
      },
    })
  const get = (more: string) => platform.call('GET', `${path}${more}`, { secret: operator })
  const codeOf = (answer: Awaited<ReturnType<typeof get>>): unknown =>
    (answer.body['error'] as { code?: unknown } | undefined)?.code

  test('is refused without a key, with another key, and with what is no key', async () => {
    for (const key of [undefined, server.wrongKey, 'nonsense']) {
      const answer = await set(key)
      expect([answer.status, codeOf(answer)]).toEqual([422, 'source_login_refused'])
    }
    expect((await get('')).status).toBe(404)
  })

  test('is read with its key, and the key is never shown', async () => {
    const stored = await set(server.key)
    expect([stored.status, stored.body['credentials']]).toEqual([200, { kind: 'ssh-key', username: '' }])
    expect(JSON.stringify(stored.body)).not.toContain('PRIVATE KEY')
    expect((await get('/commits')).body['items']).toMatchObject([{ id: commit, subject: 'first' }])
    expect((await get('/resolution')).body['commit']).toMatchObject({ id: commit })
  })

  test('is refused when its host key changes, until somebody sets the source again', async () => {
    await set(server.key)
    await server.changeHostKey()
    const changed = await get('/refs')
    expect([changed.status, codeOf(changed)]).toEqual([422, 'source_host_key_changed'])
    expect((await set(server.key)).status).toBe(200)
    expect((await get('/refs')).status).toBe(200)
  })

  test('that is gone is told from one that asks for a login', async () => {
    const answer = await platform.call('PUT', path, {
      secret: operator,
      body: {
        url: `${server.url}/nothing/here`,
        credentials: { kind: 'ssh-key', privateKey: server.key },
      },
    })
    expect(codeOf(answer)).toBe('source_not_a_repository')
  })
})
