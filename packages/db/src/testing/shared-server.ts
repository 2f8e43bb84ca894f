import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createConnection, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { assert, isRecord, messageOf, parseJson } from '@slipway/kit'

import { startTestServer } from './test-server.ts'
import type { RunningTestServer, TestServer } from './test-server.ts'

/*
 * All workers of a test run share one server. The run's main process starts it when the first worker asks, through a socket
 * whose path is in the environment, and ends it with the run; killed, it takes the server along (parent death signal).
 */
const SOCKET_VARIABLE = 'SLIPWAY_TEST_POSTGRES'
const REPLY_BYTES_MAX = 16 * 1024

/** Offers a server to the workers that are started from now on. Dispose to end it. */
export async function offerServer(): Promise<AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-test-run-'))
  const path = join(folder, 'socket')
  let running: Promise<RunningTestServer> | undefined
  const listener = createServer((socket) => {
    socket.on('error', () => undefined) // a worker that went away has no use for the answer
    running ??= startTestServer()
    running.then(
      ({ server }) => socket.end(JSON.stringify(server)),
      (thrown: unknown) => socket.end(JSON.stringify({ error: describe(thrown) })),
    )
  })
  listener.listen(path)
  await once(listener, 'listening')
  // Neither the listener nor its connections keep a run alive that is over.
  listener.unref()
  process.env[SOCKET_VARIABLE] = path
  return {
    async [Symbol.asyncDispose]() {
      listener.close()
      const server = await running?.catch(() => undefined) // whoever asked has got the error
      await server?.[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A refusal's code says little without what PostgreSQL itself said. */
function describe(thrown: unknown): string {
  const cause = thrown instanceof Error && thrown.cause !== undefined ? `: ${messageOf(thrown.cause)}` : ''
  return `${messageOf(thrown)}${cause}`
}

/** The server of this run, or undefined when nobody offers one. */
export async function askForServer(): Promise<TestServer | undefined> {
  const path = process.env[SOCKET_VARIABLE]
  if (path === undefined) return undefined
  const socket = createConnection(path)
  let text = ''
  for await (const chunk of socket.setEncoding('utf8')) {
    text += String(chunk)
    assert(text.length <= REPLY_BYTES_MAX, 'the reply is one short object')
  }
  const reply = parseJson(text)
  assert(isRecord(reply), 'the reply is an object')
  const { superuser, owner, app, error } = reply
  if (typeof error === 'string') throw new Error(`the test server did not start: ${error}`)
  assert(
    typeof superuser === 'string' && typeof owner === 'string' && typeof app === 'string',
    'three addresses',
  )
  return { superuser, owner, app }
}
