import { must, serialQueue, systemClock, waitFor } from '@slipway/kit'
import { createClient, watchChanges, type ChangeNotice, type WatchOptions } from '@slipway/sdk'
import { makeWorkload, testPlatform, type TestPlatform } from '@slipway/testkit'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'

let platform: TestPlatform
let operator: string
let database: Client

beforeAll(async () => {
  platform = await testPlatform()
  operator = await platform.becomeOperator()
  database = new Client({ connectionString: platform.superuserUrl })
  await database.connect()
  await database.query(
    `insert into fleet_cluster (id, slug, name, credentials, server, gateway, is_default, created_at, updated_at)
     values ($1, 'nowhere', 'nowhere', '', '', '{}', true, now(), now())`,
    [`clu_${'1'.repeat(26)}`],
  )
})
const open: Watch[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.stop()
})
afterAll(async () => {
  await database.end()
  await platform[Symbol.asyncDispose]()
})

type Watch = {
  readonly notices: ChangeNotice[]
  readonly ended: Promise<unknown>
  readonly stop: () => Promise<void>
  /** Waits for a notice, past what was looked at before. */
  readonly until: <N>(find: (notice: ChangeNotice) => N | undefined) => Promise<N>
}

function watch(secret: string, options: Omit<WatchOptions, 'signal'> = {}): Watch {
  const notices: ChangeNotice[] = []
  const stopping = new AbortController()
  const client = createClient({ server: platform.url, credentials: { bearer: secret } })
  const ended = (async () => {
    for await (const notice of watchChanges(client, { ...options, signal: stopping.signal }))
      notices.push(notice)
  })().catch((thrown: unknown) => thrown)
  let looked = 0
  const one: Watch = {
    notices,
    ended,
    async stop() {
      stopping.abort()
      await ended
    },
    until: (find) =>
      waitFor(
        systemClock,
        'a notice',
        () => {
          for (; looked < notices.length; looked += 1) {
            const found = find(must(notices[looked], 'it is within the list'))
            if (found !== undefined) return found
          }
          return undefined
        },
        { timeoutMs: 20_000 },
      ),
  }
  open.push(one)
  return one
}

const begun = (one: Watch): Promise<string> =>
  one.until((notice) => (notice.kind === 'reset' ? notice.cursor : undefined))
const changeOf =
  (type: string, id?: string) =>
  (notice: ChangeNotice): ChangeNotice | undefined =>
    notice.kind === 'change' && notice.change.type === type && (id === undefined || notice.change.id === id)
      ? notice
      : undefined

async function make(path: string, body: unknown): Promise<string> {
  const answer = await platform.call('POST', path, { secret: operator, body })
  expect(answer.status, JSON.stringify(answer.body)).toBe(201)
  return String(answer.body['id'])
}
const rename = (project: string, name: string) =>
  platform.call('PATCH', `/v1/projects/${project}`, { secret: operator, body: { name } })
const textOf = (rows: readonly (readonly [string, string])[]): string =>
  rows
    .map((row) => row.join(' '))
    .toSorted()
    .join('\n')
let slugs = 0
const slug = (): string => `s${(slugs += 1)}`

test('what changes is told by name to those who may see it, and not to others', async () => {
  const { organizationId, projectId, applicationId, workloadId } = await makeWorkload(platform, operator)
  const member = await platform.user(operator, 'member')
  const stranger = await platform.user(operator, 'stranger')
  await platform.call('PUT', `/v1/organizations/${organizationId}/members/${member.id}`, {
    secret: operator,
    body: { role: 'viewer' },
  })
  const [seeing, blind] = [watch(member.secret), watch(stranger.secret)]
  await Promise.all([begun(seeing), begun(blind)])
  await platform.call('PUT', `/v1/workloads/${workloadId}/instances`, { secret: operator, body: { web: 2 } })
  await platform.call('PATCH', `/v1/workloads/${workloadId}`, { secret: operator, body: { keepSeconds: 60 } })
  const told = await seeing.until(changeOf('workload'))
  expect(told).toMatchObject({
    change: { id: workloadId, change: 'changed', organizationId, projectId, applicationId, workloadId },
  })
  expect(JSON.stringify(told)).not.toContain('shop')
  const theirs = await make('/v1/organizations', { slug: slug(), name: 'Theirs' })
  await platform.call('PUT', `/v1/organizations/${theirs}/members/${stranger.id}`, {
    secret: operator,
    body: { role: 'viewer' },
  })
  // The stranger learns of the Organization they now belong to, and of nothing before.
  await blind.until((notice) =>
    notice.kind === 'reset' ? notice.reason === 'access' || undefined : undefined,
  )
  expect(blind.notices.filter((notice) => notice.kind === 'change')).toEqual([])
})

test('topics and types narrow the stream; a topic that cannot be seen ends at once, the others go on', async () => {
  const organization = await make('/v1/organizations', { slug: slug(), name: 'O' })
  const [one, other] = [
    await make(`/v1/organizations/${organization}/projects`, { slug: slug(), name: 'One' }),
    await make(`/v1/organizations/${organization}/projects`, { slug: slug(), name: 'Other' }),
  ]
  const nobodys = `project:prj_${'0'.repeat(26)}`
  const narrow = watch(operator, { topics: [`project:${one}`, nobodys], types: ['project'] })
  expect(await narrow.until((notice) => (notice.kind === 'topic' ? notice : undefined))).toMatchObject({
    topic: nobodys,
    code: 'not_found',
  })
  await begun(narrow)
  await rename(other, 'Elsewhere')
  await make(`/v1/projects/${one}/environments`, { slug: 'test', name: 'Test' })
  await rename(one, 'Here')
  await narrow.until(changeOf('project', one))
  expect(narrow.notices.filter((notice) => notice.kind === 'change')).toHaveLength(1)
})

test('what was refused, or only tried, is not told; nor is a row that was written as it was', async () => {
  const organization = await make('/v1/organizations', { slug: slug(), name: 'O' })
  const project = await make(`/v1/organizations/${organization}/projects`, { slug: slug(), name: 'One' })
  const one = watch(operator, { topics: [`organization:${organization}`] })
  await begun(one)
  await platform.call('PATCH', `/v1/projects/${project}?dryRun=true`, {
    secret: operator,
    body: { name: 'Dry' },
  })
  await platform.call('DELETE', `/v1/organizations/${organization}`, { secret: operator })
  await rename(project, 'One')
  await rename(project, 'Two')
  await one.until(changeOf('project', project))
  expect(one.notices.filter((notice) => notice.kind === 'change')).toHaveLength(1)
})

test('a reader that was away gets what it missed, also of transactions that began before it left and ended after', async () => {
  const organization = await make('/v1/organizations', { slug: slug(), name: 'O' })
  const [one, other] = [
    await make(`/v1/organizations/${organization}/projects`, { slug: slug(), name: 'One' }),
    await make(`/v1/organizations/${organization}/projects`, { slug: slug(), name: 'Other' }),
  ]
  const slow = new Client({ connectionString: platform.superuserUrl })
  await slow.connect()
  await slow.query('begin')
  await slow.query(`update tenancy_project set name = 'Slow' where id = $1`, [one])
  const topics = [`organization:${organization}`]
  const before = watch(operator, { topics })
  await begun(before)
  await rename(other, 'Quick')
  const { cursor } = must(
    (await before.until(changeOf('project', other))) as Extract<ChangeNotice, { kind: 'change' }>,
    'a change has a cursor',
  )
  await before.stop()
  await slow.query('commit')
  await slow.end()
  const after = watch(operator, { topics, cursor })
  expect(await after.until((notice) => (notice.kind === 'reset' ? notice : undefined))).toMatchObject({
    types: ['instances'],
    reason: 'resumed',
  })
  await after.until(changeOf('project', one))
  expect(after.notices.filter(changeOf('project', other))).toEqual([])
})

test('who comes back with a place that is too old, of another log or made up reads everything again', async () => {
  const first = watch(operator)
  const cursor = await begun(first)
  const organization = await make('/v1/organizations', { slug: slug(), name: 'O' })
  await first.until(changeOf('organization', organization))
  await database.query(
    `with gone as (delete from event_change returning transaction::text::bigint as t)
     update event_log set horizon = (select max(t) + 1 from gone)::text::xid8`,
  )
  for (const place of [cursor, cursor.replace(/^[^.]+/u, 'evt_other'), 'nonsense']) {
    const late = watch(operator, { topics: [`organization:${organization}`], cursor: place })
    expect(await late.until((notice) => (notice.kind === 'reset' ? notice : undefined)), place).toMatchObject(
      {
        types: null,
        reason: 'gap',
      },
    )
  }
  // The log lost, as after a crash of the database: those who are there are told as well.
  await database.query('truncate event_change, event_log')
  expect(await first.until((notice) => (notice.kind === 'reset' ? notice.reason : undefined))).toBe('gap')
})

test('who loses a permission is told to read again, and their topics end; who loses the session is cut off', async () => {
  const { organizationId, projectId } = await makeWorkload(platform, operator)
  const leaver = await platform.user(operator, 'leaver')
  const membership = `/v1/organizations/${organizationId}/members/${leaver.id}`
  await platform.call('PUT', membership, { secret: operator, body: { role: 'viewer' } })
  const one = watch(leaver.secret, { topics: [`project:${projectId}`] })
  await begun(one)
  await platform.call('DELETE', membership, { secret: operator })
  expect(await one.until((notice) => (notice.kind === 'topic' ? notice : undefined))).toMatchObject({
    topic: `project:${projectId}`,
  })
  expect(await one.until((notice) => (notice.kind === 'reset' ? notice.reason : undefined))).toBe('access')
  await rename(projectId, 'Secret')
  await platform.call('DELETE', '/v1/sessions', { secret: leaver.secret })
  expect(await one.ended).toMatchObject({ code: 'session_ended' })
  expect(one.notices.filter((notice) => notice.kind === 'change')).toEqual([])
})

test('nobody without an account gets a stream', async () => {
  expect((await platform.call('GET', '/v1/events/stream')).status).toBe(401)
  const bad = await platform.call('GET', '/v1/events/stream?topics=cluster:x', { secret: operator })
  expect(bad.status).toBe(400)
})

test('100 readers that read again whatever is named end with what the database holds', async () => {
  const organization = await make('/v1/organizations', { slug: slug(), name: 'O' })
  const projects = await Promise.all(
    Array.from({ length: 12 }, () =>
      make(`/v1/organizations/${organization}/projects`, { slug: slug(), name: 'Begin' }),
    ),
  )
  const second = await platform.user(operator, 'second')
  await platform.call('PUT', `/v1/organizations/${organization}/members/${second.id}`, {
    secret: operator,
    body: { role: 'viewer' },
  })
  // One connection, so one question at a time.
  const asking = serialQueue()
  const read = (ids: readonly string[]): Promise<(readonly [string, string])[]> =>
    asking.run(async () => {
      const { rows } = await database.query<{ id: string; name: string }>(
        'select id, name from tenancy_project where id = any ($1)',
        [ids],
      )
      return rows.map(({ id, name }) => [id, name] as const)
    })
  const readers = Array.from({ length: 100 }, (_, index) => {
    const shown = new Map<string, string>()
    const stopping = new AbortController()
    const client = createClient({
      server: platform.url,
      credentials: { bearer: index % 2 === 0 ? operator : second.secret },
    })
    const ended = (async () => {
      const options = { topics: [`organization:${organization}`], types: ['project'] as const }
      for await (const notice of watchChanges(client, { ...options, signal: stopping.signal })) {
        const ids = notice.kind === 'reset' ? projects : notice.kind === 'change' ? [notice.change.id] : []
        for (const [id, name] of await read(ids)) shown.set(id, name)
      }
    })().catch((thrown: unknown) => thrown)
    return { shown, stopping, ended }
  })
  try {
    await waitFor(
      systemClock,
      'every reader to begin',
      () => readers.every(({ shown }) => shown.size === projects.length),
      { timeoutMs: 60_000 },
    )
    // Transactions that overlap, so that they commit in another order than they began.
    const writers = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const writer = new Client({ connectionString: platform.superuserUrl })
        await writer.connect()
        return writer
      }),
    )
    for (let round = 0; round < 25; round += 1)
      await Promise.all(
        writers.map(async (writer, index) => {
          await writer.query('begin')
          for (let step = 0; step < 3; step += 1)
            await writer.query('update tenancy_project set name = $2 where id = $1', [
              projects[(index * 3 + step) % projects.length],
              `round ${round}`,
            ])
          await writer.query(round % 5 === 4 ? 'rollback' : 'commit')
        }),
      )
    for (const writer of writers) await writer.end()
    const held = textOf(await read(projects))
    await waitFor(
      systemClock,
      'every reader to show what the database holds',
      () => readers.every(({ shown }) => textOf([...shown]) === held),
      { timeoutMs: 60_000 },
    )
    expect(held).toContain('round 23')
  } finally {
    for (const { stopping } of readers) stopping.abort()
    await Promise.all(readers.map(({ ended }) => ended))
  }
})
