import { once } from 'node:events'
import { rename, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { startEmbeddedPostgres, type Log } from '@slipway/db'
import { systemClock, systemRandom } from '@slipway/kit'

import { startChild, type Child } from './child.ts'
import { openDataFolder, type DataFolder } from './data-folder.ts'
import { lockDataFolder } from './data-folder-lock.ts'
import { openMasterKey } from './master-key.ts'
import type { Options } from './options.ts'
import { provideNode } from './runtimes.ts'

const READY_MS = 120_000
const STOP_MS = 60_000
const VERSION = '0.1.0'
const checkout = fileURLToPath(new URL('../../../', import.meta.url))

/** Where everything answers, as `run.json` tells it. */
export type RunInfo = {
  readonly url: string
  readonly gatewayUrl: string
  readonly kubeconfig: string
  readonly firstRunToken: string | null
  readonly sampleUrl: string | null
  readonly pid: number
}

export type Running = AsyncDisposable & {
  readonly info: RunInfo
  readonly runFile: string
  /** Resolves with a sentence when a part ends that nobody told to end. */
  readonly broken: Promise<string>
}

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Starts everything, in the order in which each part needs the one before: data folder and its lock, master key, PostgreSQL,
 * the embedded cluster, the platform. Disposing ends it all in reverse.
 * @throws {AppError | Error} with what to do; what was started is down again
 */
export async function start(options: Options, environment: Environment, log: Log): Promise<Running> {
  await using parts = new AsyncDisposableStack()
  const clock = systemClock
  const folder = await openDataFolder({
    checkoutFolder: checkout,
    version: VERSION,
    ...(options.data === undefined ? {} : { dataFolder: options.data }),
  })
  const lock = parts.use(await lockDataFolder(folder.path, clock))
  await openMasterKey(folder)
  const node = await provideNode(folder)
  const database = await databaseUrls(parts, folder, { environment, log })
  const port = await settledPort(options.port)
  await lock.setAddress(options.publicUrl ?? `http://localhost:${port}`)

  const cluster = parts.use(await startCluster(folder, { options, node, port, environment }))
  const platform = parts.use(
    await startPlatformChild(folder, { options, environment, port, database, cluster }),
  )
  const info: RunInfo = {
    url: String(platform.ready['url']),
    gatewayUrl: String(cluster.ready['gatewayUrl']),
    kubeconfig: String(cluster.ready['kubeconfigPath']),
    firstRunToken: textOrNull(platform.ready['firstRunToken']),
    sampleUrl: textOrNull(platform.ready['sampleUrl']),
    pid: process.pid,
  }
  const runFile = join(folder.path, 'run.json')
  await writeWhole(runFile, `${JSON.stringify(info, null, 2)}\n`)
  const owned = parts.move()
  return {
    info,
    runFile,
    broken: Promise.race([cluster.ended, platform.ended]),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

type Urls = { readonly app: string; readonly owner: string }

async function databaseUrls(
  parts: AsyncDisposableStack,
  folder: DataFolder,
  { environment, log }: { readonly environment: Environment; readonly log: Log },
): Promise<Urls> {
  const app = environment['DATABASE_URL']
  if (app !== undefined) {
    const owner = environment['DATABASE_OWNER_URL']
    if (owner === undefined)
      throw new Error(
        'DATABASE_URL is set, so DATABASE_OWNER_URL is needed too: the role that owns the tables and migrates them',
      )
    return { app, owner }
  }
  const postgres = parts.use(
    await startEmbeddedPostgres({
      dataFolder: folder.path,
      runtimesFolder: folder.runtimesFolder,
      clock: systemClock,
      random: systemRandom,
      log,
    }),
  )
  return { app: postgres.appUrl, owner: postgres.ownerUrl }
}

type ClusterStart = {
  readonly options: Options
  readonly node: string
  readonly port: number
  readonly environment: Environment
}

function startCluster(
  folder: DataFolder,
  { options, node, port, environment }: ClusterStart,
): Promise<Child> {
  const given = {
    dataFolder: join(folder.path, 'cluster'),
    apiPort: options.clusterPort,
    gatewayPort: options.gatewayPort,
    gatewayListen: options.listen,
    ownRegistry: `localhost:${port}`,
    hostPath: `${dirname(node)}:${environment['PATH'] ?? '/usr/local/bin:/usr/bin:/bin'}`,
    keepRunning: options.keepRunning,
  }
  return startChild({
    name: 'the embedded cluster',
    node: process.execPath,
    script: join(checkout, 'packages/minicluster/src/main.ts'),
    args: [JSON.stringify(given)],
    env: baseEnvironment(environment),
    clock: systemClock,
    readyMs: READY_MS,
    stopMs: STOP_MS,
  })
}

type PlatformStart = {
  readonly options: Options
  readonly environment: Environment
  readonly port: number
  readonly database: Urls
  readonly cluster: Child
}

function startPlatformChild(
  folder: DataFolder,
  { options, environment, port, database, cluster }: PlatformStart,
): Promise<Child> {
  const optional = {
    ...(options.publicUrl === undefined ? {} : { SLIPWAY_PUBLIC_URL: options.publicUrl }),
    ...(options.sample ? { SLIPWAY_SAMPLE: join(checkout, 'examples') } : {}),
    ...(options.listen === '127.0.0.1'
      ? { SLIPWAY_LOCAL_SOURCE_ROOTS: environment['HOME'] ?? checkout }
      : {}),
  }
  return startChild({
    name: 'the platform',
    node: process.execPath,
    script: join(checkout, 'packages/platform/src/main.ts'),
    args: [],
    env: {
      ...baseEnvironment(environment),
      DATABASE_URL: database.app,
      DATABASE_OWNER_URL: database.owner,
      SLIPWAY_MASTER_KEY_FILE: join(folder.keysFolder, 'master.key'),
      SLIPWAY_HOST: options.listen,
      SLIPWAY_PORT: String(port),
      SLIPWAY_ALLOW_PLAIN_HTTP: String(options.allowPlainHttp),
      SLIPWAY_DATA: folder.path,
      SLIPWAY_LOCAL_KUBECONFIG: String(cluster.ready['kubeconfigPath']),
      SLIPWAY_LOG_LEVEL: options.logLevel,
      // The lock of the data folder proves it, unless the database is shared.
      SLIPWAY_SOLE_REPLICA: String(environment['DATABASE_URL'] === undefined),
      ...optional,
    },
    clock: systemClock,
    readyMs: READY_MS,
    stopMs: STOP_MS,
  })
}

/** What a child inherits: nothing that could hold a secret of somebody else's. */
function baseEnvironment(environment: Environment): Record<string, string> {
  const kept = [
    'PATH',
    'HOME',
    'USER',
    'LOGNAME',
    'LANG',
    'LC_ALL',
    'TZ',
    'TMPDIR',
    'XDG_CACHE_HOME',
    'JAVA_HOME',
    'GOPROXY',
    'npm_config_registry',
    'PIP_INDEX_URL',
    'PIP_CONFIG_FILE',
    'NPM_CONFIG_USERCONFIG',
  ]
  return Object.fromEntries(
    kept.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]])),
  )
}

/** A port others are told before it is bound: a free one where none was asked for. */
async function settledPort(port: number): Promise<number> {
  if (port !== 0) return port
  const probe = createServer()
  probe.listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port: free } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return free
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

/** Whoever reads the file sees the old one or the new one, never half of it. */
async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 })
  await rename(`${path}.new`, path)
}
