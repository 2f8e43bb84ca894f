/* Nothing changes without its event, events follow each other without a gap, and whoever rewrites them shows. */
import { contract, type Endpoint, type Protocol, type Stream } from '@slipway/contract'
import type { TestPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { codeOf } from './wire.helper.ts'
import { startWorld, type World } from './world.helper.ts'

let world: World
let platform: TestPlatform

beforeAll(async () => {
  world = await startWorld()
  platform = world.platform
})
afterAll(() => world[Symbol.asyncDispose]())

type Row = { readonly action: string; readonly outcome: string; readonly code: string | null }

async function eventsSince(id: string): Promise<readonly Row[]> {
  const { rows } = await world.database.query<Row>(
    'select action, outcome, code from audit_event where id > $1 order by id',
    [id],
  )
  return rows
}

async function lastId(): Promise<string> {
  const { rows } = await world.database.query<{ id: string | null }>('select max(id) as id from audit_event')
  return rows[0]?.id ?? ''
}

/** Deletions come last, so that what they take is there for the others. */
const mutating = Object.entries<Endpoint | Stream | Protocol>(contract)
  .filter(
    (entry): entry is [string, Endpoint] =>
      entry[1].kind === 'endpoint' && entry[1].method !== 'GET' && entry[1].auth === 'account',
  )
  .sort(([, a], [, b]) => Number(a.method === 'DELETE') - Number(b.method === 'DELETE'))
const prefixes: Readonly<Record<string, string>> = {
  build: 'bld',
  evacuation: 'eva',
  grant: 'lgr',
  image: 'img',
  location: 'loc',
  pool: 'pol',
  source: 'src',
}
/** Path parameters that are no ids. */
const others: Readonly<Record<string, string>> = { code: 'BCDF-GHJK', node: 'node-1' }

/** The objects of this world are used up by some operations; what is gone is refused, with an event as well. */
function pathOf({ path }: Endpoint): string {
  return path.replaceAll(
    /:([a-z]+)/giu,
    (_, name: string) => world.ids[name] ?? others[name] ?? `${prefixes[name] ?? name}_${'1'.repeat(26)}`,
  )
}

/** Bodies with which an operation succeeds; all others are refused for an empty one. */
const bodies: Readonly<Record<string, unknown>> = {
  createOrganization: { slug: 'one', name: 'One' },
  createSuborganization: { slug: 'below', name: 'Below' },
  updateOrganization: { name: 'Renamed' },
  createProject: { slug: 'one', name: 'One' },
  updateProject: { name: 'Renamed' },
  createEnvironment: { slug: 'one', name: 'One' },
  updateEnvironment: { name: 'Renamed' },
  createApplication: { slug: 'one' },
  updateApplication: { name: 'Renamed' },
  createUser: { name: 'one', password: 'a long test password' },
  createToken: { name: 'one' },
  setVariables: { set: [{ name: 'A', value: 'b' }] },
  updateWorkload: { keepSeconds: 1 },
  setPlacement: { placement: null },
}

describe('every operation that changes something', () => {
  let token: string
  beforeAll(async () => {
    // A token, because some of the operations end sessions.
    const made = await platform.call('POST', '/v1/tokens', { secret: world.operator, body: { name: 'all' } })
    token = String(made.body['secret'])
  })

  test.each(mutating)('%s writes one event, and none for a dry run', async (name, endpoint) => {
    const before = await lastId()
    const request = { secret: token, body: bodies[name] ?? {} }
    const dry = await platform.call(endpoint.method, `${pathOf(endpoint)}?dryRun=true`, request)
    expect(await eventsSince(before)).toEqual([])
    const answer = await platform.call(endpoint.method, pathOf(endpoint), request)
    const events = await eventsSince(before)
    const outcome = answer.status < 300 ? 'success' : answer.status < 500 ? 'refused' : 'failed'
    expect(events).toEqual([{ action: endpoint.audit, outcome, code: codeOf(answer.body) ?? null }])
    if (name in bodies) expect([dry.status, outcome]).toEqual([endpoint.status, 'success'])
  })

  test('records what a role lacks, and what a stranger may not know of', async () => {
    const stranger = await platform.user(token, 'stranger')
    const before = await lastId()
    const path = `/v1/organizations/${world.ids['organization'] ?? ''}`
    await platform.call('PATCH', path, { secret: stranger.secret, body: { name: 'Mine' } })
    await platform.call('POST', '/v1/organizations', {
      secret: stranger.secret,
      body: { slug: 'x', name: 'X' },
    })
    expect(await eventsSince(before)).toEqual([
      { action: 'organization.update', outcome: 'refused', code: 'not_found' },
      { action: 'organization.create', outcome: 'refused', code: 'permission_missing' },
    ])
  })

  test('does nothing when its event cannot be written', async () => {
    await world.database.query('revoke insert on audit_event from slipway_app')
    const path = `/v1/organizations/${world.ids['organization'] ?? ''}`
    const refused = await platform.call('PATCH', path, { secret: token, body: { name: 'Unrecorded' } })
    await world.database.query('grant insert on audit_event to slipway_app')
    expect(refused.status).toBeGreaterThanOrEqual(500)
    expect((await platform.call('GET', path, { secret: token })).body['name']).not.toBe('Unrecorded')
  })
})

async function verify(chain: string): Promise<Record<string, unknown>> {
  return (await platform.call('GET', `/v1/audit-chains/${chain}/verification`, { secret: world.operator }))
    .body
}

describe('the chain', () => {
  let chain: string
  beforeAll(async () => {
    world = { ...world, operator: await signIn() }
    const made = await platform.call('POST', '/v1/organizations', {
      secret: world.operator,
      body: { slug: 'chained', name: 'Chained' },
    })
    chain = String(made.body['id'])
  })

  async function signIn(): Promise<string> {
    const answer = await platform.call('POST', '/v1/sessions', {
      body: { name: 'admin', password: 'a long test password', delivery: 'bearer' },
    })
    return String(answer.body['secret'])
  }

  test('is whole and without gaps after fifty writers at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        platform.call('PATCH', `/v1/organizations/${chain}`, {
          secret: world.operator,
          body: { name: `Name ${index}` },
        }),
      ),
    )
    expect(answers.map(({ status }) => status).filter((status) => status !== 200)).toEqual([])
    expect(await verify(chain)).toMatchObject({ intact: true, events: 51, brokenAt: null })
    expect(await verify('installation')).toMatchObject({ intact: true })
  })

  const renumber = `update audit_event set sequence = sequence + 1000 where chain = $1 and sequence`
  const attacks: [name: string, statements: readonly string[]][] = [
    ['an event edited', [`update audit_event set actor_name = 'nobody' where chain = $1 and sequence = 20`]],
    [
      'a detail edited',
      [`update audit_event set detail = '{"name":"x"}' where chain = $1 and sequence = 20`],
    ],
    [
      'an event deleted, the later ones moved up',
      [
        `delete from audit_event where chain = $1 and sequence = 20`,
        `${renumber} > 20`,
        `update audit_event set sequence = sequence - 1001 where chain = $1 and sequence > 1000`,
      ],
    ],
    [
      'an event inserted',
      [
        `${renumber} >= 20`,
        `update audit_event set sequence = sequence - 999 where chain = $1 and sequence > 1000`,
        `insert into audit_event select chain, 20, 'aud_inserted', organization_id, at, actor, actor_name, action, target, project_id,
           outcome, code, request_id, address, detail, previous_hash, hash from audit_event where chain = $1 and sequence = 19`,
      ],
    ],
    [
      'two events exchanged',
      [
        `update audit_event set sequence = 1000 where chain = $1 and sequence = 20`,
        `update audit_event set sequence = 20 where chain = $1 and sequence = 21`,
        `update audit_event set sequence = 21 where chain = $1 and sequence = 1000`,
      ],
    ],
    ['the tail cut', [`delete from audit_event where chain = $1 and sequence > 40`]],
    [
      'the tail cut and the head set back',
      [
        `delete from audit_event where chain = $1 and sequence > 40`,
        `update audit_chain set sequence = 40, hash = (select hash from audit_event where chain = $1 and sequence = 40) where chain = $1`,
      ],
    ],
    [
      'an old event played again at the end',
      [
        `insert into audit_event select chain, 52, 'aud_replayed', organization_id, at, actor, actor_name, action, target, project_id,
           outcome, code, request_id, address, detail, previous_hash, hash from audit_event where chain = $1 and sequence = 20`,
        `update audit_chain set sequence = 52 where chain = $1`,
      ],
    ],
    [
      'an event of another Organization put in its place',
      [
        `delete from audit_event where chain = $1 and sequence = 20`,
        `insert into audit_event select $1, 20, 'aud_swapped', $1, at, actor, actor_name, action, target, project_id,
           outcome, code, request_id, address, detail, previous_hash, hash from audit_event where chain = 'installation' and sequence = 1`,
      ],
    ],
    [
      'the clock set back',
      [`update audit_event set at = at - interval '1 day' where chain = $1 and sequence = 20`],
    ],
    [
      'the clock set back by a millisecond',
      [`update audit_event set at = at - interval '1 ms' where chain = $1 and sequence = 51`],
    ],
    ['all events gone', [`delete from audit_event where chain = $1`]],
    [
      'everything written anew with hashes that fit each other',
      [
        `create function pg_temp.rewrite(one text) returns void language plpgsql as $f$
         declare row record; before text := repeat('0', 64);
         begin
           for row in select * from audit_event where chain = one order by sequence loop
             update audit_event set actor_name = 'nobody', previous_hash = before,
               hash = encode(sha256(convert_to(before || E'\\n' || jsonb_build_object('action', row.action)::text, 'UTF8')), 'hex')
               where chain = one and sequence = row.sequence returning hash into before;
           end loop;
           update audit_chain set hash = before where chain = one;
         end $f$`,
        `select pg_temp.rewrite($1)`,
      ],
    ],
  ]

  test.each(attacks)('shows %s', async (_, statements) => {
    const { database } = world
    await database.query('create temporary table kept_event as select * from audit_event')
    await database.query('create temporary table kept_chain as select * from audit_chain')
    try {
      for (const statement of statements)
        await database.query(statement, statement.includes('$1') ? [chain] : [])
      expect(await verify(chain)).toMatchObject({ intact: false })
    } finally {
      await database.query('delete from audit_event')
      await database.query('delete from audit_chain')
      await database.query('insert into audit_event select * from kept_event')
      await database.query('insert into audit_chain select * from kept_chain')
      await database.query('drop table kept_event, kept_chain')
    }
    expect(await verify(chain)).toMatchObject({ intact: true })
  })

  test('shows a rewriting for good: the next event does not seal it', async () => {
    const { database } = world
    await database.query(
      `update audit_chain set sequence = sequence - 1, hash = (select hash from audit_event e where e.chain = $1
         and e.sequence = audit_chain.sequence - 1) where chain = $1`,
      [chain],
    )
    await database.query(
      `delete from audit_event where chain = $1 and sequence = (select max(sequence) from audit_event where chain = $1)`,
      [chain],
    )
    const path = `/v1/organizations/${chain}`
    const after = await platform.call('PATCH', path, { secret: world.operator, body: { name: 'After' } })
    expect(after.status).toBe(200)
    expect(await verify(chain)).toMatchObject({ intact: false })
  })

  test('of the installation cannot vanish', async () => {
    await world.database.query(`delete from audit_event where chain = 'installation'`)
    await world.database.query(`delete from audit_chain where chain = 'installation'`)
    expect(await verify('installation')).toMatchObject({ intact: false })
  })
})
