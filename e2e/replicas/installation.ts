/*
 * Two replicas of the platform, each a process with a data folder of its own: what they share is PostgreSQL and a bucket. An
 * embedded cluster is the one that Instances run on.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { testDatabase, type TestDatabase } from '@slipway/db/testing'
import { isRecord, newMasterKey, parseJson, systemClock, waitFor } from '@slipway/kit'
import { kubeClient, parseKubeconfig, type Kube } from '@slipway/kube'
import { migrations } from '@slipway/platform'
import { createClient, type Client } from '@slipway/sdk'
import { freePort, testCluster } from '@slipway/testkit'

import { findMinio } from '../../tools/oci/minio.ts'
import { checkout, makeHome } from '../journey/product.ts'
import { openBalancer } from './balancer.ts'

const START_MS = 120_000
const HEALTH_MS = 250
const PASSWORD = 'a long test password'

export type Replica = {
  readonly name: string
  readonly url: string
  /** What it logged since it was started, as JSON lines. */
  readonly log: () => readonly Readonly<Record<string, unknown>>[]
  readonly isAlive: () => boolean
  readonly isLeading: () => boolean
  /** @throws {Error} with what it said when it ends instead of being ready */
  readonly start: () => Promise<void>
  /** @returns the exit code once it is gone */
  readonly signal: (signal: 'SIGKILL' | 'SIGTERM') => Promise<number | null>
  readonly freeze: () => void
  readonly thaw: () => void
  /** The API as this replica answers it. */
  readonly api: () => Client
}

export type Installation = AsyncDisposable & {
  readonly replicas: readonly [Replica, Replica]
  /** The one that leads, once there is one among those that run. */
  readonly leader: () => Promise<Replica>
  readonly otherThan: (replica: Replica) => Replica
  /** The address in front of both. */
  readonly url: string
  readonly secret: string
  readonly kube: Kube
  /** A folder below which sources may lie. */
  readonly home: string
  readonly database: TestDatabase
}

/** A text says why this machine cannot have it. */
export async function findInstallation(): Promise<(() => Promise<Installation>) | string> {
  const minio = await findMinio()
  return typeof minio === 'string' ? minio : () => openInstallation(minio)
}

async function openInstallation(
  startMinio: Exclude<Awaited<ReturnType<typeof findMinio>>, string>,
): Promise<Installation> {
  await using parts = new AsyncDisposableStack()
  const home = await makeHome()
  parts.defer(() => rm(home, { recursive: true, force: true }))
  const minio = parts.use(await startMinio())
  const database = parts.use(await testDatabase({ migrations }))
  const cluster = parts.use(await testCluster())
  const { access } = parseKubeconfig(await readFile(cluster.kubeconfigPath, 'utf8'))
  const kube = parts.use(kubeClient({ access, clock: systemClock, userAgent: 'slipway-replicas' }))
  let replicas: readonly Made[] = []
  // As a Service does: callers go where the platform says that it can serve.
  const ready = new Set<string>()
  const asking = systemClock.every(HEALTH_MS, () => {
    for (const one of replicas)
      void isReady(one.url).then((is) => (is ? ready.add(one.name) : ready.delete(one.name)))
  })
  parts.defer(() => asking[Symbol.dispose]())
  const balancer = parts.use(
    await openBalancer(() =>
      replicas.filter((one) => one.isAlive() && ready.has(one.name)).map(({ port }) => port),
    ),
  )
  const { endpoint, bucket, region, prefix, credentials } = minio.bucketAt('replicas/')
  const shared = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    DATABASE_URL: database.appUrl,
    DATABASE_OWNER_URL: database.ownerUrl,
    SLIPWAY_MASTER_KEY: newMasterKey().toString('base64'),
    SLIPWAY_PUBLIC_URL: `http://localhost:${balancer.port}`,
    SLIPWAY_LOCAL_KUBECONFIG: cluster.kubeconfigPath,
    SLIPWAY_LOCAL_SOURCE_ROOTS: home,
    SLIPWAY_S3_ENDPOINT: endpoint,
    SLIPWAY_S3_BUCKET: bucket,
    SLIPWAY_S3_REGION: region,
    SLIPWAY_S3_PREFIX: prefix,
    SLIPWAY_S3_ACCESS_KEY: credentials.accessKey,
    SLIPWAY_S3_SECRET_KEY: credentials.secretKey,
    SLIPWAY_DRAIN_SECONDS: '2',
    SLIPWAY_LOG_LEVEL: 'info',
  }
  const secret = { text: '' }
  const [a, b] = [await makeReplica('A', shared, secret), await makeReplica('B', shared, secret)]
  replicas = [a, b]
  for (const one of replicas) parts.defer(() => one.remove())
  await a.start()
  await b.start()
  await waitFor(systemClock, 'both to take requests', () => ready.size === 2, { timeoutMs: START_MS })
  // Each start makes the token anew while nobody has used it.
  const opened = await b.api().completeFirstRun({
    token: b.firstRunToken(),
    name: 'admin',
    password: PASSWORD,
    delivery: 'bearer',
  })
  secret.text = opened.secret ?? ''
  const owned = parts.move()
  return {
    replicas: [a, b],
    leader: () =>
      waitFor(systemClock, 'a leader', () => replicas.find((one) => one.isAlive() && one.isLeading()), {
        timeoutMs: START_MS,
      }),
    otherThan: (replica) => (replica.name === a.name ? b : a),
    url: shared.SLIPWAY_PUBLIC_URL,
    secret: secret.text,
    kube,
    home,
    database,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Whether it takes requests now. */
async function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/v1/health`, { signal: AbortSignal.timeout(2_000) }).then(
    ({ ok }) => ok,
    () => false,
  )
}

type Made = Replica & {
  readonly port: number
  readonly firstRunToken: () => string
  readonly remove: () => Promise<void>
}

async function makeReplica(
  name: string,
  shared: Readonly<Record<string, string | undefined>>,
  secret: { readonly text: string },
): Promise<Made> {
  const folder = await mkdtemp(join(tmpdir(), `slipway-replica-${name}-`))
  const port = await freePort()
  const url = `http://localhost:${port}`
  let child: ChildProcess | undefined
  let said = ''
  let frozen = false
  let firstRunToken = ''
  const isAlive = (): boolean => child !== undefined && child.exitCode === null && child.signalCode === null
  const log: Replica['log'] = () => said.split('\n').flatMap((line) => recordOf(line))
  const freeze = (on: boolean): void => {
    frozen = on
    child?.kill(on ? 'SIGSTOP' : 'SIGCONT')
  }
  const signal: Replica['signal'] = async (which) => {
    if (child === undefined || !isAlive()) return child?.exitCode ?? null
    const gone = once(child, 'exit')
    child.kill(which)
    const [code] = (await gone) as [number | null]
    return code
  }
  return {
    name,
    url,
    port,
    log,
    isAlive,
    isLeading: () =>
      log().findLast(({ msg }) => msg === 'leading' || msg === 'no longer leading')?.['msg'] === 'leading',
    async start() {
      said = ''
      frozen = false
      child = spawn(
        process.execPath,
        ['--conditions=source', join(checkout, 'packages/platform/src/main.ts')],
        {
          stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
          env: { ...shared, SLIPWAY_PORT: String(port), SLIPWAY_DATA: folder },
        },
      )
      child.stderr?.on('data', (part: Buffer) => (said += part.toString('utf8')))
      const told: unknown[] = []
      child.on('message', (message) => told.push(message))
      const ready = await waitFor(
        systemClock,
        `replica ${name} to be ready`,
        () => {
          if (!isAlive()) throw new Error(`replica ${name} ended: ${said.slice(-2_000)}`)
          return told.find((message) => isRecord(message) && message['type'] === 'ready')
        },
        { timeoutMs: START_MS },
      )
      const token = isRecord(ready) ? ready['firstRunToken'] : undefined
      firstRunToken = typeof token === 'string' ? token : ''
    },
    signal,
    freeze: () => freeze(true),
    thaw: () => freeze(false),
    api: () =>
      createClient({ server: url, ...(secret.text === '' ? {} : { credentials: { bearer: secret.text } }) }),
    firstRunToken: () => firstRunToken,
    async remove() {
      if (frozen) freeze(false)
      await signal('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function recordOf(line: string): Readonly<Record<string, unknown>>[] {
  if (!line.startsWith('{') || !line.endsWith('}')) return []
  const parsed = parseJson(line)
  return isRecord(parsed) ? [parsed] : []
}
