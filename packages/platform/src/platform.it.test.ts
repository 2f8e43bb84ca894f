import { testPlatform, type TestPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

let platform: TestPlatform
let operator: string

beforeAll(async () => {
  platform = await testPlatform()
})
afterAll(async () => {
  await platform[Symbol.asyncDispose]()
})

const code = (body: Record<string, unknown>): unknown =>
  (body['error'] as { code?: unknown } | undefined)?.code

describe('first run', () => {
  test('nobody is let in before there is an administrator, and a wrong token opens nothing', async () => {
    expect((await platform.call('GET', '/v1/first-run')).body).toEqual({ open: true })
    expect((await platform.call('GET', '/v1/projects')).status).toBe(401)
    const wrong = await platform.call('POST', '/v1/first-run', {
      body: { token: 'slpf_wrong', name: 'eve', password: 'a long test password' },
    })
    expect([wrong.status, code(wrong.body)]).toEqual([401, 'first_run_token_wrong'])
  })

  test('the token makes one administrator, once', async () => {
    const weak = await platform.call('POST', '/v1/first-run', {
      body: { token: platform.firstRunToken, name: 'admin', password: 'password123' },
    })
    expect(code(weak.body)).toBe('password_weak')
    operator = await platform.becomeOperator()
    expect(operator).toMatch(/^slps_/)
    const again = await platform.call('POST', '/v1/first-run', {
      body: { token: platform.firstRunToken, name: 'admin2', password: 'a long test password' },
    })
    expect(code(again.body)).toBe('first_run_closed')
    expect((await platform.call('GET', '/v1/first-run')).body).toEqual({ open: false })
    expect((await platform.call('GET', '/v1/account', { secret: operator })).body).toMatchObject({
      user: { name: 'admin' },
    })
  })
})

describe('organizations, projects, members', () => {
  let organization: string
  let developer: { id: string; secret: string }
  let stranger: { id: string; secret: string }
  let project: string

  test('an operator makes an Organization and a Project in it', async () => {
    const made = await platform.call('POST', '/v1/organizations', {
      secret: operator,
      body: { slug: 'acme', name: 'Acme 公司' },
    })
    expect(made.status).toBe(201)
    organization = String(made.body['id'])
    const taken = await platform.call('POST', '/v1/organizations', {
      secret: operator,
      body: { slug: 'acme', name: 'Other' },
    })
    expect([taken.status, code(taken.body)]).toEqual([409, 'slug_taken'])
    const shop = await platform.call('POST', `/v1/organizations/${organization}/projects`, {
      secret: operator,
      body: { slug: 'shop', name: 'Shop' },
    })
    project = String(shop.body['id'])
    expect(shop.body).toMatchObject({ slug: 'shop', organizationId: organization })
  })

  test('a member sees what a stranger may not even know of', async () => {
    developer = await platform.user(operator, 'dev')
    stranger = await platform.user(operator, 'stranger')
    const set = await platform.call('PUT', `/v1/organizations/${organization}/members/${developer.id}`, {
      secret: operator,
      body: { role: 'developer' },
    })
    expect(set.body).toMatchObject({ role: 'developer', userName: 'dev' })
    expect((await platform.call('GET', `/v1/projects/${project}`, { secret: developer.secret })).status).toBe(
      200,
    )
    const foreign = await platform.call('GET', `/v1/projects/${project}`, { secret: stranger.secret })
    const absent = await platform.call('GET', `/v1/projects/prj_${'0'.repeat(26)}`, {
      secret: stranger.secret,
    })
    expect([foreign.status, code(foreign.body)]).toEqual([404, 'not_found'])
    expect([absent.status, code(absent.body)]).toEqual([404, 'not_found'])
    expect((await platform.call('GET', '/v1/projects', { secret: stranger.secret })).body).toEqual({
      items: [],
    })
  })

  test('a role that lacks a permission is told which one', async () => {
    const refused = await platform.call('PATCH', `/v1/projects/${project}`, {
      secret: developer.secret,
      body: { name: 'Mine' },
    })
    expect([refused.status, code(refused.body)]).toEqual([403, 'permission_missing'])
    expect((refused.body['error'] as { message: string }).message).toContain('project:update')
  })

  test('what one may at a place is told, with the role that may the rest, to those who may know of it', async () => {
    type Holding = { readonly permission: string; readonly allowed: boolean; readonly role: string }
    const ask = async (place: string, secret: string) => {
      const { status, body } = await platform.call('GET', `/v1/account/permissions${place}`, { secret })
      return { status, items: body['items'] as readonly Holding[] }
    }
    const { items } = await ask(`?project=${project}`, developer.secret)
    expect(items).toContainEqual({ permission: 'build:create', allowed: true, role: 'developer' })
    expect(items).toContainEqual({ permission: 'project:update', allowed: false, role: 'maintainer' })
    const above = await ask(`?organization=${organization}`, developer.secret)
    expect(above.items).toContainEqual({ permission: 'member:update', allowed: false, role: 'owner' })
    const installation = await ask('', developer.secret)
    expect(installation.items).toContainEqual({
      permission: 'cluster:create',
      allowed: false,
      role: 'operator',
    })
    expect(await ask(`?project=${project}`, stranger.secret)).toMatchObject({ status: 404 })
    expect(await ask(`?project=${project}&organization=${organization}`, operator)).toMatchObject({
      status: 400,
    })
  })

  test('lists are narrowed by a part of a name, in any case, and no character of it is a pattern', async () => {
    const found = async (path: string): Promise<readonly unknown[]> => {
      const { body } = await platform.call('GET', path, { secret: operator })
      const items = body['items'] as readonly { readonly slug?: string; readonly name: string }[]
      return items.map(({ slug, name }) => slug ?? name)
    }
    expect(await found('/v1/projects?text=SHO')).toEqual(['shop'])
    expect(await found('/v1/projects?text=%25')).toEqual([])
    expect(await found('/v1/organizations?text=cm')).toEqual(['acme'])
    expect(await found('/v1/organizations?text=nowhere')).toEqual([])
    await platform.call('POST', `/v1/projects/${project}/applications`, {
      secret: operator,
      body: { slug: 'till', name: 'Kasse' },
    })
    expect(await found('/v1/applications?text=kass')).toEqual(['till'])
    expect(await found('/v1/applications?text=tillx')).toEqual([])
    expect(await found(`/v1/projects/${project}/environments?text=nowhere`)).toEqual([])
    expect(await found('/v1/workloads?text=nowhere')).toEqual([])
    expect(await found('/v1/clusters?text=nowhere')).toEqual([])
    expect(await found('/v1/users?text=ADMI')).toEqual(['admin'])
    expect(await found('/v1/users?text=nobody-such')).toEqual([])
  })

  test('a dry run answers as the real one would and changes nothing', async () => {
    const dry = await platform.call('POST', `/v1/organizations/${organization}/projects?dryRun=true`, {
      secret: operator,
      body: { slug: 'dry', name: 'Dry' },
    })
    expect([dry.status, dry.headers.get('slipway-dry-run')]).toEqual([201, 'true'])
    expect((await platform.call('GET', '/v1/projects?slug=dry', { secret: operator })).body).toEqual({
      items: [],
    })
  })

  test('a repeated Idempotency-Key gives the first answer and makes nothing twice', async () => {
    const request = {
      secret: operator,
      body: { slug: 'once', name: 'Once' },
      headers: { 'idempotency-key': 'key-1' },
    }
    const path = `/v1/organizations/${organization}/projects`
    const answers = await Promise.all([
      platform.call('POST', path, request),
      platform.call('POST', path, request),
    ])
    expect(answers[0]?.body).toEqual(answers[1]?.body)
    expect(answers.map(({ status }) => status)).toEqual([201, 201])
    const other = await platform.call('POST', path, { ...request, body: { slug: 'twice', name: 'Twice' } })
    expect([other.status, code(other.body)]).toEqual([409, 'idempotency_key_reused'])
  })

  test('the last owner cannot be removed, and a developer cannot promote themselves', async () => {
    const owner = await platform.user(operator, 'owner')
    await platform.call('PUT', `/v1/organizations/${organization}/members/${owner.id}`, {
      secret: operator,
      body: { role: 'owner' },
    })
    const removed = await platform.call('DELETE', `/v1/organizations/${organization}/members/${owner.id}`, {
      secret: owner.secret,
    })
    expect(code(removed.body)).toBe('member_last_owner')
    const promoted = await platform.call('PUT', `/v1/organizations/${organization}/members/${developer.id}`, {
      secret: developer.secret,
      body: { role: 'owner' },
    })
    expect(promoted.status).toBe(403)
  })
})

describe('sessions and tokens', () => {
  test('a token is shown once, works, and stops working when revoked', async () => {
    const made = await platform.call('POST', '/v1/tokens', { secret: operator, body: { name: 'ci' } })
    const secret = String(made.body['secret'])
    expect((await platform.call('GET', '/v1/account', { secret })).body).toMatchObject({ via: 'token' })
    expect(
      JSON.stringify((await platform.call('GET', '/v1/tokens', { secret: operator })).body),
    ).not.toContain(secret)
    expect(
      (await platform.call('DELETE', `/v1/tokens/${String(made.body['id'])}`, { secret: operator })).status,
    ).toBe(204)
    expect((await platform.call('GET', '/v1/account', { secret })).status).toBe(401)
  })

  test('signing in with a cookie needs our own origin for every change', async () => {
    const session = await platform.call('POST', '/v1/sessions', {
      body: { name: 'admin', password: 'a long test password' },
    })
    expect(session.body['secret']).toBeNull()
    const cookie = String(session.headers.get('set-cookie'))
    expect(cookie).toContain('HttpOnly')
    const headers = { cookie: cookie.split(';')[0] ?? '' }
    expect((await platform.call('GET', '/v1/account', { headers })).status).toBe(200)
    expect(code((await platform.call('DELETE', '/v1/sessions/current', { headers })).body)).toBe(
      'origin_refused',
    )
    const foreign = { ...headers, origin: 'https://evil.example' }
    expect((await platform.call('DELETE', '/v1/sessions/current', { headers: foreign })).status).toBe(403)
    const own = { ...headers, origin: platform.url }
    expect((await platform.call('DELETE', '/v1/sessions/current', { headers: own })).status).toBe(204)
    expect((await platform.call('GET', '/v1/account', { headers })).status).toBe(401)
  })

  test('guessing a password is slowed down for that name and address', async () => {
    const tries = []
    for (let index = 0; index < 7; index += 1)
      tries.push(
        code(
          (
            await platform.call('POST', '/v1/sessions', {
              body: { name: 'nobody', password: 'wrong wrong wrong' },
            })
          ).body,
        ),
      )
    expect(tries.slice(0, 2)).toEqual(['credentials_wrong', 'credentials_wrong'])
    expect(['account_locked', 'rate_limited']).toContain(tries.at(-1))
  })
})

describe('audit', () => {
  test('every mutation and every refusal stands in an intact chain', async () => {
    const all = await platform.call('GET', '/v1/audit-events?limit=200', { secret: operator })
    const items = all.body['items'] as { action: string; outcome: string; chain: string; target: string }[]
    const actions = items.map(({ action, outcome }) => `${action} ${outcome}`)
    expect(actions).toContain('organization.create success')
    expect(actions).toContain('project.update refused')
    expect(actions).toContain('session.create refused')
    expect(actions.some((action) => action.startsWith('read /v1/projects/:project refused'))).toBe(true)
    for (const chain of new Set(items.map((one) => one.chain))) {
      const verified = await platform.call('GET', `/v1/audit-chains/${chain}/verification`, {
        secret: operator,
      })
      expect(verified.body).toMatchObject({ intact: true, brokenAt: null })
    }
  })
})

describe('bad input', () => {
  const cases: [name: string, body: string, status: number, expected: string][] = [
    ['no JSON', '{"a":', 400, 'json_invalid'],
    ['an unknown field', '{"slug":"ok","name":"x","admin":true}', 400, 'input_invalid'],
    ['a prototype key', '{"slug":"ok","name":"x","__proto__":{}}', 400, 'json_invalid'],
    ['too deep', '['.repeat(100), 400, 'json_too_deep'],
    ['a reserved slug', '{"slug":"docs","name":"x"}', 400, 'input_invalid'],
    ['a NUL in text', '{"slug":"ok","name":"a\\u0000b"}', 400, 'input_invalid'],
    ['half a character', '{"slug":"ok","name":"a\\ud800"}', 400, 'input_invalid'],
    ['half a character in a key', '{"slug":"ok","\\uDFFF":1}', 400, 'input_invalid'],
    ['too large', JSON.stringify({ slug: 'ok', name: 'x'.repeat(300_000) }), 413, 'body_too_large'],
    ['an empty body', '', 400, 'input_invalid'],
    ['null', 'null', 400, 'input_invalid'],
  ]
  test.each(cases)('%s is refused clearly', async (_, body, status, expected) => {
    const answer = await platform.call('POST', '/v1/organizations', {
      secret: operator,
      body,
      headers: { 'content-type': 'application/json' },
    })
    expect([answer.status, code(answer.body)]).toEqual([status, expected])
  })

  test('another media type, an unknown route, an unknown host and a bad cursor', async () => {
    const text = await platform.call('POST', '/v1/organizations', {
      secret: operator,
      body: 'a=b',
      headers: { 'content-type': 'text/plain' },
    })
    expect([text.status, code(text.body)]).toEqual([415, 'media_type_unsupported'])
    expect(code((await platform.call('GET', '/v1/nothing')).body)).toBe('route_unknown')
    expect(code((await platform.call('GET', '/v1/projects?cursor=zzz', { secret: operator })).body)).toBe(
      'cursor_invalid',
    )
    expect(code((await platform.call('GET', '/v1/projects?limit=0', { secret: operator })).body)).toBe(
      'input_invalid',
    )
  })
})
