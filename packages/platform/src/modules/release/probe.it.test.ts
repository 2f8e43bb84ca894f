import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

import { afterAll, expect, test } from 'vitest'

import { gatewaysFromHere } from '../fleet/index.ts'
import { probeOnce } from './probe.ts'
import { VERSION_HEADER } from './shape.ts'

async function serving(listener: RequestListener): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const gateways = gatewaysFromHere({ host: '127.0.0.1', outboundAllow: [] })
afterAll(() => gateways[Symbol.asyncDispose]())
const target = { host: 'web.test.shop.localhost', path: '/', hash: 'newnewne', statusBelow: 500 }

test('a probe names the version and passes below the status that counts as failure', async () => {
  await using gateway = await serving((request, response) => {
    response.statusCode = request.headers[VERSION_HEADER] === 'newnewne' ? 404 : 500
    response.end()
  })
  const never = new AbortController().signal
  expect(await probeOnce({ ...target, url: gateway.url }, never, gateways.ask)).toEqual({
    passed: true,
    what: 'HTTP 404',
  })
  expect(await probeOnce({ ...target, hash: 'other', url: gateway.url }, never, gateways.ask)).toEqual({
    passed: false,
    what: 'HTTP 500',
  })
})

test('a probe that hangs is given up when somebody wants something, and says nothing about the version', async () => {
  const waker = new AbortController()
  // The answer never comes; that the request did is when the wish comes.
  await using gateway = await serving(() => waker.abort())
  expect(await probeOnce({ ...target, url: gateway.url }, waker.signal, gateways.ask)).toBe('given up')
})

test('a gateway at an address that must not be connected to is not asked, and the reason is told', async () => {
  let asked = 0
  await using gateway = await serving((_, response) => {
    asked += 1
    response.end()
  })
  await using strict = gatewaysFromHere({ host: '0.0.0.0', outboundAllow: [] })
  const never = new AbortController().signal
  const { port } = new URL(gateway.url)
  for (const url of [gateway.url, `http://localhost:${port}`])
    expect(await probeOnce({ ...target, url }, never, strict.ask)).toEqual({
      passed: false,
      what: expect.stringContaining('is a private address'),
    })
  expect(asked).toBe(0)
  await using allowed = gatewaysFromHere({ host: '0.0.0.0', outboundAllow: [`127.0.0.1/32:${port}`] })
  expect(await probeOnce({ ...target, url: gateway.url }, never, allowed.ask)).toMatchObject({ passed: true })
})
