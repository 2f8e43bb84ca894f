import { once } from 'node:events'
import { createServer, get, request, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

import { messageOf, systemClock } from '@slipway/kit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { endpointsOf, gatewayVisits } from './gateways.ts'

const cleanup = new AsyncDisposableStack()
let gateway: { readonly port: number; readonly heard: IncomingMessage[] }
let strangerPort: number
let listed = true

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanup.defer(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  // A server that listens on TCP has such an address.
  return (server.address() as AddressInfo).port
}

const listOf = (port: number): unknown => ({
  items: [
    {
      spec: { listeners: [{ name: 'http', port, protocol: 'HTTP' }] },
      status: { addresses: [{ type: 'IPAddress', value: '127.0.0.1' }] },
    },
    { spec: { listeners: [{ port: 1 }] } },
    'nonsense',
  ],
})

/** What the agent answers when the platform asks it for an address. */
async function visit(url: string, method = 'GET', named?: string): Promise<{ code: number; body: string }> {
  const apiPort = await serve((_, response) => {
    response.statusCode = listed ? 200 : 403
    response.end(JSON.stringify(listOf(gateway.port)))
  })
  const ask = async (path: string): Promise<IncomingMessage> => {
    const [answer] = (await once(get({ port: apiPort, path }), 'response')) as [IncomingMessage]
    return answer
  }
  const visits = gatewayVisits(systemClock, ask, named)
  const port = await serve((asked, response) => {
    visits.visit(asked, response).catch((error: unknown) => {
      response.statusCode = 502
      response.end(messageOf(error))
    })
  })
  const headers = { host: 'web.example.com', authorization: 'Bearer secret', 'slipway-version': 'abc' }
  const sent = request({ port, path: url, method, headers })
  sent.end()
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  return { code: answer.statusCode ?? 0, body: await text(answer) }
}

beforeAll(async () => {
  const heard: IncomingMessage[] = []
  const port = await serve((asked, response) => {
    heard.push(asked)
    response.statusCode = 404
    response.end(`version ${String(asked.headers['slipway-version'])}`)
  })
  gateway = { port, heard }
  strangerPort = await serve((_, response) => response.end('inside'))
})
afterAll(() => cleanup.disposeAsync())

test('a Gateway that the cluster names is asked with the host and headers of the platform, and no credentials', async () => {
  const answer = await visit(`http://127.0.0.1:${gateway.port}/healthz?full=1`)
  expect(answer).toEqual({ code: 404, body: 'version abc' })
  const [asked] = gateway.heard
  expect(asked).toMatchObject({ url: '/healthz?full=1', headers: { host: 'web.example.com' } })
  expect(asked?.headers.authorization).toBeUndefined()
})

test('nothing else in the closed network is asked, and nothing is asked but to read', async () => {
  expect(await visit(`http://127.0.0.1:${strangerPort}/`)).toEqual({
    code: 502,
    body: `127.0.0.1:${strangerPort} is no Gateway of this cluster`,
  })
  const posted = await visit(`http://127.0.0.1:${gateway.port}/`, 'POST')
  expect(posted).toEqual({ code: 502, body: 'only GET and HEAD are passed on' })
})

test('whoever applies the manifest may name a Gateway, by its whole origin', async () => {
  const url = `http://127.0.0.1:${strangerPort}/`
  expect(await visit(url, 'GET', `http://127.0.0.1:${strangerPort}`)).toMatchObject({ body: 'inside' })
  expect(await visit(url, 'GET', `https://127.0.0.1:${strangerPort}`)).toMatchObject({ code: 502 })
})

test('an API server that does not tell its Gateways leaves none', async () => {
  listed = false
  expect(await visit(`http://127.0.0.1:${gateway.port}/`)).toEqual({
    code: 502,
    body: 'the API server names no Gateways, but answers 403',
  })
  listed = true
})

test('addresses of both families are told apart by their port', () => {
  const status = { addresses: [{ value: 'FD00::1' }, { value: 'edge.example.com' }] }
  const spec = { listeners: [{ port: 80 }, { port: 443 }, { port: '8080' }] }
  const found = endpointsOf({ items: [{ status, spec }] })
  expect([...found]).toEqual(['fd00::1 80', 'fd00::1 443', 'edge.example.com 80', 'edge.example.com 443'])
  expect(endpointsOf(undefined).size).toBe(0)
})
