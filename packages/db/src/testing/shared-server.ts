import { createConnection } from 'node:net'

import { assert, isRecord, parseJson } from '@slipway/kit'

import { SOCKET_VARIABLE } from './global-setup.ts'
import type { TestServer } from './test-server.ts'

const REPLY_BYTES_MAX = 16 * 1024

/** The server of this test run, or undefined when nobody offers one. */
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
    'the reply has three addresses',
  )
  return { superuser, owner, app }
}
