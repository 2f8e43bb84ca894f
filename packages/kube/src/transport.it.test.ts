import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createServer as createTcpServer } from 'node:net'

import { systemClock } from '@slipway/kit'
import { describe, expect, onTestFinished, test } from 'vitest'

import { kubeClient, type KubeClientOptions } from './client.ts'
import { KubeError } from './errors.ts'
import type { Kube } from './kube.ts'
import { testCertificate } from './test-certificate.ts'

const tls = testCertificate()
type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void

/** A server that answers as it is told, and a client that trusts it. */
async function serverThat(handler: Handler, options: Partial<KubeClientOptions> = {}): Promise<Kube> {
  const server = createServer({ cert: tls.certificate, key: tls.key }, (request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => handler(request, response, Buffer.concat(parts).toString()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const access = {
    server: `https://127.0.0.1:${port}/prefix`,
    certificateAuthority: tls.certificate,
    credentials: { token: 'old' },
  }
  const kube = kubeClient({ access, clock: systemClock, userAgent: 'test/1', ...options })
  onTestFinished(async () => {
    kube[Symbol.dispose]()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return kube
}

const pod = { namespace: 'shop', name: 'web' }
const answerJson = (response: ServerResponse, code: number, value: unknown, headers = {}): void => {
  response.writeHead(code, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(value))
}
const podObject = { kind: 'Pod', metadata: { name: 'web', uid: 'u', resourceVersion: '1' } }

async function failureOf(promise: Promise<unknown>): Promise<KubeError> {
  const error: unknown = await promise.then(
    () => new Error('it did not fail'),
    (thrown: unknown) => thrown,
  )
  if (error instanceof KubeError) return error
  throw error
}

describe('requests', () => {
  test('carry path, credentials, user agent and impersonation', async () => {
    let seen: IncomingMessage | undefined
    const kube = await serverThat((request, response) => {
      seen = request
      answerJson(response, 200, podObject)
    })
    const impersonate = { user: 'ann', groups: ['a', 'b'], extra: { 'slipway/person': ['u1'] } }
    await kube.get('pods', pod, { impersonate })
    expect(seen?.url).toBe('/prefix/api/v1/namespaces/shop/pods/web')
    expect(seen?.headers).toMatchObject({
      authorization: 'Bearer old',
      'user-agent': 'test/1',
      'impersonate-user': 'ann',
      'impersonate-group': 'a, b',
      'impersonate-extra-slipway%2fperson': 'u1',
    })
  })

  test('delete options are framed, so that the connection can be used again', async () => {
    const seen: {
      readonly length: string | undefined
      readonly port: number | undefined
      readonly body: string
    }[] = []
    const kube = await serverThat((request, response, body) => {
      seen.push({ length: request.headers['content-length'], port: request.socket.remotePort, body })
      answerJson(response, 200, { kind: 'Status', status: 'Success' })
    })
    const preconditions = { uid: 'u' }
    expect(await kube.remove('pods', pod, { propagationPolicy: 'Orphan', preconditions })).toBeUndefined()
    await kube.remove('pods', pod)
    expect(JSON.parse(seen[0]?.body ?? '')).toMatchObject({ propagationPolicy: 'Orphan', preconditions })
    expect(Number(seen[0]?.length)).toBe(seen[0]?.body.length)
    expect(seen[1]?.port).toBe(seen[0]?.port)
  })

  test.each(['..', '.', '', 'a/b', 'a%2fb'])('%j never becomes a path', async (name) => {
    const kube = await serverThat((_, response) => answerJson(response, 200, podObject))
    expect((await failureOf(kube.get('pods', { namespace: 'shop', name }))).reason).toBe('InvalidRequest')
  })

  test('identities that no header can carry are refused', async () => {
    const kube = await serverThat((_, response) => answerJson(response, 200, podObject))
    const error = await failureOf(kube.get('pods', pod, { impersonate: { user: 'a\r\nX: y' } }))
    expect(error.reason).toBe('InvalidRequest')
  })
})

describe('refusals', () => {
  test('a Status becomes its error', async () => {
    const status = {
      kind: 'Status',
      status: 'Failure',
      code: 409,
      reason: 'Conflict',
      message: 'the object has been modified',
      details: { name: 'web', causes: [{ reason: 'FieldManagerConflict', field: '.spec' }, 7] },
    }
    const kube = await serverThat((_, response) => answerJson(response, 409, status))
    const error = await failureOf(kube.get('pods', pod))
    expect(error).toMatchObject({ code: 409, reason: 'Conflict', message: 'the object has been modified' })
    expect(error.details).toEqual({
      name: 'web',
      causes: [{ reason: 'FieldManagerConflict', field: '.spec' }],
    })
  })

  test('a proxy\'s 404 is not "there is no such object"', async () => {
    const kube = await serverThat((_, response) =>
      response.writeHead(404).end('<html><b>nothing</b> here</html>'),
    )
    const error = await failureOf(kube.get('pods', pod))
    expect(error).toMatchObject({
      code: 404,
      reason: 'InvalidReply',
      message: 'the server answered 404: nothing here',
    })
  })

  test('429 is obeyed, and given up when it goes on', async () => {
    let calls = 0
    const kube = await serverThat((_, response) => {
      calls += 1
      if (calls <= 2) answerJson(response, 429, { kind: 'Status' }, { 'retry-after': '0' })
      else answerJson(response, 200, podObject)
    })
    await kube.get('pods', pod)
    expect(calls).toBe(3)
    const busy = await serverThat((_, response) => answerJson(response, 429, {}, { 'retry-after': '0' }))
    expect((await failureOf(busy.get('pods', pod))).code).toBe(429)
  })

  test("429 with a long pause is the caller's to wait for", async () => {
    const kube = await serverThat((_, response) => answerJson(response, 429, {}, { 'retry-after': '3600' }))
    expect((await failureOf(kube.get('pods', pod))).retryAfterSeconds).toBe(3_600)
  })

  test('401 renews the credentials once', async () => {
    const seen: (string | undefined)[] = []
    const handler: Handler = (request, response) => {
      seen.push(request.headers.authorization)
      if (request.headers.authorization === 'Bearer new') answerJson(response, 200, podObject)
      else answerJson(response, 401, { kind: 'Status', reason: 'Unauthorized', code: 401 })
    }
    const kube = await serverThat(handler, { renewCredentials: async () => ({ token: 'new' }) })
    await kube.get('pods', pod)
    expect(seen).toEqual(['Bearer old', 'Bearer new'])
    const useless = await serverThat(handler, { renewCredentials: async () => ({ token: 'worse' }) })
    expect((await failureOf(useless.get('pods', pod))).code).toBe(401)
    expect(seen).toHaveLength(4)
  })

  test('redirects are not followed', async () => {
    const kube = await serverThat((_, response) =>
      response.writeHead(302, { location: 'https://169.254.0.1/' }).end(),
    )
    expect(await failureOf(kube.get('pods', pod))).toMatchObject({ code: 302, reason: 'InvalidReply' })
  })
})

describe('hostile answers', () => {
  const cases: readonly (readonly [string, Handler, string])[] = [
    ['garbage', (_, response) => response.end('\u0000\u0001{'), 'InvalidReply'],
    [
      'HTML',
      (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
      'InvalidReply',
    ],
    [
      'another kind',
      (_, response) => answerJson(response, 200, { kind: 'Node', metadata: {} }),
      'InvalidReply',
    ],
    ['no object', (_, response) => answerJson(response, 200, [1]), 'InvalidReply'],
    ['deep JSON', (_, response) => response.end('['.repeat(100_000)), 'InvalidReply'],
    [
      'a broken reply',
      (_, response) =>
        void response.writeHead(200, { 'content-length': 10 }).write('{', () => response.destroy()),
      'ConnectionLost',
    ],
    [
      'headers without end',
      (_, response) => response.writeHead(200, { 'x-long': 'x'.repeat(100_000) }).end(),
      'InvalidReply',
    ],
  ]
  test.each(cases)('%s', async (_, handler, reason) => {
    const kube = await serverThat(handler)
    expect((await failureOf(kube.get('pods', pod))).reason).toBe(reason)
  })

  test.each<[string, Handler]>([
    ['never answers', () => undefined],
    ['answers forever', (_, response) => void response.writeHead(200).write('{')],
  ])('a server that %s meets the deadline', async (_, handler) => {
    const kube = await serverThat(handler)
    const error = await failureOf(kube.get('pods', pod, { timeoutMs: 200 }))
    expect(error.reason).toBe('DeadlineExceeded')
  })

  test('a reply without end is given up at 64 MiB, a line of a watch at 16 MiB', async () => {
    const kube = await serverThat((_, response) => {
      const part = Buffer.alloc(1024 * 1024, 0x20)
      const next = (): void => {
        if (!response.destroyed) response.write(part, next)
      }
      next()
    })
    const whole = await failureOf(kube.get('pods', pod))
    expect([whole.reason, whole.message]).toEqual(['InvalidReply', 'the reply is larger than 67108864 bytes'])
    const events = await kube.watch('pods', {})
    const line = await failureOf(events[Symbol.asyncIterator]().next())
    expect([line.reason, line.message]).toEqual([
      'InvalidReply',
      'an event of the watch is larger than 16777216 bytes',
    ])
  })

  test('an abort rejects with its reason', async () => {
    const kube = await serverThat(() => undefined)
    const stop = new AbortController()
    const running = kube.get('pods', pod, { signal: stop.signal })
    stop.abort(new Error('no longer wanted'))
    await expect(running).rejects.toThrow('no longer wanted')
    await expect(kube.get('pods', pod, { signal: stop.signal })).rejects.toThrow('no longer wanted')
  })

  test('a server with another certificate is not trusted', async () => {
    const server = createServer({ cert: tls.certificate, key: tls.key }, (_, response) => response.end())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const access = {
      server: `https://127.0.0.1:${port}`,
      certificateAuthority: testCertificate().certificate,
      credentials: {},
    }
    using kube = kubeClient({ access, clock: systemClock, userAgent: 'test' })
    expect((await failureOf(kube.get('pods', pod))).reason).toBe('Unreachable')
  })
})

describe('the address guard', () => {
  test('is asked about addresses and names, and its refusal opens no connection', async () => {
    let connections = 0
    const listener = createTcpServer(() => (connections += 1))
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void listener.close())
    const { port } = listener.address() as AddressInfo
    for (const host of ['127.0.0.1', 'localhost', '[::1]']) {
      const asked: string[] = []
      const guard = async (name: string, at: number): Promise<never> => {
        asked.push(`${name} ${at}`)
        throw new Error('private')
      }
      const access = { server: `https://${host}:${port}`, credentials: {} }
      using kube = kubeClient({ access, clock: systemClock, userAgent: 'test', guard })
      expect((await failureOf(kube.get('pods', pod))).reason).toBe('Unreachable')
      expect((await failureOf(kube.exec(pod, { command: ['ls'] }))).reason).toBe('Unreachable')
      expect(asked).toEqual(Array.from({ length: 2 }, () => `${host.replace(/[[\]]/g, '')} ${port}`))
    }
    expect(connections).toBe(0)
  })
})

describe('watches', () => {
  const added = (name: string): string =>
    `${JSON.stringify({ type: 'ADDED', object: { ...podObject, metadata: { name, resourceVersion: '2', uid: name } } })}\n`

  async function namesOf(kube: Kube): Promise<string[]> {
    const names: string[] = []
    const events = await kube.watch('pods', { resourceVersion: '1' })
    for await (const event of events) names.push('object' in event ? event.object.metadata.name : event.type)
    return names
  }

  test('lines are put together, wherever they were cut', async () => {
    const bytes = Buffer.from(
      added('älpha') +
        '\n' +
        added('b') +
        '{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}\n',
    )
    const kube = await serverThat((_, response) => {
      const step = (at: number): void => {
        if (at >= bytes.length) response.end()
        else response.write(bytes.subarray(at, at + 7), () => step(at + 7))
      }
      step(0)
    })
    expect(await namesOf(kube)).toEqual(['älpha', 'b', 'BOOKMARK'])
  })

  test('an ERROR event inside a 200 is thrown as its Status', async () => {
    const status = {
      kind: 'Status',
      code: 410,
      reason: 'Expired',
      message: 'too old resource version: 1 (4494)',
    }
    const kube = await serverThat((_, response) =>
      response.end(`${added('a')}${JSON.stringify({ type: 'ERROR', object: status })}\n`),
    )
    expect(await failureOf(namesOf(kube))).toMatchObject({ code: 410, reason: 'Expired' })
  })

  test.each([
    ['a line that is no JSON', 'hello\n', 'InvalidReply'],
    ['a line that is no event', '{"type":"ADDED"}\n', 'InvalidReply'],
    ['half a line', '{"type":', 'ConnectionLost'],
  ])('%s ends the stream', async (_, text, reason) => {
    const kube = await serverThat((_request, response) => response.end(text))
    expect((await failureOf(namesOf(kube))).reason).toBe(reason)
  })

  test('an abort ends a running watch', async () => {
    const kube = await serverThat((_, response) => void response.writeHead(200).write(added('a')))
    const stop = new AbortController()
    const events = await kube.watch('pods', { signal: stop.signal })
    await expect(async () => {
      for await (const event of events) if (event.type === 'ADDED') stop.abort(new Error('enough'))
    }).rejects.toThrow('enough')
  })
})
