/* Who may no longer, may no longer at once: in open streams too. */
import { DAY_MS, HOUR_MS, systemClock, type Clock } from '@slipway/kit'
import type { TestPlatform } from '@slipway/testkit'
import { testPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { codeOf, openSocket, readToEnd } from './wire.helper.ts'
import { startWorld, type World } from './world.helper.ts'

const PASSWORD = 'a long test password'
/** The promise is 5 s; a deadline here only tells a stream that is cut from one that is not. */
const CUT_MS = 20_000

let ahead = 0
/** Real timers, and a time of day that a test sets forward. */
const clock: Clock = { ...systemClock, now: () => new Date(systemClock.now().getTime() + ahead) }

let world: World
let platform: TestPlatform

beforeAll(async () => {
  world = await startWorld({ parts: { clock } })
  platform = world.platform
})
afterAll(() => world[Symbol.asyncDispose]())

const account = (secret: string): Promise<number> =>
  platform.call('GET', '/v1/account', { secret }).then(({ status }) => status)

async function signIn(name: string, password = PASSWORD): Promise<string> {
  const answer = await platform.call('POST', '/v1/sessions', { body: { name, password, delivery: 'bearer' } })
  return String(answer.body['secret'])
}

async function member(name: string): Promise<{ id: string; secret: string }> {
  const user = await platform.user(world.operator, name)
  const path = `/v1/organizations/${world.ids['organization'] ?? ''}/members/${user.id}`
  await platform.call('PUT', path, { secret: world.operator, body: { role: 'viewer' } })
  return user
}

const follow = (): string => `/v1/releases/${world.ids['release'] ?? ''}/follow`

/** Opens the stream of a Release; `ended` gives all bytes that came, once the connection is over. */
async function openStream(secret: string, on = platform): Promise<{ ended: Promise<string> }> {
  const socket = await openSocket(on.url)
  const first = new Promise((resolve) => socket.once('data', resolve))
  const ended = readToEnd(socket)
  socket.write(
    `GET ${follow()} HTTP/1.1\r\nHost: ${new URL(on.url).host}\r\nAuthorization: Bearer ${secret}\r\n\r\n`,
  )
  expect(String(await first)).toMatch(/^HTTP\/1\.1 200 /u)
  return { ended }
}

describe('an open stream ends and nothing more is answered when', () => {
  type Revocation = {
    readonly revoke: (user: { id: string; secret: string }, tokenId: string) => Promise<{ status: number }>
    readonly byToken?: boolean
    readonly afterwards: { readonly path: () => string; readonly status: number }
  }
  const self = { path: () => '/v1/account', status: 401 }
  const revocations: [when: string, revocation: Revocation][] = [
    [
      'its user signs out',
      {
        revoke: ({ secret }) => platform.call('DELETE', '/v1/sessions/current', { secret }),
        afterwards: self,
      },
    ],
    [
      'its user signs out everywhere',
      { revoke: ({ secret }) => platform.call('DELETE', '/v1/sessions', { secret }), afterwards: self },
    ],
    [
      'its user is disabled',
      {
        revoke: ({ id }) =>
          platform.call('PATCH', `/v1/users/${id}`, { secret: world.operator, body: { disabled: true } }),
        afterwards: self,
      },
    ],
    [
      'an operator sets its user a new password',
      {
        revoke: ({ id }) =>
          platform.call('PATCH', `/v1/users/${id}`, {
            secret: world.operator,
            body: { password: 'another long password' },
          }),
        afterwards: self,
      },
    ],
    [
      'its token is deleted',
      {
        byToken: true,
        revoke: ({ secret }, tokenId) => platform.call('DELETE', `/v1/tokens/${tokenId}`, { secret }),
        afterwards: self,
      },
    ],
    [
      'the user of its token is disabled',
      {
        byToken: true,
        revoke: ({ id }) =>
          platform.call('PATCH', `/v1/users/${id}`, { secret: world.operator, body: { disabled: true } }),
        afterwards: self,
      },
    ],
    [
      'its user is no longer a member',
      {
        revoke: ({ id }) =>
          platform.call('DELETE', `/v1/organizations/${world.ids['organization'] ?? ''}/members/${id}`, {
            secret: world.operator,
          }),
        afterwards: { path: follow, status: 404 },
      },
    ],
  ]

  test.concurrent.each(revocations)('%s', async (when, { revoke, byToken, afterwards }) => {
    const user = await member(`cut-${revocations.findIndex(([name]) => name === when)}`)
    const token = await platform.call('POST', '/v1/tokens', { secret: user.secret, body: { name: 'ci' } })
    const secret = byToken === true ? String(token.body['secret']) : user.secret
    const { ended } = await openStream(secret)
    expect([200, 204]).toContain((await revoke(user, String(token.body['id']))).status)
    expect((await platform.call('GET', afterwards.path(), { secret })).status).toBe(afterwards.status)
    const text = await Promise.race([
      ended,
      systemClock.sleep(CUT_MS).then(() => Promise.reject(new Error('the stream is still open'))),
    ])
    // Not the ordered end of a body in chunks: a reader must not take it for the end of the Release.
    expect(text.endsWith('0\r\n\r\n')).toBe(false)
  })
})

describe('a session', () => {
  test('is new at every sign-in, and each ends alone', async () => {
    const [one, two] = [await signIn('admin'), await signIn('admin')]
    expect(one).not.toBe(two)
    await platform.call('DELETE', '/v1/sessions/current', { secret: one })
    expect([await account(one), await account(two)]).toEqual([401, 200])
  })

  test('survives its own change of password, which ends all others', async () => {
    const user = await platform.user(world.operator, 'changer')
    const other = await signIn('changer')
    const change = await platform.call('PUT', '/v1/account/password', {
      secret: user.secret,
      body: { currentPassword: PASSWORD, newPassword: 'another long password' },
    })
    expect(change.status).toBe(204)
    expect([await account(user.secret), await account(other)]).toEqual([200, 401])
  })

  test('is nothing that its hash, its user’s id or another secret of ours opens', async () => {
    const { rows } = await world.database.query<{ secret: string }>(
      `select secret_hash as secret from identity_session union select secret_hash from identity_token
       union select id from identity_token union select id from identity_user`,
    )
    expect(rows.length).toBeGreaterThan(3)
    for (const { secret } of rows) expect(await account(secret)).toBe(401)
    expect(await account(platform.firstRunToken)).toBe(401)
  })

  test('ends for an unknown user and a wrong password in the same words', async () => {
    const refusals = []
    for (const name of ['admin', 'nobody-of-that-name']) {
      const { status, body } = await platform.call('POST', '/v1/sessions', {
        body: { name, password: 'wrong wrong wrong' },
      })
      const { requestId: _, ...error } = body['error'] as Record<string, unknown>
      refusals.push({ status, error })
    }
    expect(refusals[0]).toEqual(refusals[1])
    expect(refusals[0]).toMatchObject({ status: 401, error: { code: 'credentials_wrong' } })
  })

  test('of a disabled user cannot be opened, in the words of a wrong password', async () => {
    const user = await platform.user(world.operator, 'gone')
    await platform.call('PATCH', `/v1/users/${user.id}`, { secret: world.operator, body: { disabled: true } })
    const answer = await platform.call('POST', '/v1/sessions', { body: { name: 'gone', password: PASSWORD } })
    expect(codeOf(answer.body)).toBe('credentials_wrong')
  })
})

describe('power', () => {
  const patch = (id: string, secret: string, body: unknown): Promise<unknown> =>
    platform.call('PATCH', `/v1/users/${id}`, { secret, body }).then((answer) => codeOf(answer.body))

  test('over the installation cannot be lost by the last who has it, two at once included', async () => {
    const { rows } = await world.database.query<{ id: string }>(
      `select id from identity_user where name = 'admin'`,
    )
    const admin = rows[0]?.id ?? ''
    expect(await patch(admin, world.operator, { disabled: true })).toBe('user_last_operator')
    expect(await patch(admin, world.operator, { platformRoles: [] })).toBe('user_last_operator')
    expect(await patch(admin, world.operator, { platformRoles: ['auditor'] })).toBe('user_last_operator')
    const second = await platform.user(world.operator, 'second')
    await patch(second.id, world.operator, { platformRoles: ['operator'] })
    await Promise.all([
      patch(admin, second.secret, { platformRoles: [] }),
      patch(second.id, world.operator, { platformRoles: [] }),
    ])
    const left = await world.database.query<{ id: string }>(
      `select id from identity_user where 'operator' = any (platform_roles) and not disabled`,
    )
    expect(left.rows.length).toBe(1)
    // Whoever it is, the tests that follow need the first one.
    await world.database.query(`update identity_user set platform_roles = '{operator}' where id = $1`, [
      admin,
    ])
  })

  test('of a token is never more than its Organization, nor than its user has now', async () => {
    const narrowed = await platform.call('POST', '/v1/tokens', {
      secret: world.operator,
      body: { name: 'narrow', organizationId: world.ids['organization'] },
    })
    const secret = String(narrowed.body['secret'])
    expect((await platform.call('GET', '/v1/users', { secret })).status).toBe(403)
    expect((await platform.call('GET', '/v1/audit-events', { secret })).status).toBe(403)
    const path = `/v1/organizations/${world.ids['organization'] ?? ''}`
    expect((await platform.call('GET', path, { secret })).status).toBe(200)
    const wider = await platform.call('POST', '/v1/tokens', {
      secret,
      body: { name: 'wider', expiresInDays: 366 },
    })
    expect(wider.body).toMatchObject({
      organizationId: world.ids['organization'],
      expiresAt: narrowed.body['expiresAt'],
    })
    expect((await platform.call('GET', '/v1/users', { secret: String(wider.body['secret']) })).status).toBe(
      403,
    )
  })
})

describe('a token that was made with a token', () => {
  type Made = { readonly id: string; readonly secret: string; readonly body: Record<string, unknown> }
  const make = async (secret: string, body: object): Promise<Made> => {
    const answer = await platform.call('POST', '/v1/tokens', { secret, body: { name: 'made', ...body } })
    return { id: String(answer.body['id']), secret: String(answer.body['secret']), body: answer.body }
  }
  const seen = async (secret: string): Promise<string[]> => {
    const { body } = await platform.call('GET', '/v1/tokens', { secret })
    return (body['items'] as { id: string }[]).map(({ id }) => id)
  }
  const organization = (): string => world.ids['organization'] ?? ''
  let below: string
  let beside: string

  beforeAll(async () => {
    const create = async (path: string, slug: string): Promise<string> => {
      const answer = await platform.call('POST', path, { secret: world.operator, body: { slug, name: slug } })
      return String(answer.body['id'])
    }
    below = await create(`/v1/organizations/${organization()}/organizations`, 'acme-below')
    beside = await create('/v1/organizations', 'beside')
  })

  const makers = ['narrow', 'wide'] as const
  const wishes = ['nothing', 'own', 'below', 'beside'] as const
  /** Every kind of maker, what is asked of it, and for how many days, where its own life is a week. */
  const cases = makers.flatMap((maker) =>
    wishes.flatMap((asked) => [1, 366].map((days) => [maker, asked, days] as const)),
  )
  test.each(cases)('by a %s one, asking for %s and %i days, is within it', async (maker, asked, days) => {
    const places = { nothing: undefined, own: organization(), below, beside }
    const within = maker === 'narrow' ? organization() : undefined
    const first = await make(world.operator, { expiresInDays: 7, organizationId: within })
    const second = await make(first.secret, { organizationId: places[asked], expiresInDays: days })
    if (maker === 'narrow' && asked === 'beside') {
      expect(codeOf(second.body)).toBe('not_found')
      return
    }
    const narrowest = places[asked] ?? within ?? null
    expect(second.body['organizationId']).toBe(narrowest)
    const limit = String(first.body['expiresAt'])
    if (days === 366) expect(second.body['expiresAt']).toBe(limit)
    else expect(String(second.body['expiresAt']) < limit).toBe(true)
    const users = await platform.call('GET', '/v1/users', { secret: second.secret })
    expect(users.status).toBe(narrowest === null ? 200 : 403)
  })

  test('goes with the one it was made with, through all generations', async () => {
    const first = await make(world.operator, {})
    const second = await make(first.secret, {})
    const third = await make(second.secret, {})
    expect(await account(third.secret)).toBe(200)
    await platform.call('DELETE', `/v1/tokens/${first.id}`, { secret: world.operator })
    expect([await account(second.secret), await account(third.secret)]).toEqual([401, 401])
  })

  test('shows and revokes itself and those made with it, and none of the others of its user', async () => {
    const first = await make(world.operator, {})
    const second = await make(first.secret, {})
    const third = await make(second.secret, {})
    expect(await seen(second.secret)).toEqual([third.id, second.id])
    const revoke = (id: string): Promise<{ body: Record<string, unknown>; status: number }> =>
      platform.call('DELETE', `/v1/tokens/${id}`, { secret: second.secret })
    expect(codeOf((await revoke(first.id)).body)).toBe('token_unknown')
    expect((await revoke(third.id)).status).toBe(204)
    expect(await seen(world.operator)).toEqual(expect.arrayContaining([first.id, second.id]))
  })
})

describe('a token', () => {
  const tokenOf = async (secret: string, organizationId?: string): Promise<string> => {
    const body = { name: 'ci', organizationId }
    return String((await platform.call('POST', '/v1/tokens', { secret, body })).body['secret'])
  }

  test('of an auditor, narrowed, reads there and makes nobody an owner', async () => {
    const auditor = await platform.user(world.operator, 'auditor-of-all')
    await platform.call('PATCH', `/v1/users/${auditor.id}`, {
      secret: world.operator,
      body: { platformRoles: ['auditor'] },
    })
    const secret = await tokenOf(auditor.secret, world.ids['organization'])
    const path = `/v1/organizations/${world.ids['organization'] ?? ''}`
    expect((await platform.call('GET', path, { secret })).status).toBe(200)
    const grant = await platform.call('PUT', `${path}/members/${auditor.id}`, {
      secret,
      body: { role: 'owner' },
    })
    expect(grant.body['error']).toMatchObject({
      code: 'permission_missing',
      params: { permission: 'member:update', role: 'owner' },
    })
  })

  test('neither ends the sessions of its user nor changes their password', async () => {
    const user = await platform.user(world.operator, 'kept')
    const secret = await tokenOf(user.secret)
    expect(codeOf((await platform.call('DELETE', '/v1/sessions', { secret })).body)).toBe('session_needed')
    const body = { currentPassword: PASSWORD, newPassword: 'another long password' }
    const change = await platform.call('PUT', '/v1/account/password', { secret, body })
    expect(codeOf(change.body)).toBe('session_needed')
    expect(await account(user.secret)).toBe(200)
  })

  test('tells of those memberships only that count for it', async () => {
    const user = await member('of-two')
    const other = await platform.call('POST', '/v1/organizations', {
      secret: world.operator,
      body: { slug: 'other-one', name: 'Other' },
    })
    await platform.call('PUT', `/v1/organizations/${String(other.body['id'])}/members/${user.id}`, {
      secret: world.operator,
      body: { role: 'viewer' },
    })
    const { body } = await platform.call('GET', '/v1/account', {
      secret: await tokenOf(user.secret, world.ids['organization']),
    })
    expect(body['memberships']).toMatchObject([{ organizationId: world.ids['organization'] }])
  })
})

describe('time', () => {
  test('ends sessions that idle, sessions that are old, and tokens', async () => {
    const [idle, busy] = [await signIn('owner-of-acme'), await signIn('owner-of-acme')]
    const made = await platform.call('POST', '/v1/tokens', {
      secret: busy,
      body: { name: 'month', expiresInDays: 30 },
    })
    const token = String(made.body['secret'])
    ahead = 23 * HOUR_MS
    expect(await account(busy)).toBe(200)
    ahead = 25 * HOUR_MS
    const ended = await platform.call('GET', '/v1/account', { secret: idle })
    expect([ended.status, codeOf(ended.body)]).toEqual([401, 'session_ended'])
    for (; ahead < 14 * DAY_MS - HOUR_MS; ahead += 20 * HOUR_MS) expect(await account(busy)).toBe(200)
    ahead = 14 * DAY_MS + HOUR_MS
    expect(await account(busy)).toBe(401)
    expect(await account(token)).toBe(200)
    ahead = 31 * DAY_MS
    expect(await account(token)).toBe(401)
    ahead = 0
  })

  test('ends the first-run token', async () => {
    await using fresh = await testPlatform({}, { clock })
    ahead = 25 * HOUR_MS
    const late = await fresh.call('POST', '/v1/first-run', {
      body: { token: fresh.firstRunToken, name: 'late', password: PASSWORD },
    })
    ahead = 0
    expect(codeOf(late.body)).toBe('first_run_token_wrong')
  })
})
