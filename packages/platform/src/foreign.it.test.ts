/*
 * Generated from the contract: every operation on an object, asked by somebody of another Organization, answers 404 as if the
 * object did not exist, and leaves the database as it was but for one audit event and the limiter's rows.
 */
import { contract, type Endpoint, type Protocol, type Stream } from '@slipway/contract'
import { rowSecurityProblems } from '@slipway/db/testing'
import { testPlatform, type TestPlatform } from '@slipway/testkit'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { tablesWithoutRowSecurity } from './tables.ts'

let platform: TestPlatform
let database: Client
let stranger: string
/** An id of each scope that belongs to an Organization the stranger is not in. */
const foreign: Record<string, string> = {}

beforeAll(async () => {
  platform = await testPlatform()
  database = new Client({ connectionString: platform.superuserUrl })
  await database.connect()
  await seed()
})
afterAll(async () => {
  await database.end()
  await platform[Symbol.asyncDispose]()
})

async function seed(): Promise<void> {
  const operator = await platform.becomeOperator()
  const make = async (path: string, body: unknown): Promise<string> => {
    const answer = await platform.call('POST', path, { secret: operator, body })
    expect(answer.status, JSON.stringify(answer.body)).toBe(201)
    return String(answer.body['id'])
  }
  foreign['cluster'] = `clu_${'1'.repeat(26)}`
  await database.query(
    `insert into fleet_cluster (id, slug, name, credentials, server, gateway, is_default, created_at, updated_at)
     values ($1, 'nowhere', 'nowhere', '', '', '{}', true, now(), now())`,
    [foreign['cluster']],
  )
  foreign['organization'] = await make('/v1/organizations', { slug: 'theirs', name: 'Theirs' })
  const own = await make('/v1/organizations', { slug: 'ours', name: 'Ours' })
  foreign['project'] = await make(`/v1/organizations/${foreign['organization']}/projects`, {
    slug: 'shop',
    name: 'Shop',
  })
  foreign['environment'] = await make(`/v1/projects/${foreign['project']}/environments`, {
    slug: 'test',
    name: 'Test',
  })
  foreign['application'] = await make(`/v1/projects/${foreign['project']}/applications`, { slug: 'web' })
  foreign['workload'] = await make(`/v1/applications/${foreign['application']}/workloads`, {
    environment: foreign['environment'],
  })
  foreign['release'] = `rel_${'1'.repeat(26)}`
  await database.query(
    `insert into release_release select $1, organization_id, project_id, id, 1, 'shop/web@sha256:0', 1, '{"processes":{}}', '', '00000000',
       '[]', '{}', null, null, 'Placing', null, 'forward', false, 0, -1, 0, 0, 0, '{}', null, false, false, now(), now(), 1, 'them', now(), null
     from app_workload where id = $2`,
    [foreign['release'], foreign['workload']],
  )
  foreign['instance'] = `${foreign['workload']}.web-1`
  const user = await platform.user(operator, 'stranger')
  await platform.call('PUT', `/v1/organizations/${own}/members/${user.id}`, {
    secret: operator,
    body: { role: 'owner' },
  })
  stranger = user.secret
  await platform.call('GET', '/v1/account', { secret: stranger })
}

type Operation = Endpoint | Stream
const scoped = Object.entries<Endpoint | Stream | Protocol>(contract)
  .filter((entry): entry is [string, Operation] => entry[1].kind !== 'protocol')
  .filter(([, { scope }]) => scope !== undefined && scope !== 'visible' && scope !== 'installation')

/** Fingerprint of every table but those a refusal may write. */
async function fingerprint(): Promise<string> {
  const { rows } = await database.query<{ name: string }>(
    `select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace
     and relname not in ('audit_event', 'audit_chain', 'http_rate', 'control_lease') order by relname`,
  )
  const sums: string[] = []
  for (const { name } of rows) {
    const sum = await database.query<{ sum: string }>(
      `select coalesce(md5(string_agg(t::text, '|' order by t::text)), '') as sum from "${name}" t`,
    )
    sums.push(`${name} ${sum.rows[0]?.sum ?? ''}`)
  }
  return sums.join('\n')
}

async function auditCount(): Promise<number> {
  const { rows } = await database.query<{ count: string }>('select count(*) as count from audit_event')
  return Number(rows[0]?.count)
}

describe('operations on what belongs to another Organization', () => {
  test('there are many of them, and every scope has a foreign object', () => {
    expect(scoped.length).toBeGreaterThan(30)
  })

  test.each(scoped)('%s', async (_, operation) => {
    const id = foreign[operation.scope ?? '']
    // Objects that need a whole build to exist are made up: what is absent and what is foreign must look the same anyway.
    const path = operation.path.replaceAll(/:([a-z]+)/giu, (_whole, name: string) =>
      name === operation.scope && id !== undefined ? id : (foreign[name] ?? madeUp(name)),
    )
    const before = [await fingerprint(), await auditCount()] as const
    const answer =
      operation.kind === 'stream' && operation.transport === 'websocket'
        ? await upgrade(path)
        : await platform.call(operation.method, path, {
            secret: stranger,
            ...(operation.method === 'GET' || operation.kind === 'stream' ? {} : { body: {} }),
          })
    expect([answer.status, (answer.body['error'] as { code?: string } | undefined)?.code], path).toEqual([
      404,
      'not_found',
    ])
    expect(await fingerprint()).toBe(before[0])
    expect((await auditCount()) - before[1]).toBe(1)
  })
})

function madeUp(name: string): string {
  const prefixes: Record<string, string> = { build: 'bld', image: 'img', user: 'usr', source: 'src' }
  return `${prefixes[name] ?? name}_${'1'.repeat(26)}`
}

/** A WebSocket handshake by hand, to read the refusal. */
async function upgrade(path: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const { request } = await import('node:http')
  return new Promise((resolve, reject) => {
    const call = request(new URL(path, platform.url), {
      headers: {
        authorization: `Bearer ${stranger}`,
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': Buffer.alloc(16).toString('base64'),
      },
    })
    call.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Record<string, unknown> }),
      )
    })
    call.on('upgrade', () => reject(new Error('the handshake was accepted')))
    call.on('error', reject)
    call.end()
  })
}

test('every table is protected by row-level security, or stands in the list with its reason', async () => {
  expect(
    await rowSecurityProblems({
      ownerUrl: platform.ownerUrl,
      unprotected: Object.keys(tablesWithoutRowSecurity),
    }),
  ).toEqual([])
})
