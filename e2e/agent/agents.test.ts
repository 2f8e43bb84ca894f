/* Agents of the embedded cluster, as processes: how many, of which Cluster, whose, and by which certificate. Needs nothing else. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'

import { isRecord, must, newMasterKey, systemClock, waitFor } from '@slipway/kit'
import { kubeClient, parseKubeconfig, type Kube } from '@slipway/kube'
import { freePort, testCluster, testPlatform, type TestPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { makeAuthority } from '../../tools/kubernetes/certificates.ts'
import { startAgent, type AgentPlace, type AgentProcess } from './agent-process.ts'
import { door } from './closed-network.ts'

const WAIT = { timeoutMs: 90_000, everyMs: 200 }
const cleanup = new AsyncDisposableStack()
let platform: TestPlatform
let secret: string
let place: AgentPlace
let admin: Kube

async function placeOf(kubeconfigPath: string, platformUrl: string): Promise<AgentPlace> {
  const { server, certificateAuthority, credentials } = parseKubeconfig(
    await readFile(kubeconfigPath, 'utf8'),
  ).access
  return {
    apiUrl: server,
    certificateAuthority: must(certificateAuthority, 'the embedded cluster has an authority of its own'),
    accountToken: must(credentials.token, 'its administrator has a token'),
    platformUrl,
  }
}

beforeAll(async () => {
  platform = cleanup.use(await testPlatform())
  secret = await platform.becomeOperator()
  const cluster = cleanup.use(await testCluster())
  place = await placeOf(cluster.kubeconfigPath, platform.url)
  const { access } = parseKubeconfig(await readFile(cluster.kubeconfigPath, 'utf8'))
  admin = cleanup.use(kubeClient({ access, clock: systemClock, userAgent: 'slipway-agent-test' }))
}, 120_000)
afterAll(() => cleanup.disposeAsync(), 120_000)

type Registered = { readonly id: string; readonly manifest: string }

async function register(slug: string): Promise<Registered> {
  const { body } = await platform.call('POST', '/v1/agents', { secret, body: { slug } })
  const { id } = body['cluster'] as { readonly id: string }
  return { id, manifest: String(body['manifest']) }
}

async function health(id: string): Promise<{ readonly state: unknown; readonly since: unknown }> {
  const { health: shown } = (await platform.call('GET', `/v1/clusters/${id}`, { secret })).body
  return isRecord(shown) ? { state: shown['state'], since: shown['since'] } : { state: '', since: '' }
}

const until = (what: string, isThere: () => Promise<boolean> | boolean): Promise<unknown> =>
  waitFor(systemClock, what, async () => (await isThere()) || undefined, WAIT)
const reaches = (id: string, state: string): Promise<unknown> =>
  until(`the Cluster to be ${state}`, async () => (await health(id)).state === state)
const nodesOf = (id: string) => platform.call('GET', `/v1/clusters/${id}/nodes`, { secret })
const connected = (agent: AgentProcess): Promise<unknown> =>
  until('the agent to be connected', () => agent.lines().includes('"connected"'))

test('of two agents of one Cluster either may be killed, and nobody notices', async () => {
  const { id, manifest } = await register('twice')
  await using first = await startAgent(manifest, place)
  await reaches(id, 'ready')
  await using second = await startAgent(manifest, place)
  await connected(second)
  const before = await health(id)
  await second.kill()
  expect(await nodesOf(id)).toMatchObject({ status: 200 })
  await using third = await startAgent(manifest, place)
  await connected(third)
  await first.kill()
  expect(await nodesOf(id)).toMatchObject({ status: 200 })
  expect(await health(id)).toEqual(before)
})

test('a manifest that is applied to a second Cluster connects only the first', async () => {
  const { id, manifest } = await register('copied')
  await using _first = await startAgent(manifest, place)
  await reaches(id, 'ready')
  await using other = await testCluster()
  await using second = await startAgent(manifest, await placeOf(other.kubeconfigPath, platform.url))
  await until('the second to be refused', () => second.lines().includes('"refused"'))
  expect(second.lines()).toContain('this token connects another cluster')
  expect(await nodesOf(id)).toMatchObject({ status: 200 })
})

test('a Cluster that another platform has marked as its own is not worked with until the mark is gone', async () => {
  const { id, manifest } = await register('foreign')
  const mark = { namespace: 'slipway-system', name: 'slipway-owner' }
  const data = { installation: 'ins_other', address: 'https://other.example.com' }
  await admin.create('configmaps', { metadata: mark, data })
  await using _agent = await startAgent(manifest, place)
  await reaches(id, 'ready')
  const refused = await nodesOf(id)
  expect(refused).toMatchObject({ status: 409, body: { error: { code: 'cluster_owned' } } })
  expect((refused.body['error'] as { readonly message: string }).message).toContain(data.address)
  await admin.remove('configmaps', mark)
  await until('the Cluster to be worked with', async () => (await nodesOf(id)).status === 200)
})

test('a platform whose certificate nobody knows is not talked to, and the agent says what helps', async () => {
  await using tls = await certificateFor('127.0.0.1')
  const port = await freePort()
  const publicUrl = `https://127.0.0.1:${port}`
  const { tlsCertificateFile, tlsKeyFile } = tls
  await using secure = await testPlatform({ port, publicUrl, tlsCertificateFile, tlsKeyFile })
  const operator = await secure.becomeOperator()
  const there = { ...place, platformUrl: publicUrl }
  const call = (path: string, body: unknown) => secure.call('POST', path, { secret: operator, body })
  const made = await call('/v1/agents', { slug: 'secure' })
  await using stranger = await startAgent(String(made.body['manifest']), there)
  await until('the agent to have tried', () => stranger.lines().includes('"failed"'))
  expect(stranger.lines()).toContain('slipway cluster renew-agent --ca <file>')
  const { id } = made.body['cluster'] as { readonly id: string }
  const certificateAuthority = tls.authority
  const renewed = await call(`/v1/clusters/${id}/agent-token`, { certificateAuthority })
  await using agent = await startAgent(String(renewed.body['manifest']), there)
  await connected(agent)
})

test('each of two replicas behind one address is connected, and goes on when the other is gone', async () => {
  const masterKey = newMasterKey().toString('base64')
  const ports = [await freePort(), await freePort()]
  const live: number[] = []
  let turn = 0
  await using front = await door({ host: '127.0.0.1', port: 0 }, () => {
    turn += 1
    return connect(live[turn % live.length] ?? 0, '127.0.0.1')
  })
  const shared = { masterKey, publicUrl: `http://127.0.0.1:${front.port}`, soleReplica: 'false' }
  await using one = await testPlatform({ ...shared, port: ports[0] })
  live.push(ports[0] ?? 0)
  const operator = await one.becomeOperator()
  const { appUrl: databaseUrl, ownerUrl: databaseOwnerUrl } = one
  const database = { databaseUrl, databaseOwnerUrl }
  const two = await testPlatform({ ...shared, ...database, port: ports[1] })
  live.push(ports[1] ?? 0)
  const seenBy = async (port: number | undefined, path: string): Promise<Record<string, unknown>> => {
    const headers = { authorization: `Bearer ${operator}` }
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers })
    return (await answer.json()) as Record<string, unknown>
  }
  try {
    const made = await one.call('POST', '/v1/agents', { secret: operator, body: { slug: 'both' } })
    const { id } = made.body['cluster'] as { readonly id: string }
    const isReady = async (port: number | undefined): Promise<boolean> => {
      const { health: shown } = await seenBy(port, `/v1/clusters/${id}`)
      return isRecord(shown) && shown['state'] === 'ready'
    }
    await using agent = await startAgent(String(made.body['manifest']), {
      ...place,
      platformUrl: shared.publicUrl,
    })
    for (const port of ports) await until('the Cluster to be ready', () => isReady(port))
    expect(agent.lines().split('"connected"')).toHaveLength(3)
    live.pop()
    await two[Symbol.asyncDispose]()
    await until('the agent to notice', () => agent.lines().includes('"disconnected"'))
    const nodes = await seenBy(ports[0], `/v1/clusters/${id}/nodes`)
    expect(nodes['items']).toHaveLength(1)
  } finally {
    await two[Symbol.asyncDispose]()
  }
})

/** A certificate in files, by an authority that this process trusts from now on. */
async function certificateFor(host: string) {
  const { certificate: authority, issue } = makeAuthority('slipway-agent-test')
  const { certificate, key } = issue([host])
  const folder = await mkdtemp(join(tmpdir(), 'slipway-agent-tls-'))
  const [tlsCertificateFile, tlsKeyFile] = [join(folder, 'server.crt'), join(folder, 'server.key')]
  await writeFile(tlsCertificateFile, certificate)
  await writeFile(tlsKeyFile, key, { mode: 0o600 })
  setDefaultCACertificates([...getCACertificates('default'), authority])
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
  return { authority, tlsCertificateFile, tlsKeyFile, [Symbol.asyncDispose]: remove }
}
