import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { Agent as HttpAgent, get } from 'node:http'
import { Agent, request as startRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { systemClock, waitFor } from '@slipway/kit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'

import { serveImage } from './kubelet/testing.ts'
import type { Objects } from './model.ts'
import { type Minicluster, startMinicluster } from './start.ts'

let folder: string
let cluster: Minicluster
let image: Disposable & { readonly image: string }
let agent: Agent
let token: string
const log = (): void => undefined

async function start(): Promise<void> {
  cluster = await startMinicluster({
    dataFolder: join(folder, 'cluster'),
    apiPort: 0,
    gatewayPort: 0,
    ownPorts: '1024-65535',
    clock: systemClock,
    log,
  })
  const config = parse(await readFile(cluster.kubeconfigPath, 'utf8')) as {
    clusters: { cluster: { 'certificate-authority-data': string } }[]
    users: { user: { token: string } }[]
  }
  agent = new Agent({
    ca: Buffer.from(config.clusters[0]!.cluster['certificate-authority-data'], 'base64'),
    keepAlive: true,
  })
  token = config.users[0]!.user.token
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-minicluster-'))
  await chmod(folder, 0o711)
  image = await serveImage(folder)
  await start()
})

afterAll(async () => {
  agent.destroy()
  await cluster.stop({ graceMs: 2_000 })
  image[Symbol.dispose]()
  await rm(folder, { recursive: true })
})

type Reply<T> = { readonly status: number; readonly body: T }

/** One request to the API server, as any client makes it. */
function api<T>(method: string, path: string, body?: unknown, type = 'application/json'): Promise<Reply<T>> {
  return new Promise((resolve, reject) => {
    const request = startRequest(
      `${cluster.apiUrl}${path}`,
      { method, agent, headers: { authorization: `Bearer ${token}`, 'content-type': type } },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (text += chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            // The caller names the kind that the path answers with.
            body: (response.headers['content-type']?.startsWith('application/json')
              ? JSON.parse(text)
              : text) as T,
          }),
        )
      },
    )
    request.on('error', reject)
    request.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments'
const PODS = '/api/v1/namespaces/default/pods'
type Deployment = Objects['deployments']
type List<T> = { readonly items: readonly T[] }

function deployment(greeting: string, replicas: number): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          automountServiceAccountToken: false,
          containers: [
            {
              name: 'web',
              image: image.image,
              env: [{ name: 'GREETING', value: greeting }],
              ports: [{ containerPort: 8080 }],
              readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
            },
          ],
        },
      },
    },
  }
}

/** One request through the gateway over a kept-alive connection. */
function visit(agent: HttpAgent): Promise<{ readonly status: number; readonly greeting: string }> {
  return new Promise((resolve, reject) => {
    get(cluster.gatewayUrl, { agent, headers: { host: 'web.test' } }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('error', reject)
      response.on('end', () => {
        const greeting =
          response.statusCode === 200 ? (JSON.parse(text) as { greeting: string }).greeting : text
        resolve({ status: response.statusCode ?? 0, greeting })
      })
    }).on('error', reject)
  })
}

async function waitForDeployment(what: string, holds: (found: Deployment) => boolean): Promise<Deployment> {
  let last: unknown
  try {
    return await waitFor(
      systemClock,
      what,
      async () => {
        const { body } = await api<Deployment>('GET', `${DEPLOYMENTS}/web`)
        last = body.status
        return holds(body) && body
      },
      { timeoutMs: 50_000, everyMs: 50 },
    )
  } catch (thrown) {
    const pods = await api<List<Objects['pods']>>('GET', PODS)
    throw new Error(
      `${String(thrown)}: ${JSON.stringify(last)} ${JSON.stringify(pods.body.items.map((pod) => pod.status))}`,
      { cause: thrown },
    )
  }
}

const isRolledOut = (count: number) => (found: Deployment) =>
  found.status?.observedGeneration === found.metadata?.generation &&
  found.status?.updatedReplicas === count &&
  found.status?.replicas === count &&
  found.status?.availableReplicas === count

test('a real application is deployed, reached, scaled, replaced without a broken request and removed', async () => {
  expect((await api('POST', DEPLOYMENTS, deployment('one', 2))).status).toBe(201)
  const service: Objects['services'] = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default' },
    spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
  }
  expect((await api('POST', '/api/v1/namespaces/default/services', service)).status).toBe(201)
  const route: Objects['httproutes'] = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      parentRefs: [{ name: 'default', namespace: 'slipway-system' }],
      hostnames: ['web.test'],
      rules: [{ backendRefs: [{ name: 'web', port: 80 }] }],
    },
  }
  const routes = '/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes'
  expect((await api('POST', routes, route)).status).toBe(201)
  await waitForDeployment('two instances', isRolledOut(2))
  const visitor = new HttpAgent({ keepAlive: true, maxSockets: 4 })
  await waitFor(systemClock, 'the first answer', async () => (await visit(visitor)).greeting === 'one', {
    timeoutMs: 20_000,
  })

  const scale = { spec: { replicas: 3 } }
  await api('PATCH', `${DEPLOYMENTS}/web/scale`, scale, 'application/merge-patch+json')
  await waitForDeployment('three instances', isRolledOut(3))

  const failures: string[] = []
  const load = { isOver: false }
  let newest = ''
  const visits = Array.from({ length: 4 }, async () => {
    while (!load.isOver) {
      const answer = await visit(visitor).catch((error: unknown) => ({ status: 0, greeting: String(error) }))
      if (answer.status === 200) newest = answer.greeting
      else failures.push(`${answer.status} ${answer.greeting}`)
    }
  })
  const change = { spec: { template: deployment('two', 3).spec?.template } }
  await api('PATCH', `${DEPLOYMENTS}/web`, change, 'application/strategic-merge-patch+json')
  await waitForDeployment('the new version', isRolledOut(3))
  await waitFor(systemClock, 'its answer', () => newest === 'two', { timeoutMs: 20_000 })
  load.isOver = true
  await Promise.all(visits)
  visitor.destroy()
  expect(failures).toEqual([])

  const metrics = await api<string>('GET', '/metrics')
  expect(metrics.body).toContain(
    'slipway_gateway_requests_total{namespace="default",route="web",backend="web",code="2xx"}',
  )
  expect(metrics.body).not.toContain('route="web",backend="web",code="5xx"')

  await api('DELETE', `${DEPLOYMENTS}/web`, { propagationPolicy: 'Foreground' })
  await waitFor(
    systemClock,
    'everything gone',
    async () =>
      (await api('GET', `${DEPLOYMENTS}/web`)).status === 404 &&
      (await api<List<unknown>>('GET', PODS)).body.items.length === 0,
    { timeoutMs: 40_000 },
  )
})

test('a second start on the same data folder is refused, and what was kept is there after a restart', async () => {
  const again = startMinicluster({
    dataFolder: join(folder, 'cluster'),
    apiPort: 0,
    gatewayPort: 0,
    clock: systemClock,
    log,
  })
  await expect(again).rejects.toMatchObject({ code: 'minicluster_folder_in_use' })
  const kept = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kept' }, data: { key: 'value' } }
  await api('POST', '/api/v1/namespaces/default/configmaps', kept)
  agent.destroy()
  await cluster.stop({ graceMs: 2_000 })
  await start()
  const found = await api<Objects['configmaps']>('GET', '/api/v1/namespaces/default/configmaps/kept')
  expect(found.body.data).toEqual({ key: 'value' })
})
