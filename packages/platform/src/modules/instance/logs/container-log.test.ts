import { once } from 'node:events'
import { createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

import { KubeError } from '@slipway/kube'
import { expect, test } from 'vitest'

import { isPassing } from './container-log.ts'
import { stampedLines } from './lines.ts'

async function readAll(lines: AsyncIterable<unknown>): Promise<void> {
  for await (const line of lines) expect(line).toBeDefined()
}

test('a log whose connection breaks in the middle is worth another try', async () => {
  const server = createServer((_, response) => {
    response.write('2026-01-31T08:00:00Z one\n')
    setImmediate(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    // A server that listens on TCP has such an address.
    const { port } = server.address() as AddressInfo
    const [answer] = (await once(get({ port, host: '127.0.0.1' }), 'response')) as [IncomingMessage]
    const failure = await readAll(stampedLines(answer)).catch((thrown: unknown) => thrown)
    expect(failure).toBeInstanceOf(Error)
    expect(isPassing(failure)).toBe(true)
  } finally {
    server.close()
  }
})

test('a refusal is not', () => {
  expect(isPassing(new KubeError(503, 'ServiceUnavailable', 'busy'))).toBe(true)
  expect(isPassing(new KubeError(403, 'Forbidden', 'no'))).toBe(false)
  expect(isPassing(new Error('a fault of our own'))).toBe(false)
})
