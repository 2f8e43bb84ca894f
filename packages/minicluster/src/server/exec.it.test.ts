import { once } from 'node:events'
import { Readable } from 'node:stream'

import { systemClock, waitFor } from '@slipway/kit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'

import { StatusError } from '../errors.ts'
import type { ExecStreams, NodeAgent, TerminalSize } from '../model.ts'
import { startTestServer, type TestServer } from './testing.ts'

const POD = '/api/v1/namespaces/default/pods/shell'
let cluster: TestServer
let lastSize: TerminalSize | undefined
let aborted = false

const exec: NodeAgent['exec'] = async (_, command, streams) => {
  if (command[0] === 'fail') throw new StatusError(500, 'InternalError', 'cannot start')
  if (command[0] === 'hang') return hang(streams)
  streams.onResize((size) => (lastSize = size))
  if (command[0] === 'cat' && streams.stdin)
    for await (const chunk of streams.stdin) streams.stdout.write(chunk)
  else streams.stdout.write(`ran ${command.join(' ')}`)
  streams.stderr?.end('complaint')
  streams.stdout.end()
  return { exitCode: Number(command[1] ?? 0) }
}

async function hang({ signal, stdout, stderr }: ExecStreams): Promise<{ exitCode: number }> {
  stdout.write('waiting')
  await once(signal, 'abort')
  aborted = true
  stdout.destroy()
  stderr?.destroy()
  return { exitCode: 137 }
}

beforeAll(async () => {
  cluster = await startTestServer({
    exec,
    logs: (container, options) =>
      Promise.resolve(Readable.from([`${container.container} ${JSON.stringify(options)}`])),
  })
  const { registry } = cluster.opened
  const containers = ['app', 'side'].map((name) => ({ name, image: 'i:1' }))
  await registry.create(
    'pods',
    { metadata: { name: 'shell', namespace: 'default' }, spec: { containers } },
    'test',
  )
  await registry.create(
    'pods',
    { metadata: { name: 'lost', namespace: 'default' }, spec: { containers } },
    'test',
  )
  await registry.bind('default', 'shell', 'node-1')
})
afterAll(() => cluster[Symbol.asyncDispose]())

type Session = {
  readonly socket: WebSocket
  readonly channels: Map<number, string>
  readonly closed: Promise<unknown>
}

async function open(path: string): Promise<Session> {
  const socket = new WebSocket(`wss://127.0.0.1:${cluster.server.port}${path}`, ['v5.channel.k8s.io'], {
    ca: cluster.server.caPem,
    headers: cluster.connection.headers,
  })
  const channels = new Map<number, string>()
  socket.on('message', (data: Buffer) => {
    const channel = data[0] ?? -1
    channels.set(channel, (channels.get(channel) ?? '') + data.subarray(1).toString())
  })
  const closed = once(socket, 'close')
  await once(socket, 'open')
  return { socket, channels, closed }
}

test('a command brings its output, its complaint and its exit code', async () => {
  const { channels, closed } = await open(`${POD}/exec?container=app&command=do&command=3&stdout=1&stderr=1`)
  expect(await closed).toMatchObject([1000, expect.anything()])
  expect(channels.get(1)).toBe('ran do 3')
  expect(channels.get(2)).toBe('complaint')
  expect(JSON.parse(channels.get(3) ?? '')).toMatchObject({
    status: 'Failure',
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: '3' }] },
  })
})

test('input flows until its half is closed, and success says so', async () => {
  const { socket, channels, closed } = await open(`${POD}/exec?container=app&command=cat&stdin=1&stdout=1`)
  const piece = 'x'.repeat(100_000)
  for (let count = 0; count < 20; count += 1) socket.send(Buffer.from(`\0${piece}`))
  socket.send(Buffer.of(255, 0))
  await closed
  expect(channels.get(1)).toHaveLength(20 * piece.length)
  expect(JSON.parse(channels.get(3) ?? '')).toMatchObject({ status: 'Success' })
})

test('terminal sizes reach the command, also the one sent first', async () => {
  const { socket, closed } = await open(`${POD}/exec?container=app&command=cat&stdin=1&stdout=1&tty=1`)
  socket.send(Buffer.concat([Buffer.of(4), Buffer.from('{"Width":120,"Height":40}')]))
  socket.send(Buffer.concat([Buffer.of(4), Buffer.from('nonsense')]))
  socket.send(Buffer.of(255, 0))
  await closed
  expect(lastSize).toEqual({ columns: 120, rows: 40 })
})

test('an agent that fails says so on the status channel', async () => {
  const { channels, closed } = await open(`${POD}/exec?container=app&command=fail&stdout=1`)
  await closed
  expect(JSON.parse(channels.get(3) ?? '')).toMatchObject({ status: 'Failure', message: 'cannot start' })
})

test('a client that leaves aborts the command', async () => {
  const { socket, channels } = await open(`${POD}/exec?container=app&command=hang&stdout=1`)
  await waitFor(systemClock, 'output', () => channels.get(1) === 'waiting', { timeoutMs: 20_000 })
  socket.terminate()
  await waitFor(systemClock, 'the abort', () => aborted, { timeoutMs: 20_000 })
})

test.each([
  ['a container that is none', `${POD}/exec?container=no&command=x&stdout=1`, 400],
  ['no container where there are two', `${POD}/exec?command=x&stdout=1`, 400],
  ['no command', `${POD}/exec?container=app&stdout=1`, 400],
  ['no stream', `${POD}/exec?container=app&command=x`, 400],
  ['a pod that is none', '/api/v1/namespaces/default/pods/none/exec?command=x&stdout=1', 404],
  ['a pod on no node', '/api/v1/namespaces/default/pods/lost/exec?container=app&command=x&stdout=1', 400],
  ['something else', '/api/v1/namespaces/default/configmaps?watch=1', 400],
])('an upgrade for %s is refused as HTTP', async (_, path, status) => {
  const socket = new WebSocket(`wss://127.0.0.1:${cluster.server.port}${path}`, ['v5.channel.k8s.io'], {
    ca: cluster.server.caPem,
    headers: cluster.connection.headers,
  })
  const [error] = (await once(socket, 'error').catch((thrown: unknown) => [thrown])) as [Error]
  expect(error.message).toContain(`${status}`)
})

test('without a token nothing is upgraded', async () => {
  const socket = new WebSocket(
    `wss://127.0.0.1:${cluster.server.port}${POD}/exec?container=app&command=x&stdout=1`,
    ['v5.channel.k8s.io'],
    { ca: cluster.server.caPem },
  )
  const [error] = (await once(socket, 'error').catch((thrown: unknown) => [thrown])) as [Error]
  expect(error.message).toContain('401')
})

test('logs pass their options on and name the container', async () => {
  const reply = await cluster.call(`${POD}/log?container=side&tailLines=5&timestamps=true&sinceSeconds=9`)
  expect(reply.status).toBe(200)
  expect(reply.text).toBe(
    'side {"follow":false,"previous":false,"timestamps":true,"tailLines":5,"sinceSeconds":9}',
  )
  expect((await cluster.call(`${POD}/log`)).body['message']).toBe(
    'a container name must be specified for pod shell, choose one of: [app side]',
  )
  expect((await cluster.call(`${POD}/log?container=app&tailLines=-1`)).status).toBe(422)
  expect((await cluster.call('/api/v1/namespaces/default/pods/lost/log?container=app')).text).toBe('')
})
