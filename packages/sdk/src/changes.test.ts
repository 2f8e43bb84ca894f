import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { systemClock, type Clock } from '@slipway/kit'
import { afterEach, expect, test } from 'vitest'

import { createClient, watchChanges, type ChangeNotice, type Client } from './index.ts'

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

type Seen = { readonly url: string; readonly lastEventId: string | undefined }

/** Answers one connection after the other; the last answer stays. */
async function serverOf(
  ...answers: ((response: ServerResponse) => void)[]
): Promise<{ readonly client: Client; readonly seen: Seen[] }> {
  const seen: Seen[] = []
  const server = createServer((request: IncomingMessage, response) => {
    const id = request.headers['last-event-id']
    seen.push({ url: request.url ?? '', lastEventId: typeof id === 'string' ? id : undefined })
    answers[Math.min(seen.length, answers.length) - 1]?.(response)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const hasty: Clock = { ...systemClock, sleep: () => new Promise((resolve) => setImmediate(resolve)) }
  const { port } = server.address() as AddressInfo
  const client = createClient({ server: `http://127.0.0.1:${port}`, clock: hasty, attemptsMax: 1 })
  return { client, seen }
}

const events = (response: ServerResponse, text: string): ServerResponse => {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).write(text)
  return response
}
const event = (name: string, data: unknown, id?: string): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
const change = { type: 'project', id: 'prj_1', change: 'changed', version: 1 }
const refusal = (status: number, code: string) => (response: ServerResponse) =>
  response
    .writeHead(status, { 'content-type': 'application/json', connection: 'close' })
    .end(JSON.stringify({ error: { code, message: code, params: {}, requestId: 'req_1' } }))

async function take(notices: AsyncIterable<ChangeNotice>, count: number): Promise<ChangeNotice[]> {
  const taken: ChangeNotice[] = []
  for await (const notice of notices) if (taken.push(notice) === count) break
  return taken
}

test('goes on where it was after losses, ends in good order and a server that is away, and says so', async () => {
  const { client, seen } = await serverOf(
    (response) => {
      events(response, event('reset', { types: null, reason: 'start' }, 'c1') + event('change', change))
      setImmediate(() => response.destroy())
    },
    refusal(503, 'database_unavailable'),
    (response) => events(response, event('change', change, 'c2')).end(),
    (response) => events(response, event('news', {}, 'c3') + event('heartbeat', { at: '' }, 'c4')),
  )
  const notices = watchChanges(client, { topics: ['project:prj_1', 'build:bld_1'], types: ['project'] })
  const taken = await take(notices, 8)
  expect(
    taken.map((notice) => ('cursor' in notice ? `${notice.kind} ${notice.cursor}` : notice.kind)),
  ).toEqual([
    'reset c1',
    'change c1',
    'connection',
    'connection',
    'change c2',
    'connection',
    'connection',
    'heartbeat c4',
  ])
  const losses = taken.flatMap((notice) => (notice.kind === 'connection' ? [notice.lost?.code] : []))
  expect(losses).toEqual(['server_unreachable', undefined, 'server_unreachable', undefined])
  expect(seen.map(({ lastEventId }) => lastEventId)).toEqual([undefined, 'c1', 'c1', 'c2'])
  expect(seen[0]?.url).toBe('/v1/events/stream?topics=project%3Aprj_1&topics=build%3Abld_1&types=project')
})

test('a refusal ends it, after what came before was taken', async () => {
  const { client } = await serverOf(
    (response) => {
      events(response, event('change', change, 'c1'))
      setImmediate(() => response.destroy())
    },
    refusal(401, 'session_ended'),
  )
  const taken: string[] = []
  const reading = (async () => {
    for await (const notice of watchChanges(client, { cursor: 'c0' })) taken.push(notice.kind)
  })()
  await expect(reading).rejects.toMatchObject({ code: 'session_ended' })
  expect(taken).toEqual(['change', 'connection'])
})
