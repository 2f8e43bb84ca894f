import type { Instance, LogLine } from '@slipway/contract'
import { must, systemClock, waitFor } from '@slipway/kit'
import { createClient, type Client } from '@slipway/sdk'
import {
  makeWorkload,
  pushProgram,
  testCluster,
  testPlatform,
  type TestPlatform,
  type TestWorkload,
} from '@slipway/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

/* Instances against the embedded cluster, through the HTTP API: real processes of a small Node program that counts aloud. */

const WAIT_MS = 60_000
let cluster: Awaited<ReturnType<typeof testCluster>>
let platform: TestPlatform
let operator: string
let shop: TestWorkload
let api: Client

const program = `
const { createServer } = require('node:http')
let count = 0
const server = createServer((request, response) => {
  if (request.url === '/count') { for (let i = 0; i < 50; i += 1) console.log('line ' + (++count)) }
  if (request.url === '/crash') { console.log('last words'); process.exit(3) }
  response.end(String(count))
})
console.log('started with a 很长的 word: ' + 'x'.repeat(70000))
server.listen(Number(process.env.PORT), process.env.HOST)
process.on('SIGTERM', () => process.exit(0))
`

beforeAll(async () => {
  cluster = await testCluster()
  platform = await testPlatform({ localKubeconfig: cluster.kubeconfigPath })
  operator = await platform.becomeOperator()
  shop = await makeWorkload(platform, operator)
  api = createClient({ server: platform.url, credentials: { bearer: operator } })
  await pushProgram(platform, { secret: operator, repository: shop.repository, tag: 'one', program })
  await api.startRelease({ workload: shop.workloadId, image: 'one', instances: { web: 2 } })
  await instances(2)
})
afterAll(async () => {
  await platform[Symbol.asyncDispose]()
  await cluster.stop()
})

/** The Instances, once so many are ready and no others are there. */
async function instances(count: number): Promise<readonly Instance[]> {
  let last: unknown
  try {
    return await waitFor(
      systemClock,
      `${count} ready Instances`,
      async () => {
        const { items } = await api.listInstances({ workload: shop.workloadId })
        last = items
        return items.length === count && items.every(({ ready }) => ready) ? items : undefined
      },
      { timeoutMs: WAIT_MS },
    )
  } catch (thrown) {
    throw new Error(`${String(thrown)}: ${JSON.stringify(last)}`, { cause: thrown })
  }
}
async function anyInstance(): Promise<Instance> {
  return must((await instances(2))[0], 'there is an Instance')
}
const visit = (instance: Instance, path: string): Promise<unknown> =>
  fetch(`http://${instance.address}:${Object.values(instance.ports)[0]}${path}`).then(
    (answer) => answer.text(),
    () => 'gone',
  )
/** Reads a stream of logs until enough is there. `meanwhile` is done when the stream has begun. */
async function readLines(
  query: Parameters<Client['followLogs']>[0],
  isEnough: (lines: readonly LogLine[]) => boolean,
  {
    lastEventId,
    meanwhile,
  }: { readonly lastEventId?: string | undefined; readonly meanwhile?: () => Promise<unknown> } = {},
): Promise<{ readonly lines: readonly LogLine[]; readonly id: string }> {
  const stop = AbortSignal.timeout(WAIT_MS)
  const lines: LogLine[] = []
  let id = lastEventId ?? ''
  let begun: Promise<unknown> | undefined
  for await (const event of api.followLogs(query, { signal: stop, lastEventId })) {
    if (event.id !== '') id = event.id
    if (event.name === 'lines') lines.push(...(event.data as LogLine[]))
    if (isEnough(lines)) break
    begun ??= meanwhile?.()
  }
  await begun
  return { lines, id }
}

describe('reading', () => {
  test('an Instance tells what it runs, where and since when', async () => {
    const one = await anyInstance()
    expect(one).toMatchObject({
      workloadId: shop.workloadId,
      id: `${shop.workloadId}.${one.name}`,
      process: 'web',
      releaseNumber: 1,
      state: 'Ready',
      restarts: 0,
      why: null,
      node: cluster.nodeName,
      containers: ['web'],
      resources: { cpuCores: 0.05, memoryBytes: 128 * 1024 * 1024, memoryLimitBytes: 256 * 1024 * 1024 },
    })
    expect(await api.getInstance({ instance: one.id })).toMatchObject({ id: one.id, name: one.name })
  })

  test('a list is paged and filtered', async () => {
    const page = await api.listInstances({ workload: shop.workloadId, limit: 1 })
    expect([page.items.length, page.cursor !== undefined]).toEqual([1, true])
    const rest = await api.listInstances({ workload: shop.workloadId, limit: 1, cursor: page.cursor })
    expect(rest.items[0]?.id).not.toBe(page.items[0]?.id)
    expect(rest.cursor).toBeUndefined()
    expect((await api.listInstances({ workload: shop.workloadId, state: 'Failing' })).items).toEqual([])
  })

  test('what the Cluster reports about it comes newest first', async () => {
    const one = await anyInstance()
    const { items } = await api.listInstanceEvents({ instance: one.id })
    expect(items.map(({ reason }) => reason)).toEqual(expect.arrayContaining(['Scheduled', 'Started']))
    expect(items.map(({ lastAt }) => lastAt)).toEqual(
      items
        .map(({ lastAt }) => lastAt)
        .sort()
        .reverse(),
    )
  })

  test('an Instance of another Workload, or none, does not exist', async () => {
    const gone = await platform.call('GET', `/v1/instances/${shop.workloadId}.web-none`, { secret: operator })
    expect(gone.status).toBe(404)
    const strange = await platform.call('GET', `/v1/instances/${shop.workloadId}..%2Fother`, {
      secret: operator,
    })
    expect(strange.status).toBe(400)
  })
})

describe('logs', () => {
  test('a line beyond the limit is cut and says so, whole characters only', async () => {
    const one = await anyInstance()
    const { lines } = await readLines(
      { workload: shop.workloadId, instance: one.id, follow: 'false' },
      () => false,
    )
    const first = must(lines[0], 'there is a line')
    expect(first).toMatchObject({ instance: one.id, container: 'web', cut: true })
    expect(first.text.startsWith('started with a 很长的 word: xxx')).toBe(true)
    expect(Buffer.byteLength(first.text)).toBeLessThanOrEqual(64 * 1024)
  })

  test('ten forced reconnects lose and double no line', async () => {
    const two = await instances(2)
    let id: string | undefined
    const all: LogLine[] = []
    const query = { workload: shop.workloadId, filter: 'line ' }
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(two.map((one) => visit(one, '/count')))
      // Cut off in the middle: only what was received counts, by the id of its event.
      const wanted = round === 9 ? 1_000 - all.length : 60
      const { lines, id: seen } = await readLines(query, ({ length }) => length >= wanted, {
        lastEventId: id,
      })
      all.push(...lines)
      id = seen
    }
    for (const { id: instance } of two)
      expect(all.filter((line) => line.instance === instance).map(({ text }) => text)).toEqual(
        Array.from({ length: 500 }, (_, index) => `line ${index + 1}`),
      )
  })

  test('a tail of none shows only what comes later', async () => {
    const one = await anyInstance()
    const reading = readLines({ workload: shop.workloadId, tail: 0 }, ({ length }) => length >= 50)
    let isRead = false
    void reading.then(() => (isRead = true))
    await waitFor(systemClock, 'new lines', async () => (await visit(one, '/count'), isRead), {
      timeoutMs: WAIT_MS,
      everyMs: 500,
    })
    const { lines } = await reading
    expect(lines.map(({ text }) => text)).not.toContain('line 500')
    expect(lines.every(({ text }) => Number(text.slice(5)) > 500)).toBe(true)
  })

  test('a crash is followed into the next run, and the log before it can be read', async () => {
    const one = await anyInstance()
    const { lines } = await readLines(
      { workload: shop.workloadId, instance: one.id, tail: 0 },
      (seen) => seen.some(({ text }) => text.startsWith('started with')),
      // Before the stream has begun, the crash would be no news to it.
      { meanwhile: () => visit(one, '/crash') },
    )
    expect(lines.filter(({ text }) => text === 'last words').length).toBe(1)
    // The program's line may be there before the Cluster says that it was started again.
    const crashed = await waitFor(
      systemClock,
      'the restart to be told',
      async () => (await instances(2)).find(({ id, restarts }) => id === one.id && restarts > 0),
      { timeoutMs: WAIT_MS },
    )
    expect(crashed).toMatchObject({ restarts: 1, why: { code: 'instance_exited', params: { exitCode: 3 } } })
    const previous = await readLines(
      { workload: shop.workloadId, instance: one.id, previous: 'true', tail: 1 },
      () => false,
    )
    expect(previous.lines.map(({ text }) => text)).toEqual(['last words'])
    const file = await api.downloadLogs({ instance: one.id, previous: 'true', tail: 1 })
    expect(file.fileName).toBe(`${one.name}.previous.log`)
    expect(await new Response(file.stream).text()).toBe('last words\n')
  })

  test('an Instance that starts later joins', async () => {
    const known = new Set((await instances(2)).map(({ id }) => id))
    const reading = readLines({ workload: shop.workloadId, tail: 0 }, (lines) =>
      lines.some(({ instance, text }) => !known.has(instance) && text.startsWith('started')),
    )
    await api.scaleWorkload({ workload: shop.workloadId, instances: 3 })
    await reading
    await instances(3)
    await api.scaleWorkload({ workload: shop.workloadId, instances: 2 })
    await instances(2)
  })

  test('a process that there is none of is refused, with those that there are', async () => {
    const asked = { workload: shop.workloadId, process: 'nobody' }
    const refusal = { code: 'process_unknown', status: 422, params: { process: 'nobody', known: 'web' } }
    await expect(api.restartWorkload(asked)).rejects.toMatchObject(refusal)
    await expect(api.listInstances(asked)).rejects.toMatchObject(refusal)
    await expect(readLines(asked, () => false)).rejects.toMatchObject(refusal)
    expect((await api.listInstances({ ...asked, process: 'web' })).items.length).toBe(2)
  })

  test('a position that nobody made is refused', async () => {
    const answer = await platform.call('GET', `/v1/workloads/${shop.workloadId}/logs`, {
      secret: operator,
      headers: { 'last-event-id': 'nonsense' },
    })
    expect([answer.status, (answer.body['error'] as { code: string }).code]).toEqual([
      400,
      'log_position_invalid',
    ])
  })
})

type Ran = { readonly out: string; readonly end: unknown }

/** Runs a command through the terminal's WebSocket. */
async function run(
  query: Parameters<Client['openTerminal']>[0],
  talk: (send: (channel: number, text: string) => void, out: () => string) => Promise<void> | void = () =>
    undefined,
): Promise<Ran> {
  using socket = await api.openTerminal(query)
  const send = (channel: number, text: string): void =>
    socket.send(new Uint8Array([channel, ...Buffer.from(text)]))
  let out = ''
  let end: unknown
  const reading = (async () => {
    for await (const message of socket) {
      if (typeof message === 'string') continue
      const text = Buffer.from(message.subarray(1)).toString('utf8')
      if (message[0] === 3) end = JSON.parse(text)
      else out += text
    }
  })()
  await talk(send, () => out)
  await reading
  return { out, end }
}

describe('a terminal', () => {
  test('gives output, errors and the exit code of a command', async () => {
    const one = await anyInstance()
    const ran = await run({
      instance: one.id,
      terminal: 'false',
      input: 'false',
      command: ['sh', '-c', 'echo out; echo err >&2; exit 7'],
    })
    expect(ran.end).toEqual({ exitCode: 7 })
    expect(ran.out.split('\n').sort()).toEqual(['', 'err', 'out'])
  })

  test('takes input to its end', async () => {
    const one = await anyInstance()
    const ran = await run({ instance: one.id, terminal: 'false', command: 'cat' }, (send) => {
      send(0, 'hello\n')
      send(255, '\0')
    })
    expect(ran).toEqual({ out: 'hello\n', end: { exitCode: 0 } })
  })

  test('a shell has the size that was asked for before its first prompt, and a new one later', async () => {
    const one = await anyInstance()
    const seen = async (out: () => string, text: string): Promise<void> => {
      await waitFor(systemClock, `"${text}" in the terminal`, () => out().includes(text), {
        timeoutMs: WAIT_MS,
      })
    }
    const ran = await run({ instance: one.id, columns: 101, rows: 37 }, async (send, out) => {
      send(0, 'stty size\n')
      await seen(out, '37 101')
      send(4, JSON.stringify({ columns: 120, rows: 40 }))
      send(0, 'sleep 0.2; stty size\n')
      await seen(out, '40 120')
      send(0, 'exit 5\n')
    })
    expect(ran.end).toEqual({ exitCode: 5 })
  })

  test('is refused to those who may read only, is recorded, and ends when the account is closed', async () => {
    const one = await anyInstance()
    const user = await platform.user(operator, 'dev')
    const member = `/v1/organizations/${shop.organizationId}/members/${user.id}`
    const as = createClient({ server: platform.url, credentials: { bearer: user.secret } })
    await platform.call('PUT', member, { secret: operator, body: { role: 'viewer' } })
    await expect(as.openTerminal({ instance: one.id })).rejects.toMatchObject({ code: 'permission_missing' })
    await platform.call('PUT', member, { secret: operator, body: { role: 'owner' } })
    await run({ instance: one.id, terminal: 'false', input: 'false', command: ['echo', '--token=abc'] })
    using socket = await as.openTerminal({ instance: one.id })
    const { items } = await api.listAuditEvents({ action: 'instance.exec' })
    const [shell, command] = items
    expect(shell).toMatchObject({ actor: user.id, target: `instance:${one.id}` })
    expect(shell?.detail).toEqual({
      session: shell?.requestId,
      container: null,
      command: null,
      terminal: true,
      input: true,
    })
    expect(command?.detail).toMatchObject({ command: 'echo --token=***', terminal: false })
    await api.updateUser({ user: user.id, disabled: true })
    const closed = await Promise.race([socket.closed, systemClock.sleep(10_000).then(() => undefined)])
    expect(closed).toBeDefined()
  })

  test('a command that is not there is refused with the reason', async () => {
    const one = await anyInstance()
    const ran = run({ instance: one.id, terminal: 'false', input: 'false', command: ['no-such-program'] })
    const outcome = await ran.then(
      ({ end }) => end,
      (thrown: unknown) => thrown,
    )
    expect(outcome).toBeDefined()
    expect(outcome).not.toEqual({ exitCode: 0 })
  })
})

test('a restart replaces the Instance, a dry run does not', async () => {
  const one = await anyInstance()
  await api.restartInstance({ instance: one.id }, { dryRun: true })
  expect((await api.getInstance({ instance: one.id })).state).toBe('Ready')
  await api.restartInstance({ instance: one.id })
  await waitFor(
    systemClock,
    'another Instance',
    async () => (await instances(2)).every(({ id }) => id !== one.id),
    { timeoutMs: WAIT_MS },
  )
  const { items } = await api.listAuditEvents({ action: 'instance.restart' })
  expect(items[0]).toMatchObject({ target: `instance:${one.id}`, detail: { pod: one.name } })
})
