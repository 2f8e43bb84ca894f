import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Readable } from 'node:stream'

import { systemClock } from '@slipway/kit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'

import { kubeClient } from './client.ts'
import type { Kube } from './kube.ts'
import { testCertificate } from './test-certificate.ts'

const tls = testCertificate()
const pod = { namespace: 'shop', name: 'web' }
const SUCCESS = JSON.stringify({ metadata: {}, status: 'Success' })
const exited = (code: string): string =>
  JSON.stringify({
    status: 'Failure',
    reason: 'NonZeroExitCode',
    message: `command terminated with exit code ${code}`,
    details: { causes: [{ reason: 'ExitCode', message: code }] },
  })

type Session = {
  readonly socket: WebSocket
  readonly url: URL
  readonly send: (channel: number, text: string) => void
}

/** An API server whose only ability is exec. */
async function execServer(
  handler: (session: Session) => void,
  refuse?: { code: number; text: string },
): Promise<Kube> {
  const server = createServer({ cert: tls.certificate, key: tls.key })
  const sockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request, socket, head) => {
    if (refuse) {
      socket.end(`HTTP/1.1 ${refuse.code} No\r\ncontent-length: ${refuse.text.length}\r\n\r\n${refuse.text}`)
      return
    }
    sockets.handleUpgrade(request, socket, head, (opened) => {
      const send = (channel: number, text: string): void =>
        opened.send(Buffer.concat([Buffer.from([channel]), Buffer.from(text)]))
      handler({ socket: opened, url: new URL(request.url ?? '', 'https://x'), send })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const access = {
    server: `https://localhost:${port}`,
    certificateAuthority: tls.certificate,
    credentials: { token: 't' },
  }
  const kube = kubeClient({ access, clock: systemClock, userAgent: 'test' })
  onTestFinished(async () => {
    kube[Symbol.dispose]()
    for (const socket of sockets.clients) socket.terminate()
    await new Promise((resolve) => server.close(resolve))
  })
  return kube
}

async function textOf(stream: Readable): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}

describe('exec', () => {
  test('gives output, errors and the exit code', async () => {
    let asked: URL | undefined
    let protocol = ''
    const kube = await execServer(({ socket, url, send }) => {
      asked = url
      protocol = socket.protocol
      send(1, '')
      send(1, 'out')
      send(2, 'err')
      send(1, 'put')
      send(3, exited('3'))
      socket.close(1_000)
    })
    const command = ['sh', '-c', 'exit 3']
    await using session = await kube.exec(pod, { command, container: 'main' })
    expect(await Promise.all([textOf(session.stdout), textOf(session.stderr), session.exitCode])).toEqual([
      'output',
      'err',
      3,
    ])
    expect(protocol).toBe('v5.channel.k8s.io')
    expect(asked?.pathname).toBe('/api/v1/namespaces/shop/pods/web/exec')
    expect(asked?.searchParams.getAll('command')).toEqual(command)
    expect(Object.fromEntries(asked?.searchParams ?? [])).toMatchObject({
      container: 'main',
      stdout: 'true',
      stderr: 'true',
    })
    expect(asked?.searchParams.has('stdin')).toBe(false)
  })

  test('passes input on, and its end', async () => {
    const kube = await execServer(({ socket, send }) => {
      let input = ''
      socket.on('message', (data) => {
        const message = data as Buffer
        if (message[0] === 0) input += message.subarray(1).toString()
        if (message[0] !== 255) return
        send(1, `${message[1]}:${input.length}`)
        send(3, SUCCESS)
        socket.close(1_000)
      })
    })
    await using session = await kube.exec(pod, { command: ['cat'], stdin: true })
    session.stdin.end('x'.repeat(100_000))
    expect(await textOf(session.stdout)).toBe('0:100000')
    expect(await session.exitCode).toBe(0)
  })

  test('tells the size of a terminal, and has no separate errors', async () => {
    const kube = await execServer(({ socket, url, send }) => {
      socket.on('message', (data) => {
        const message = data as Buffer
        if (message[0] !== 4) return
        send(
          1,
          `${url.searchParams.get('tty')} ${url.searchParams.get('stderr')} ${message.subarray(1).toString()}`,
        )
        send(3, SUCCESS)
        socket.close(1_000)
      })
    })
    await using session = await kube.exec(pod, { command: ['sh'], terminal: true, stdin: true })
    session.resize({ columns: 120, rows: 40 })
    expect(await textOf(session.stdout)).toBe('true null {"Width":120,"Height":40}')
    expect(await textOf(session.stderr)).toBe('')
  })

  test('a slow reader slows the command down and loses nothing', async () => {
    const kube = await execServer(({ socket, send }) => {
      for (let index = 0; index < 200; index += 1) send(1, 'x'.repeat(32_000))
      send(3, SUCCESS)
      socket.close(1_000)
    })
    await using session = await kube.exec(pod, { command: ['cat'] })
    let sizeBytes = 0
    for await (const part of session.stdout) {
      sizeBytes += (part as Buffer).length
      expect(session.stdout.readableLength).toBeLessThan(1_000_000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(sizeBytes).toBe(6_400_000)
    expect(await session.exitCode).toBe(0)
  })

  test.each<[string, (session: Session) => void, string]>([
    ['a connection that breaks', ({ socket }) => socket.terminate(), 'ConnectionLost'],
    ['an end without a status', ({ socket }) => socket.close(1_000), 'ConnectionLost'],
    [
      'a status that is garbage',
      ({ socket, send }) => {
        send(3, '<')
        socket.close()
      },
      'InvalidReply',
    ],
    [
      'a command that cannot be started',
      ({ socket, send }) => {
        send(3, JSON.stringify({ status: 'Failure', reason: 'InternalError', message: 'no such file' }))
        socket.close()
      },
      'InternalError',
    ],
  ])('%s rejects the exit code', async (_, handler, reason) => {
    const kube = await execServer(handler)
    await using session = await kube.exec(pod, { command: ['x'] })
    session.stdout.resume()
    session.stderr.resume()
    await expect(session.exitCode).rejects.toMatchObject({ reason })
  })

  test('a refusal is the Status of its answer', async () => {
    const text = JSON.stringify({
      kind: 'Status',
      code: 404,
      reason: 'NotFound',
      message: 'pods "web" not found',
    })
    const kube = await execServer(() => undefined, { code: 404, text })
    await expect(kube.exec(pod, { command: ['x'] })).rejects.toMatchObject({ code: 404, reason: 'NotFound' })
  })

  test('writing without input is refused, and an abort ends the session', async () => {
    const kube = await execServer(() => undefined)
    const stop = new AbortController()
    await using session = await kube.exec(pod, { command: ['x'], signal: stop.signal })
    const refused = new Promise((resolve) => session.stdin.once('error', resolve))
    session.stdin.write('x')
    expect(await refused).toMatchObject({ reason: 'InvalidRequest' })
    stop.abort()
    await expect(session.exitCode).rejects.toMatchObject({ reason: 'ConnectionLost' })
  })
})
