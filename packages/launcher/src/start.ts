import { mkdir, readFile, statfs } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

import { consoleFolder } from '@slipway/console'
import type { Log } from '@slipway/db'
import { DAY_MS, isRecord, MIB, must, parseJson, SECOND_MS, systemClock, type AppError } from '@slipway/kit'
import type { Language, LauncherKey } from '@slipway/messages'

import type { ChildMessage, ChildOptions } from './child.ts'
import { buildConsoleInBackground } from './console-build.ts'
import { openDataFolder, type DataFolder } from './data-folder.ts'
import { givenDatabase, ownDatabase } from './database.ts'
import { dataFolderErrors } from './data-folder-errors.ts'
import { lockDataFolder } from './data-folder-lock.ts'
import { refuseHalfRestored } from './keep/marker.ts'
import { openChildrenFile, type ChildrenFile } from './leftovers.ts'
import { openLogFile, type LogFile } from './log-file.ts'
import { openMasterKey } from './master-key.ts'
import { GATEWAY_PORT, type Options } from './options.ts'
import { chooseOwnPorts } from './own-ports.ts'
import {
  clusterArgument,
  clusterEnvironment,
  inheritedEnvironment,
  platformEnvironment,
  type DatabaseUrls,
  type Environment,
  type Ports,
} from './parts.ts'
import { keepPorts, readPorts } from './ports-file.ts'
import { settlePorts } from './ports.ts'
import { openRunFile, type RunInfo } from './run-file.ts'
import { watchRoom } from './room-watch.ts'
import { provideNode } from './runtimes.ts'
import { sampleProblemOf } from './sample-problem.ts'
import { supervise, type Supervised } from './supervise.ts'
import { settleTransport, watchTransport, type Transport } from './transport.ts'

const READY_MS = 120 * SECOND_MS
const PLATFORM_STOP_MS = 20 * SECOND_MS
/** Instances get 10 s to end, and their last requests too. */
const CLUSTER_STOP_MS = 45 * SECOND_MS
/** How long a port may still be held by a start that has just been killed. */
const PORT_PATIENCE_MS = 15 * SECOND_MS
/** A new database and its first log take about 100 MB; less than that breaks in the middle of something. */
const ROOM_MIN_BYTES = 160 * MIB
/** So long before its end a certificate is told of. */
const CERTIFICATE_SOON_MS = 21 * DAY_MS
/** The Workload of the sample is there a moment after the platform; its address belongs onto the page. */
const SAMPLE_KNOWN_MS = 6 * SECOND_MS

/**
 * V8 lets the space for young objects grow to 32 MB and does not give it back. With 4 MB an idle installation takes about
 * 80 MB less in both children together, for more frequent but short collections.
 */
const CHILD_FLAGS = ['--max-semi-space-size=4']

export const checkout = fileURLToPath(new URL('../../../', import.meta.url))

export type StartInput = {
  readonly options: Options
  readonly environment: Environment
  /** Of the person, for what is told in sentences. */
  readonly language: Language
  /** Aborted when the start is given up. */
  readonly signal: AbortSignal
  /** Tells a person what happens. */
  readonly say: (key: LauncherKey, params?: Readonly<Record<string, string | number>>) => void
}

export type Running = AsyncDisposable & {
  readonly info: () => RunInfo
  readonly runFile: string
  readonly logsFolder: string
  /** Resolves when a part has ended and is not started again. */
  readonly broken: Promise<AppError>
}

type Start = StartInput & {
  readonly folder: DataFolder
  readonly logsFolder: string
  readonly children: ChildrenFile
  readonly log: Log
  /** Undefined for plain HTTP. */
  readonly transport: Transport | undefined
}

/**
 * Starts everything, in the order in which each part needs the one before: data folder and its lock, master key, PostgreSQL,
 * the embedded cluster, the platform. Disposing ends it all in reverse.
 * @throws {AppError | Error} with what to do; what was started is down again
 */
export async function start(input: StartInput): Promise<Running> {
  const { options, environment, signal, say } = input
  await using parts = new AsyncDisposableStack()
  const version = await ownVersion()
  // npm runs scripts in the checkout and says in INIT_CWD where the person stood.
  const calledIn = environment['INIT_CWD'] ?? process.cwd()
  const folder = await openDataFolder({
    checkoutFolder: checkout,
    version,
    ...(options.data === undefined ? {} : { dataFolder: resolve(calledIn, options.data) }),
  })
  await refuseHalfRestored(folder.path)
  const lock = parts.use(await lockDataFolder(folder.path, systemClock))
  const logsFolder = join(folder.path, 'logs')
  await mkdir(logsFolder, { recursive: true, mode: 0o700 })
  const ownLog = parts.use(openLogFile(join(logsFolder, 'launcher.log')))
  const children = openChildrenFile(folder.path, systemClock)
  const leftCount = await children.clear(signal)
  await refuseFullDisk(folder)
  await openMasterKey(folder)
  const ports = await settle(folder, options, {
    patienceMs: leftCount > 0 ? PORT_PATIENCE_MS : 0,
    signal,
  })
  await lock.setAddress(options.publicUrl ?? `http://localhost:${ports.platform}`)

  const log = logTo(ownLog)
  const transport = await openTransport(parts, { options, folder, calledIn, log, say })
  const started: Start = { ...input, folder, logsFolder, children, log, transport }
  const node = await provideNode(folder)
  signal.throwIfAborted()
  say('step.database')
  const database = givenDatabase(environment) ?? (await ownDatabase(parts, folder, started.log))
  say('step.cluster')
  const cluster = parts.use(await startCluster(started, { ports, node }))
  say('step.platform')
  const kubeconfig = String(cluster.ready()['kubeconfigPath'])
  const runFile = parts.use(openRunFile(folder.path))
  parts.use(watchRoom({ folder: folder.path, clock: systemClock, say }))
  const told = infoBoard(started, {
    gatewayUrl: String(cluster.ready()['gatewayUrl']),
    kubeconfig,
    write: runFile.write,
  })
  const consoleAt = await consoleFolder()
  const platform = parts.use(
    await startPlatform(started, { ports, database, kubeconfig, consoleAt, onMessage: told.onMessage }),
  )
  parts.use(prepareConsole(started, consoleAt))
  if (options.sample) await told.sampleKnown(signal)
  // Whoever is told now that it is ready finds everything in the file.
  await runFile.write(told.info())
  const owned = parts.move()
  return {
    info: told.info,
    runFile: runFile.path,
    logsFolder,
    broken: Promise.race([cluster.gaveUp, platform.gaveUp]),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Of the product. */
export async function ownVersion(): Promise<string> {
  const manifest = parseJson(await readFile(join(checkout, 'package.json'), 'utf8'))
  return isRecord(manifest) && typeof manifest['version'] === 'string' ? manifest['version'] : '0.0.0'
}

/** Settles how the platform proves itself, keeps that from ending, and tells of an end that only its owner can put off. */
async function openTransport(
  parts: AsyncDisposableStack,
  about: {
    readonly options: Options
    readonly folder: DataFolder
    readonly calledIn: string
    readonly log: Log
    readonly say: StartInput['say']
  },
): Promise<Transport | undefined> {
  const { options, folder, calledIn, log, say } = about
  const { tls: choice, publicUrl, listen } = options
  const input = { choice, publicUrl, listen, keysFolder: folder.keysFolder, folder: calledIn }
  const now = systemClock.now()
  const transport = await settleTransport({ ...input, now })
  if (transport && transport.validUntil.getTime() - now.getTime() < CERTIFICATE_SOON_MS)
    say('certificate.soon', { until: transport.validUntil.toISOString().slice(0, 10) })
  parts.use(
    watchTransport(input, {
      clock: systemClock,
      onError: (thrown) => log.error({ err: String(thrown) }, 'the certificate could not be made anew'),
    }),
  )
  return transport
}

async function refuseFullDisk(folder: DataFolder): Promise<void> {
  const { bavail, bsize } = await statfs(folder.path)
  if (bavail * bsize < ROOM_MIN_BYTES) throw dataFolderErrors.data_folder_full({ folder: folder.path })
}

async function settle(
  { path }: DataFolder,
  options: Options,
  { patienceMs, signal }: { readonly patienceMs: number; readonly signal: AbortSignal },
): Promise<Ports> {
  const last = await readPorts(path)
  const settled = await settlePorts(
    [
      { port: options.port, preferred: last.platform, address: options.listen, flag: '--port' },
      { port: options.gatewayPort, preferred: last.gateway, address: options.listen, flag: '--gateway-port' },
      { port: options.clusterPort, preferred: last.cluster, address: '127.0.0.1', flag: '--cluster-port' },
    ],
    { clock: systemClock, patienceMs, signal },
  )
  const [platform, gateway, cluster] = settled.map((port) => must(port, 'every port was settled'))
  const ports = {
    platform: must(platform, 'three ports were asked for'),
    gateway: must(gateway, 'three ports were asked for'),
    cluster: must(cluster, 'three ports were asked for'),
    own: last.own ?? (await chooseOwnPorts(path, options.gatewayPort === GATEWAY_PORT)),
  }
  await keepPorts(path, ports)
  return ports
}

/** A child that is started again when it dies, with a log of its own. */
async function startPart(
  { say, children, signal, logsFolder }: Start,
  options: Omit<ChildOptions, 'node' | 'clock' | 'readyMs' | 'log'>,
  onReady: (message: ChildMessage) => void = () => undefined,
): Promise<Supervised> {
  const { name } = options
  const log = openLogFile(join(logsFolder, `${name}.log`))
  let isFirst = true
  try {
    const part = await supervise(
      {
        clock: systemClock,
        options: { ...options, node: process.execPath, clock: systemClock, readyMs: READY_MS, log },
        onEnded: (how) => say('part.ended', { part: name, how }),
        onStarted: async ({ pid, ready }) => {
          await children.record(pid)
          onReady(ready)
          if (!isFirst) say('part.back', { part: name })
          isFirst = false
        },
      },
      signal,
    )
    return {
      ...part,
      [Symbol.asyncDispose]: async () => {
        await part[Symbol.asyncDispose]()
        log[Symbol.dispose]()
      },
    }
  } catch (thrown) {
    log[Symbol.dispose]()
    throw thrown
  }
}

function startCluster(
  start: Start,
  { ports, node }: { readonly ports: Ports; readonly node: string },
): Promise<Supervised> {
  const { folder, options, environment } = start
  return startPart(start, {
    name: 'cluster',
    nodeFlags: CHILD_FLAGS,
    script: join(checkout, 'packages/minicluster/src/main.ts'),
    args: [clusterArgument({ folder, options, ports, node, environment })],
    env: clusterEnvironment(environment, start.transport),
    stopMs: CLUSTER_STOP_MS,
  })
}

function prepareConsole({ environment, logsFolder }: Start, folder: string): AsyncDisposable {
  const log = openLogFile(join(logsFolder, 'console.log'))
  const building = buildConsoleInBackground({
    folder,
    checkout,
    env: inheritedEnvironment(environment),
    log,
  })
  return {
    async [Symbol.asyncDispose]() {
      await building[Symbol.asyncDispose]()
      log[Symbol.dispose]()
    },
  }
}

type PlatformStart = {
  readonly ports: Ports
  readonly database: DatabaseUrls
  readonly kubeconfig: string
  /** Where the built console lies, now or soon. */
  readonly consoleAt: string
  readonly onMessage: (message: ChildMessage) => void
}

function startPlatform(
  start: Start,
  { ports, database, kubeconfig, consoleAt, onMessage }: PlatformStart,
): Promise<Supervised> {
  const { folder, options, environment } = start
  return startPart(
    start,
    {
      name: 'platform',
      nodeFlags: CHILD_FLAGS,
      script: join(checkout, 'packages/platform/src/main.ts'),
      args: [],
      env: platformEnvironment({
        folder,
        options,
        ports,
        database,
        kubeconfig,
        consoleAt,
        checkout,
        environment,
        transport: start.transport,
      }),
      stopMs: PLATFORM_STOP_MS,
      onMessage,
    },
    onMessage,
  )
}

type Board = {
  readonly info: () => RunInfo
  readonly onMessage: (message: ChildMessage) => void
  /** Resolves when the address of the sample is known, or it takes longer than a page can wait for. */
  readonly sampleKnown: (signal: AbortSignal) => Promise<void>
}

/** Keeps what the platform says of itself, and `run.json` in step with it. */
function infoBoard(
  { say, log, language, transport }: Start,
  facts: {
    readonly gatewayUrl: string
    readonly kubeconfig: string
    readonly write: (info: RunInfo) => Promise<void>
  },
): Board {
  const { gatewayUrl, kubeconfig, write } = facts
  let info: RunInfo = {
    url: '',
    gatewayUrl,
    kubeconfig,
    authority: transport?.authority ?? null,
    authorityFingerprint: transport?.fingerprint ?? null,
    firstRunToken: null,
    sampleUrl: null,
    sampleProblem: null,
    pid: process.pid,
  }
  let isFirst = true
  let known: () => void = () => undefined
  const isKnown = new Promise<void>((resolve) => (known = resolve))
  return {
    info: () => info,
    onMessage(message) {
      const { type, url, firstRunToken, sampleUrl, trouble } = message
      if (type === 'ready') {
        const token = typeof firstRunToken === 'string' ? firstRunToken : null
        if (!isFirst && token !== null) say('token.renewed', { token })
        isFirst = false
        info = { ...info, url: String(url), firstRunToken: token }
      } else if (type === 'sample' && (typeof sampleUrl === 'string' || sampleUrl === null)) {
        info = { ...info, sampleUrl, sampleProblem: sampleProblemOf(language, trouble) }
        known()
      } else return
      // The sample may be known before the platform answers; the file waits for both.
      if (info.url === '') return
      write(info).catch((thrown: unknown) =>
        log.error({ err: String(thrown) }, 'run.json could not be written'),
      )
    },
    async sampleKnown(signal) {
      const waiting = new AbortController()
      const both = AbortSignal.any([signal, waiting.signal])
      await Promise.race([isKnown, systemClock.sleep(SAMPLE_KNOWN_MS, both).catch(() => undefined)])
      waiting.abort(new Error('no longer waiting'))
      signal.throwIfAborted()
    },
  }
}

function logTo(file: LogFile): Log {
  const writer =
    (level: string) =>
    (fields: object, message: string): void =>
      file.write(`${JSON.stringify({ at: systemClock.now(), level, message, ...fields })}\n`)
  return { info: writer('info'), warn: writer('warn'), error: writer('error') }
}
