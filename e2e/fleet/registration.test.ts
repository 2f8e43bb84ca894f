/*
 * Registering a real control plane: the kubeconfig of an administrator makes the account and is deleted; whatever the platform
 * does afterwards it does as that account, and what it must not do is refused by the API server.
 */
import { readFileSync } from 'node:fs'
import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { systemClock, waitFor } from '@slipway/kit'
import { eachObject, findObject, isAllowed, kubeClient, parseKubeconfig, type Kube } from '@slipway/kube'
import { pushProgram, testPlatform, type TestPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { canRunRealClusters } from '../../tools/kubernetes/availability.ts'
import { startRealCluster, type RealCluster } from '../../tools/kubernetes/cluster.ts'
import { killProcess } from '../../tools/kubernetes/process-identity.ts'
import type { Cli } from '../journey/cli.ts'
import { settleIn, WORKLOAD, type Developer } from '../journey/developer.ts'
import { makeHome, removeHome } from '../journey/product.ts'
import { standInForGateway } from '../journey/stand-in.ts'
import { forbiddenThings, neededThings, refusalOf, settleForeigner } from './account.ts'

const WAIT_MS = 90_000
const SYSTEM = 'slipway-system'
const available = await canRunRealClusters((line) => console.log(`fleet: ${line}`))

describe.runIf(available)('on a real control plane', { timeout: 240_000 }, () => {
  let real: RealCluster
  let admin: Kube & Disposable
  let platform: TestPlatform
  let home: string
  let adminFile: string
  let developer: Developer
  let dryRun: { readonly out: string; readonly err: string; readonly namespaces: readonly string[] }
  const cleanup = new AsyncDisposableStack()

  const until = <T>(what: string, condition: () => Promise<T | undefined | false>): Promise<T> =>
    waitFor(systemClock, what, condition, { timeoutMs: WAIT_MS, everyMs: 300 })
  const cluster = (): Promise<Record<string, unknown>> => developer.cli.json('cluster', 'show', 'real')
  const stateOf = async (): Promise<unknown> => ((await cluster())['health'] as { state: string }).state
  const accountWith = (token: string): Kube & Disposable => {
    const { access } = parseKubeconfig(readFileSync(real.kubeconfigPath, 'utf8'))
    return kubeClient({
      access: { ...access, credentials: { token } },
      clock: systemClock,
      userAgent: 'slipway-fleet-test',
    })
  }
  const secretsOfTokens = async (): Promise<readonly string[]> =>
    (await admin.list('secrets', { namespace: SYSTEM })).items.map(({ metadata }) => metadata.name)
  const namespacesNow = async (): Promise<readonly string[]> =>
    (await admin.list('namespaces')).items.map(({ metadata }) => metadata.name)

  async function registerAndForget(cli: Cli): Promise<void> {
    const before = await namespacesNow()
    const tried = await cli.succeed(['cluster', 'register', 'real', '--kubeconfig', adminFile, '--dry-run'])
    const after = await namespacesNow()
    dryRun = { ...tried, namespaces: after.filter((name) => !before.includes(name)) }
    await cli.succeed(['cluster', 'register', 'real', '--kubeconfig', adminFile, '--default'])
    await rm(adminFile)
  }

  async function startRelease(tag: string): Promise<void> {
    const secret = String((await developer.cli.json('token', 'create', `ci-${tag}`))['secret'])
    const program = `require('node:http').createServer((_, r) => r.end('${tag}')).listen(process.env.PORT)`
    const image = await pushProgram(platform, { secret, repository: 'shop/web', tag, program })
    const how = ['--image', image, '--steps', '1,person,rest', '--instances', 'web=2', '--detach']
    await developer.cli.succeed(['release', 'start', WORKLOAD, ...how])
  }

  /** Whether a Deployment would be refused. */
  async function isDenied(namespace: string): Promise<boolean> {
    const [one] = (await admin.list('deployments', { namespace })).items
    const body = { metadata: { annotations: { tried: 'true' } } }
    const name = one?.metadata.name ?? ''
    const tried = admin.patch('deployments', { namespace, name }, { type: 'merge', body }, { dryRun: true })
    return (await refusalOf(tried)) === '403 Forbidden'
  }

  async function release(tag: string): Promise<void> {
    await startRelease(tag)
    await developer.reaches('WaitPerson', 0)
    await developer.cli.succeed(['gate', 'approve', WORKLOAD])
    await developer.reaches('Done')
  }

  beforeAll(async () => {
    real = cleanup.use(await startRealCluster({ kwokNodes: 2 }))
    const { access } = parseKubeconfig(readFileSync(real.kubeconfigPath, 'utf8'))
    admin = cleanup.use(kubeClient({ access, clock: systemClock, userAgent: 'slipway-fleet-test' }))
    home = await makeHome()
    cleanup.defer(() => removeHome(home))
    adminFile = join(home, 'admin.yaml')
    await copyFile(real.kubeconfigPath, adminFile)
    platform = cleanup.use(await testPlatform())
    await settleForeigner(admin)
    cleanup.use(await standInForGateway(admin))
    developer = await settleIn(platform, home, registerAndForget)
  }, 240_000)
  afterAll(() => cleanup.disposeAsync(), 120_000)

  test('a dry run shows what would be applied, and applies nothing', async () => {
    for (const kind of ['ServiceAccount', 'ClusterRole', 'ValidatingAdmissionPolicy'])
      expect(dryRun.err).toContain(`kind: ${kind}\n`)
    expect(dryRun.namespaces).toEqual([])
    const { out } = await developer.cli.succeed(['cluster', 'manifest'])
    expect(dryRun.err).toContain(out.trim())
  })

  test('a release, a second one and the way back work without the kubeconfig of the administrator', async () => {
    await release('a')
    await release('b')
    await developer.cli.succeed(['release', 'rollback', WORKLOAD])
    expect((await developer.releases()).map(({ state }) => state)).toEqual(['Done', 'Done', 'Done'])
    const instances = await developer.cli.json('instance', 'list', WORKLOAD)
    expect(instances).not.toHaveLength(0)
  })

  test('health names version, capacity, ends of credentials and certificate, the clock and what is missing', async () => {
    const shown = await until('the facts to be read', async () => {
      const one = await cluster()
      return one['capacity'] === null || one['certificateExpiresAt'] === null ? undefined : one
    })
    expect(shown).toMatchObject({
      version: 'v1.35.4',
      capacity: { nodes: 2, nodesReady: 2, cpuCores: 64, instancesMax: 2_000 },
      credentials: { kind: 'service-account', expiresAt: expect.stringMatching(/^20/u) as string },
      warnings: ['metrics-missing'],
    })
    expect(Math.abs(Number(shown['clockSkewSeconds']))).toBeLessThan(5)
    const ran = await developer.cli.succeed(['cluster', 'show', 'real'])
    expect(ran.err).toContain('Install metrics-server')
  })

  test('the account may do in a namespace of its own what releases, builds, logs and terminals ask for', async () => {
    const { namespace } = await developer.cli.json('workload', 'show', WORKLOAD)
    const { token } = await admin.requestToken({ namespace: SYSTEM, name: 'slipway' }, { lifeSeconds: 3_600 })
    using kube = accountWith(token)
    const needed = neededThings(String(namespace))
    const answers = await Promise.all(needed.map((question) => isAllowed(kube, question)))
    expect(needed.filter((_, index) => answers[index] !== true)).toEqual([])
  })

  test('the API server refuses whatever the account must not do', async () => {
    const workload = await developer.cli.json('workload', 'show', WORKLOAD)
    const { token } = await admin.requestToken({ namespace: SYSTEM, name: 'slipway' }, { lifeSeconds: 3_600 })
    using kube = accountWith(token)
    const things = forbiddenThings(String(workload['namespace']))
    expect(things.length).toBeGreaterThanOrEqual(20)
    const refusals = await Promise.all(things.map(([, attempt]) => refusalOf(attempt(kube))))
    expect(Object.fromEntries(things.map(([name], index) => [name, refusals[index]]))).toEqual(
      Object.fromEntries(things.map(([name]) => [name, '403 Forbidden'])),
    )
  })

  test('a second platform is told whose the Cluster is, and a second name for it is refused', async () => {
    await copyFile(real.kubeconfigPath, adminFile)
    const again = await developer.cli.run('cluster', 'register', 'twice', '--kubeconfig', adminFile)
    expect(again).toMatchObject({ exit: 5, out: '' })
    expect(again.err).toContain('registered already, as real')
    await using other = await testPlatform()
    const operator = await other.becomeOperator()
    const body = { slug: 'stolen', kubeconfig: readFileSync(adminFile, 'utf8') }
    const answer = await other.call('POST', '/v1/clusters', { secret: operator, body })
    expect(answer).toMatchObject({ status: 409, body: { error: { code: 'cluster_owned' } } })
    expect((answer.body['error'] as { message: string }).message).toContain(new URL(platform.url).origin)
    await rm(adminFile)
  })

  test('a rotated token takes the place of the one before, which the server then refuses', async () => {
    expect(await secretsOfTokens()).toEqual(['slipway-credential-1'])
    await developer.cli.succeed(['cluster', 'rotate-credentials', 'real'])
    await until('the first token to be revoked', async () => {
      const names = await secretsOfTokens()
      return names.length === 1 && names[0] === 'slipway-credential-2'
    })
    await release('c')
    expect(await stateOf()).toBe('ready')
  })

  test('a revoked credential is told with its next step, and registering again keeps id and Workloads', async () => {
    const { id } = await cluster()
    await admin.remove('secrets', { namespace: SYSTEM, name: 'slipway-credential-2' })
    await until('the state to be credentials', async () => (await stateOf()) === 'credentials')
    const refused = await developer.cli.run('cluster', 'nodes', 'real')
    expect(refused.err).toContain('slipway cluster renew-credentials real --kubeconfig')
    await copyFile(real.kubeconfigPath, adminFile)
    await developer.cli.succeed(['cluster', 'renew-credentials', 'real', '--kubeconfig', adminFile])
    await rm(adminFile)
    await until('the Cluster to be ready', async () => (await stateOf()) === 'ready')
    expect(await cluster()).toMatchObject({ id, credentials: { kind: 'service-account' } })
    await release('d')
  })

  test('rights that were taken away are told like a refused credential', async () => {
    const role = await admin.get('clusterrolebindings', { name: 'slipway-platform' })
    await admin.remove('clusterrolebindings', { name: 'slipway-platform' })
    await until('the state to be credentials', async () => (await stateOf()) === 'credentials')
    const { roleRef, subjects = [] } = role
    await admin.create('clusterrolebindings', { metadata: { name: 'slipway-platform' }, roleRef, subjects })
    await until('the Cluster to be ready', async () => (await stateOf()) === 'ready')
  })

  test('an API server that falls silent is unknown within 15 s, and ready when it answers again', async () => {
    killProcess(real.apiServer, 'SIGSTOP')
    try {
      await waitFor(systemClock, 'the state to be unknown', async () => (await stateOf()) === 'unknown', {
        timeoutMs: 15_000,
        everyMs: 200,
      })
    } finally {
      killProcess(real.apiServer, 'SIGCONT')
    }
    await until('the Cluster to be ready', async () => (await stateOf()) === 'ready')
    await release('e')
  })

  test('what the Cluster refuses is told with the next step, and the Release goes on once it does not', async () => {
    const namespace = String((await developer.cli.json('workload', 'show', WORKLOAD))['namespace'])
    const metadata = { name: 'small', namespace }
    const tells = (words: string): Promise<unknown> =>
      until(`the Release to say ${words}`, async () =>
        (await developer.cli.run('release', 'show', WORKLOAD)).out.includes(words),
      )
    await admin.create('resourcequotas', { metadata, spec: { hard: { pods: '0' } } })
    await until('the quota to be in force', async () => {
      const { status } = await admin.get('resourcequotas', metadata)
      return status?.hard?.['pods'] === '0'
    })
    await startRelease('f')
    await tells('the quota of its namespace')
    await admin.remove('resourcequotas', metadata)
    await developer.reaches('WaitPerson', 0)
    await developer.cli.succeed(['gate', 'approve', WORKLOAD])
    await developer.reaches('Done')

    const policy = { name: 'owners' }
    const resourceRules = [
      {
        apiGroups: ['apps'],
        apiVersions: ['v1'],
        resources: ['deployments'],
        operations: ['CREATE', 'UPDATE'],
      },
    ]
    const validations = [{ expression: 'false', message: 'no owner', reason: 'Forbidden' }]
    await admin.create('validatingadmissionpolicies', {
      metadata: policy,
      spec: { failurePolicy: 'Fail', matchConstraints: { resourceRules }, validations },
    })
    const binding = { policyName: 'owners', validationActions: ['Deny'] }
    await admin.create('validatingadmissionpolicybindings', { metadata: policy, spec: binding })
    await until('the policy to be in force', () => isDenied(namespace))
    await startRelease('g')
    await tells('an admission webhook or policy')
    await admin.remove('validatingadmissionpolicybindings', policy)
    await admin.remove('validatingadmissionpolicies', policy)
    await developer.reaches('WaitPerson', 0)
    await developer.cli.succeed(['gate', 'approve', WORKLOAD])
    await developer.reaches('Done')
  })

  test('a Workload is deleted with all that it had, also one that never ran', async () => {
    const { namespace } = await developer.cli.json('workload', 'show', WORKLOAD)
    await developer.cli.succeed(['application', 'create', 'shop/idle'])
    await developer.cli.succeed(['workload', 'create', 'shop/idle/production'])
    await developer.cli.succeed(['workload', 'delete', 'shop/idle/production', '--yes'])
    await developer.cli.succeed(['workload', 'delete', WORKLOAD, '--yes'])
    await until('both to be gone', async () => {
      const list = (await developer.cli.json('workload', 'list', '--project', 'shop')) as unknown
      return Array.isArray(list) && list.length === 0
    })
    const left: string[] = []
    for await (const { metadata } of eachObject(admin, 'deployments', { namespace: String(namespace) }))
      left.push(metadata.name)
    expect(left).toEqual([])
    expect(await findObject(admin, 'namespaces', { name: 'foreign' })).toBeDefined()
  })
})
