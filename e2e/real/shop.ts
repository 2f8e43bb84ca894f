/* A small application in containers, and the registry over TLS that it is pulled from. */
import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { systemClock } from '@slipway/kit'
import type { Kube, Objects } from '@slipway/kube'
import { buildImage, clientSink, clientSource, importArchive, nodeListener } from '@slipway/oci'
import { testServer, type TestServer } from '@slipway/oci/testing'

import { makeAuthority } from '../../tools/kubernetes/certificates.ts'
import type { RealClusterWithNodes } from '../../tools/kubernetes/cluster.ts'
import { ensureNodeBase } from '../../tools/image/base.ts'
import { type SecureServer, serveSecurely } from './secure-server.ts'
import { tarOf } from './tar.ts'

export const PULL_SECRET = 'registry'
const REPOSITORY = 'team/web'
const PORT = 8080
const PROGRAM = `
const { createServer } = require('node:http')
const { hostname } = require('node:os')
console.log('starting version ' + process.env.VERSION)
createServer((request, response) => {
  console.log('asked for ' + request.url)
  response.end(JSON.stringify({ version: process.env.VERSION, pod: hostname() }))
}).listen(${PORT})
process.on('SIGTERM', () => process.exit(0))
`

export type Shop = AsyncDisposable & {
  /** As containerd pulls it, by digest. */
  readonly image: string
  readonly registryHost: string
}

/** Serves a registry to the nodes and puts the application into it, on a base of its own. */
export async function openShop(cluster: RealClusterWithNodes): Promise<Shop> {
  await using cleanup = new AsyncDisposableStack()
  const images = cleanup.use(await testServer())
  const authority = makeAuthority('slipway-e2e-registry')
  const secure: SecureServer = cleanup.use(
    await serveSecurely(authority, cluster.hostAddress, (url) => nodeListener(images.registry.handler, url)),
  )
  cluster.trustRegistry(secure.host, authority.certificate)
  const digest = await publish(images)
  const owned = cleanup.move()
  return {
    image: `${secure.host}/${REPOSITORY}@${digest}`,
    registryHost: secure.host,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function publish(images: TestServer): Promise<string> {
  const spoolFolder = await mkdtemp(join(tmpdir(), 'slipway-shop-'))
  try {
    const client = images.clientFor('owner')
    await importArchive({
      archive: createReadStream(await ensureNodeBase()),
      sink: clientSink(client, 'base/node'),
      tagsFor: () => ['24'],
    })
    const source = clientSource(client, 'base/node')
    const { digest } = await buildImage({
      archive: tarOf({ 'server.js': PROGRAM }),
      layout: 'node',
      base: { kind: 'image', name: 'base/node:24', reference: '24', source, isSameRegistry: true },
      settings: { command: ['node', 'server.js'], ports: [PORT] },
      sink: clientSink(client, REPOSITORY),
      tags: ['latest'],
      spoolFolder,
      clock: systemClock,
    })
    return digest
  } finally {
    await rm(spoolFolder, { recursive: true, force: true })
  }
}

/** A namespace in which nothing but restricted pods may run, with the secret of somebody who may pull. */
export async function openNamespace(kube: Kube, namespace: string, registryHost: string): Promise<void> {
  const enforce = { 'pod-security.kubernetes.io/enforce': 'restricted' }
  await kube.create('namespaces', { metadata: { name: namespace, labels: enforce } })
  const auths = { [registryHost]: { username: 'reader', password: 'reader' } }
  await kube.create('secrets', {
    metadata: { namespace, name: PULL_SECRET },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') },
  })
}

type PodSpec = NonNullable<Objects['pods']['spec']>

/** A restricted pod of the application, as the platform would write it. */
export function podSpec(image: string, version: string, more: Partial<PodSpec> = {}): PodSpec {
  return {
    automountServiceAccountToken: false,
    imagePullSecrets: [{ name: PULL_SECRET }],
    terminationGracePeriodSeconds: 5,
    securityContext: { runAsNonRoot: true, runAsUser: 10_001, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'main',
        image,
        env: [{ name: 'VERSION', value: version }],
        ports: [{ name: 'http', containerPort: PORT }],
        readinessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 1 },
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      },
    ],
    ...more,
  }
}

/** Several of them, spread over the nodes, moving away from a lost node as soon as it is known, behind a Service. */
export async function runVersion(
  kube: Kube,
  target: { readonly namespace: string; readonly name: string; readonly replicas: number },
  image: string,
): Promise<void> {
  const { namespace, name, replicas } = target
  const labels = { app: name }
  const spread = { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: labels } }
  await kube.create('deployments', {
    metadata: { namespace, name },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: podSpec(image, name, {
          topologySpreadConstraints: [{ ...spread, whenUnsatisfiable: 'ScheduleAnyway' }],
          tolerations: ['not-ready', 'unreachable'].map((state) => ({
            key: `node.kubernetes.io/${state}`,
            operator: 'Exists',
            effect: 'NoExecute',
            tolerationSeconds: 10,
          })),
        }),
      },
    },
  })
  await kube.create('services', {
    metadata: { namespace, name },
    spec: { selector: labels, ports: [{ port: 80, targetPort: 'http' }] },
  })
}
