/*
 * Slipway in production shape: its own Image from our own builder, installed by its Helm chart on a real cluster, two replicas
 * over one PostgreSQL and one bucket, reached through its Service over TLS; replaced without a request lost, and gone at the end.
 */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { testDatabase } from '@slipway/db/testing'
import { newMasterKey, systemClock } from '@slipway/kit'
import { kubeClient, type Live, parseKubeconfig } from '@slipway/kube'
import { clientSink, clientSource, nodeListener } from '@slipway/oci'
import { testServer } from '@slipway/oci/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { ensurePlatformBase } from '../../tools/image/base.ts'
import { makeImage } from '../../tools/image/image.ts'
import { canRunNodes } from '../../tools/kubernetes/availability.ts'
import { makeAuthority } from '../../tools/kubernetes/certificates.ts'
import { startNodeCluster, type RealClusterWithNodes } from '../../tools/kubernetes/cluster.ts'
import { findMinio } from '../../tools/oci/minio.ts'
import { kubectlFor, type Kubectl } from '../cluster/kubectl-runner.ts'
import { cliAt, type Cli } from '../journey/cli.ts'
import { serveSecurely } from '../real/secure-server.ts'
import { openNamespace, PULL_SECRET } from '../real/shop.ts'
import { forwardTo } from './forward.ts'
import { helmFor, type Helm } from './helm.ts'
import { keepAsking } from './visitors.ts'

const CHART = fileURLToPath(new URL('../../deploy/chart', import.meta.url))
const NAMESPACE = 'slipway-platform'
const RELEASE = 'slipway'
const NODE_PORT = 30_447
const PASSWORD = 'a long deployed password'
const KINDS =
  'deployments,replicasets,pods,services,endpointslices,secrets,serviceaccounts,poddisruptionbudgets,networkpolicies'

const progress = (line: string): void => console.log(`deploy: ${line}`)
const minio = await findMinio()
if (typeof minio === 'string') progress(`without a bucket: ${minio}`)
const available = await canRunNodes(progress)

describe.runIf(available)('the chart on a real cluster', () => {
  const cleanup = new AsyncDisposableStack()
  let home = ''
  let cluster: RealClusterWithNodes
  let kubectl: Kubectl
  let helm: Helm
  let values: Record<string, unknown>
  let publicUrl = ''
  let authority = ''
  let cli: Cli

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'slipway-deploy-'))
    cleanup.defer(() => rm(home, { recursive: true, force: true }))
    cluster = cleanup.use(await startNodeCluster({ nodes: 1, progress }))
    kubectl = cleanup.use(await kubectlFor(cluster.kubeconfigPath))
    helm = await helmFor(cluster.kubeconfigPath, home)
    const image = await publishImage()
    const database = cleanup.use(await testDatabase())
    const bridge = cleanup.use(await forwardTo(database.appUrl, cluster.hostAddress))
    publicUrl = `https://${cluster.nodes[0]?.address ?? ''}:${NODE_PORT}`
    values = {
      publicUrl,
      image,
      database: { url: bridge.outside(database.appUrl), ownerUrl: bridge.outside(database.ownerUrl) },
      masterKey: { value: newMasterKey().toString('base64url') },
      service: { type: 'NodePort', nodePort: NODE_PORT },
      networkPolicy: { enabled: true },
      ...(await bucket()),
    }
  })
  afterAll(() => cleanup.disposeAsync())

  /** Builds Slipway's Image into a registry that the node pulls from, in a namespace where only restricted pods may run. */
  async function publishImage(): Promise<Record<string, unknown>> {
    const images = cleanup.use(await testServer())
    const authorityOfRegistry = makeAuthority('slipway-e2e-registry')
    const server = cleanup.use(
      await serveSecurely(authorityOfRegistry, cluster.hostAddress, (url) =>
        nodeListener(images.registry.handler, url),
      ),
    )
    cluster.trustRegistry(server.host, authorityOfRegistry.certificate)
    const client = images.clientFor('owner')
    const repository = 'team/slipway'
    const startedMs = performance.now()
    const { digest, sizeBytes } = await makeImage({
      baseArchive: await ensurePlatformBase(progress),
      sink: clientSink(client, repository),
      source: clientSource(client, repository),
      tags: ['test'],
    })
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1)
    progress(`Slipway's Image: ${(sizeBytes / 1024 ** 2).toFixed(0)} MB in ${seconds} s`)
    const { access } = parseKubeconfig(readFileSync(cluster.kubeconfigPath, 'utf8'))
    using kube = kubeClient({ access, clock: systemClock, userAgent: 'slipway-e2e' })
    await openNamespace(kube, NAMESPACE, server.host)
    return { repository: `${server.host}/${repository}`, digest, pullSecrets: [PULL_SECRET] }
  }

  async function bucket(): Promise<Record<string, unknown>> {
    if (typeof minio === 'string') return {}
    const store = cleanup.use(await minio())
    const { endpoint, bucket: name, region, credentials } = store.bucketAt('deploy/')
    const bridge = cleanup.use(await forwardTo(endpoint, cluster.hostAddress))
    const keys = [`access-key=${credentials.accessKey}`, `secret-key=${credentials.secretKey}`]
    await kube('create', 'secret', 'generic', 'bucket', ...keys.map((pair) => `--from-literal=${pair}`))
    const outside = bridge.outside(endpoint).replace(/\/$/u, '')
    return { bucket: { endpoint: outside, name, region, prefix: 'deploy/', existingSecret: 'bucket' } }
  }

  async function kube(...parameters: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await kubectl.run(['--namespace', NAMESPACE, ...parameters])
    if (code !== 0) throw new Error(`kubectl ${parameters.join(' ')}: ${stderr}`)
    return stdout
  }

  /** Installs or upgrades, and waits for the replicas. */
  async function deploy(verb: 'install' | 'upgrade', changes: Record<string, unknown> = {}): Promise<number> {
    const file = join(home, 'values.json')
    await writeFile(file, JSON.stringify({ ...values, ...changes }), { mode: 0o600 })
    const startedMs = performance.now()
    const where = ['--namespace', NAMESPACE, '--values', file, '--wait', '--timeout', '300s']
    const { code, err } = await helm([verb, RELEASE, CHART, ...where])
    if (code !== 0) throw new Error(`${err}\n${await whyNotReady()}`)
    return (performance.now() - startedMs) / 1_000
  }

  async function whyNotReady(): Promise<string> {
    const selector = `app.kubernetes.io/instance=${RELEASE}`
    const logs = await kubectl.run(['--namespace', NAMESPACE, 'logs', '--selector', selector, '--tail', '20'])
    const events = await kubectl.run(['--namespace', NAMESPACE, 'get', 'events'])
    return `${logs.stdout}${logs.stderr}${events.stdout}`
  }

  test('what cannot work is refused before anything is installed', async () => {
    const set = ['--set', 'publicUrl=https://a.example,image.repository=r', '--namespace', NAMESPACE]
    const refusals: readonly (readonly [string, string])[] = [
      ['replica=3', "additional properties 'replica' not allowed"],
      ['masterKey.value=short', '/masterKey/value'],
      ['masterKey.existingSecret=k', 'database: give existingSecret, or url and ownerUrl'],
      ['database.existingSecret=d', 'masterKey: give existingSecret or value'],
      [
        'database.existingSecret=d,masterKey.existingSecret=k,publicUrl=http://a.example',
        'with a certificate it is an https address',
      ],
      [
        'database.existingSecret=d,masterKey.existingSecret=k,publicUrl=https://10.0.0.1,ingress.enabled=true',
        'publicUrl has a name, not an address',
      ],
    ]
    for (const [extra, reason] of refusals) {
      const { code, err } = await helm(['install', 'refused', CHART, ...set, '--set', extra])
      expect(code, extra).not.toBe(0)
      expect(err).toContain(reason)
    }
    expect((await helm(['list', '--namespace', NAMESPACE, '--all', '--short'])).out).toBe('')
  })

  test('all that can be switched on is what the API server takes, without a warning', async () => {
    const all = {
      publicUrl: 'https://slipway.example.com',
      ingress: { enabled: true, className: 'any', tlsSecret: 'certificate', annotations: { a: 'b' } },
      gateway: { enabled: true, parentRefs: [{ name: 'shared', namespace: 'gateway' }] },
      networkPolicy: { enabled: true, from: [{ namespaceSelector: {} }] },
      data: { existingClaim: 'claim' },
      settings: { outboundAllow: ['10.0.0.0/8:443'], trustedProxies: ['10.0.0.0/8'], logLevel: 'debug' },
      nodeSelector: { 'kubernetes.io/os': 'linux' },
      tolerations: [{ operator: 'Exists' }],
      extraEnv: [{ name: 'HTTPS_PROXY', value: 'http://proxy.example' }],
    }
    const file = join(home, 'all.json')
    await writeFile(file, JSON.stringify({ ...values, ...all }), { mode: 0o600 })
    expect((await helm(['lint', '--strict', CHART, '--values', file])).code).toBe(0)
    const { out } = await helm(['template', 'all', CHART, '--namespace', NAMESPACE, '--values', file])
    const where = ['--namespace', NAMESPACE, 'apply', '--dry-run=server', '--filename', '-']
    const { code, stdout, stderr } = await kubectl.run(where, out.replace(/nodePort: \d+/u, ''))
    expect(`${code} ${stderr}`).toBe('0 ')
    expect(stdout.split('\n').filter((line) => line.includes('created'))).toHaveLength(10)
  })

  test('two replicas come up, restricted, and serve through the Service', async () => {
    progress(`two replicas ready ${(await deploy('install')).toFixed(1)} s after helm install`)
    expect(await kube('get', 'deployment', RELEASE, '-o', 'jsonpath={.status.readyReplicas}')).toBe('2')
    const encoded = await kube('get', 'secret', `${RELEASE}-tls`, '-o', 'jsonpath={.data.ca\\.crt}')
    authority = Buffer.from(encoded, 'base64').toString('utf8')
    const file = join(home, 'authority.crt')
    await writeFile(file, authority)
    cli = cliAt(home, publicUrl, file)
    const token = await kube(
      'exec',
      `deploy/${RELEASE}`,
      '--',
      'node',
      'platform/main.mjs',
      'first-run-token',
    )
    const login = ['login', '--first-run-token', token.trim(), '--name', 'ann', '--password-stdin']
    await cli.succeed(login, PASSWORD)
    expect((await cli.succeed(['whoami'])).out).toContain('ann')
    expect((await cli.succeed(['doctor'])).out).toMatch(/Certificate +ok/u)
    const again = await kubectl.run(
      ['--namespace', NAMESPACE, 'exec', `deploy/${RELEASE}`, '--'].concat(
        'node platform/main.mjs first-run-token'.split(' '),
      ),
    )
    expect(again.code).not.toBe(0)
    expect(again.stderr).toContain('already has an administrator')
  })

  test('helm upgrade replaces both replicas and no request is lost', async () => {
    const before = await podNames()
    const asking = keepAsking(`${publicUrl}/v1/health`, authority)
    const tookS = await deploy('upgrade', { podAnnotations: { 'slipway/turn': 'second' } }).catch(
      async (thrown: unknown) => {
        await asking.stop()
        throw thrown
      },
    )
    // Those that were replaced answer until they are gone.
    const pods = before.map((name) => `pod/${name}`)
    await kube('wait', ...pods, '--for=delete', '--timeout=90s')
    const { count, problems } = await asking.stop()
    progress(
      `helm upgrade took ${tookS.toFixed(1)} s; ${count} requests meanwhile, ${problems.length} failed`,
    )
    expect(problems).toEqual([])
    expect(count).toBeGreaterThan(20)
    const after = await podNames()
    expect(after.filter((name) => before.includes(name))).toEqual([])
    const kept = await kube('get', 'secret', `${RELEASE}-tls`, '-o', 'jsonpath={.data.ca\\.crt}')
    expect(Buffer.from(kept, 'base64').toString('utf8')).toBe(authority)
    expect((await cli.succeed(['whoami'])).out).toContain('ann')
  })

  /** Of the replicas that are there to stay. */
  async function podNames(): Promise<readonly string[]> {
    const selector = `app.kubernetes.io/instance=${RELEASE}`
    const out = await kube('get', 'pods', '--selector', selector, '-o', 'json')
    // kubectl prints a list of pods.
    const { items } = JSON.parse(out) as { readonly items: readonly Live<'pods'>[] }
    return items
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ metadata }) => metadata.name)
  }

  test('helm uninstall leaves nothing', async () => {
    const { code, err } = await helm([
      'uninstall',
      RELEASE,
      '--namespace',
      NAMESPACE,
      '--wait',
      '--timeout',
      '200s',
    ])
    expect(`${code} ${err}`).toMatch(/^0 /u)
    await kube(
      'wait',
      'pods',
      '--selector',
      `app.kubernetes.io/instance=${RELEASE}`,
      '--for=delete',
      '--timeout=90s',
    )
    const left = await kube('get', KINDS, '-o', 'name')
    const own = left.split('\n').filter((name) => name.includes(`/${RELEASE}`) || name.includes('helm'))
    expect(own).toEqual([])
  })
})
