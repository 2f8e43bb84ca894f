/** A gateway over a real store, with servers of the test standing in for instances. */
import { mkdtemp, rm } from 'node:fs/promises'
import {
  type Agent,
  createServer,
  type IncomingMessage,
  request as startRequest,
  type Server,
} from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { seededRandom, systemClock, waitFor } from '@slipway/kit'

import { startControllers } from '../controllers/index.ts'
import type { Parts } from '../controllers/kit.ts'
import type { HttpRouteRule, Objects } from '../model.ts'
import { openRegistry } from '../registry/index.ts'
import { startGateway } from './index.ts'

export type Answer = {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export type Question = {
  readonly host?: string
  readonly path?: string
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer
  readonly agent?: Agent
  readonly port?: number
}

type Handler = Parameters<typeof createServer>[1]

type RouteOptions = {
  readonly parent?: { readonly name: string; readonly namespace?: string }
  readonly hosts?: readonly string[]
}

/** Opens all parts; one closure over them, whose type is what it returns. */
export async function openStage() {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-gateway-'))
  const open = await openRegistry({ dataFolder: folder, clock: systemClock, log: () => undefined })
  const registry = open.registry
  const parts: Parts = { registry, clock: systemClock, random: seededRandom(1), log: () => undefined }
  const controllers = await startControllers({ ...parts, caCertificate: 'x', apiPort: 7443 })
  const gateway = await startGateway(parts, { port: 0, address: '127.0.0.1', ownPorts: '1024-65535' })
  const servers = new Set<Server>()

  function ask({
    host = 'app.test',
    path = '/',
    method = 'GET',
    headers = {},
    body,
    agent,
    port,
  }: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = startRequest({
        host: '127.0.0.1',
        port: port ?? gateway.port,
        path,
        method,
        headers: { host, ...headers },
        ...(agent ? { agent } : {}),
      })
      request.on('response', (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        )
      })
      request.on('error', reject)
      request.end(body)
    })
  }

  async function listen(handler: NonNullable<Handler>): Promise<Server> {
    const server = createServer(handler as never)
    servers.add(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return server
  }

  const portOf = (server: Server): number => (server.address() as AddressInfo).port

  /** A Service and a ready pod for a server of this test, as a node agent would report it. */
  async function addPod(app: string, name: string, server: Server): Promise<void> {
    const pod: Objects['pods'] = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default', labels: { app } },
      spec: {
        nodeName: 'here',
        containers: [{ name: 'app', image: 'app', ports: [{ containerPort: 3000 }] }],
      },
    }
    const made = await registry.create('pods', pod, 'test')
    await registry.updateStatus(
      'pods',
      {
        ...made,
        metadata: {
          ...made.metadata,
          annotations: { 'slipway/ports': JSON.stringify({ 3000: portOf(server) }) },
        },
        status: {
          ...made.status,
          phase: 'Running',
          podIP: '127.0.0.1',
          conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }],
        },
      },
      'test',
    )
    const slices = () =>
      registry
        .list('endpointslices', 'default')
        .filter((one) => one.metadata.labels?.['kubernetes.io/service-name'] === app)
    await waitFor(
      systemClock,
      'the endpoint',
      () =>
        slices().some((slice) =>
          slice.endpoints?.some((one) => one.targetRef?.name === name && one.conditions?.ready),
        ),
      { timeoutMs: 10_000, everyMs: 2 },
    )
  }

  async function addService(name: string): Promise<void> {
    await registry.create(
      'services',
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name, namespace: 'default' },
        spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 3000 }] },
      },
      'test',
    )
  }

  async function addRoute(
    name: string,
    rules: readonly HttpRouteRule[],
    options: RouteOptions = {},
  ): Promise<void> {
    await registry.create(
      'httproutes',
      {
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'HTTPRoute',
        metadata: { name, namespace: 'default' },
        spec: {
          parentRefs: [options.parent ?? { name: 'default', namespace: 'slipway-system' }],
          hostnames: options.hosts ?? [`${name}.test`],
          rules,
        },
      },
      'test',
    )
    await waitFor(
      systemClock,
      'the status',
      () => registry.get('httproutes', 'default', name)?.status?.parents.length,
      {
        timeoutMs: 10_000,
        everyMs: 2,
      },
    )
  }

  /** Sends text as it is and returns everything that comes until the connection ends or `until` is there. */
  function talk(text: string, until?: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(gateway.port, '127.0.0.1', () => socket.write(text))
      let received = ''
      socket.on('data', (chunk: Buffer) => {
        received += chunk.toString('latin1')
        if (until !== undefined && received.includes(until)) socket.end()
      })
      socket.on('error', reject)
      socket.on('close', () => resolve(received))
    })
  }

  return {
    registry,
    gateway,
    ask,
    talk,
    listen,
    addPod,
    addService,
    addRoute,
    async [Symbol.asyncDispose]() {
      await gateway.close(1_000)
      await controllers[Symbol.asyncDispose]()
      await open[Symbol.asyncDispose]()
      for (const server of servers) server.closeAllConnections()
      await rm(folder, { recursive: true })
    },
  }
}
