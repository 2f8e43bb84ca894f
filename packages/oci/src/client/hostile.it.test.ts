import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

import { systemClock } from '@slipway/kit'
import { expect, test } from 'vitest'

import { digestOf } from '../format/digest.ts'
import { registryClient, type RegistryClient } from './client.ts'

/* A registry that lies, stalls or floods must cost a clear error, never a hang or memory. */
async function against<T>(answer: RequestListener, use: (client: RegistryClient) => Promise<T>): Promise<T> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  try {
    return await use(
      registryClient({
        baseUrl: `http://127.0.0.1:${port}`,
        clock: systemClock,
        credentials: { username: 'user', password: 'secret' },
        timeoutMs: 500,
      }),
    )
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

const BLOB = { digest: digestOf('content') }
const read = (client: RegistryClient) => client.readBlob('team/app', BLOB, 1_000)
const flood: RequestListener = (_, response) => {
  const more = (): void => {
    while (!response.destroyed && response.write('x'.repeat(65_536)));
  }
  response.on('drain', more)
  more()
}
const challenge =
  (header: string): RequestListener =>
  (_, response) =>
    void response.writeHead(401, { 'www-authenticate': header }).end()

const cases: [
  name: string,
  answer: RequestListener,
  use: (client: RegistryClient) => Promise<unknown>,
  code: string,
][] = [
  ['another content', (_, response) => response.end('contenT'), read, 'registry_reply_invalid'],
  ['an endless blob', flood, read, 'registry_reply_invalid'],
  ['an endless manifest', flood, (client) => client.getManifest('team/app', 'v1'), 'registry_reply_invalid'],
  ['an endless tag list', flood, (client) => client.listTags('team/app'), 'registry_reply_invalid'],
  [
    'HTML instead of tags',
    (_, response) => response.end('<html>'),
    (client) => client.listTags('team/app'),
    'registry_reply_invalid',
  ],
  [
    'tags that are null',
    (_, response) => response.end('{"tags":7}'),
    (client) => client.listTags('team/app'),
    'registry_reply_invalid',
  ],
  ['no answer', () => undefined, read, 'registry_unreachable'],
  ['a closed connection', (request) => request.socket.destroy(), read, 'registry_unreachable'],
  [
    'redirects in a circle',
    (request, response) => response.writeHead(307, { location: request.url }).end(),
    read,
    'registry_reply_invalid',
  ],
  [
    'a redirect to a file',
    (_, response) => response.writeHead(307, { location: 'file:///etc/passwd' }).end(),
    read,
    'registry_reply_invalid',
  ],
  [
    'a manifest of another digest',
    (_, response) => response.end('{}'),
    (client) => client.getManifest('team/app', digestOf('x')),
    'registry_reply_invalid',
  ],
  [
    'a digest that is none',
    (_, response) => response.writeHead(200, { 'docker-content-digest': '../../x' }).end(),
    (client) => client.resolveManifest('team/app', 'v1'),
    'registry_reply_invalid',
  ],
  ['a realm that is no address', challenge('Bearer realm="javascript:1"'), read, 'registry_reply_invalid'],
  ['an unknown scheme', challenge('Negotiate'), read, 'registry_unauthorized'],
  ['no challenge', (_, response) => response.writeHead(401).end(), read, 'registry_unauthorized'],
  ['429 without Retry-After', (_, response) => response.writeHead(429).end(), read, 'registry_unreachable'],
  [
    '500 with a page',
    (_, response) => response.writeHead(500).end('<html>'.repeat(1_000)),
    read,
    'registry_refused',
  ],
  ['nothing there', (_, response) => response.writeHead(404).end(), read, 'registry_content_missing'],
]

test.each(cases)('%s', async (_, answer, use, code) => {
  const error: unknown = await against(answer, (client) => use(client).catch((thrown: unknown) => thrown))
  expect(error).toMatchObject({ code })
  expect(JSON.stringify(error)).not.toContain('secret')
})

test('the login does not follow a redirect to another place', async () => {
  const seen: (string | undefined)[] = []
  const storage: RequestListener = (request, response) => {
    seen.push(request.headers.authorization)
    response.end('content')
  }
  await against(storage, async (other) => {
    const answer: RequestListener = (request, response) => {
      if (request.headers.authorization === undefined)
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
      else response.writeHead(307, { location: `http://${other.host}/signed` }).end()
    }
    expect(String(await against(answer, read))).toBe('content')
  })
  expect(seen).toEqual([undefined])
})

test('a transfer that breaks off is resumed where it stopped', async () => {
  const content = Buffer.from('content'.repeat(20_000))
  const ranges: (string | undefined)[] = []
  const answer: RequestListener = (request, response) => {
    ranges.push(request.headers.range)
    if (request.headers.range === undefined) {
      response.writeHead(200, { 'content-length': content.length })
      response.write(content.subarray(0, 70_000), () => request.socket.destroy())
      return
    }
    const start = Number(/bytes=([0-9]+)-/.exec(request.headers.range)?.[1])
    response.writeHead(206).end(content.subarray(start))
  }
  const back = await against(answer, (client) =>
    client.readBlob('team/app', { digest: digestOf(content), size: content.length }, 1e6),
  )
  expect(back.equals(content)).toBe(true)
  expect(ranges.length).toBeGreaterThan(1)
})
