import { migrate, openDatabase } from '@slipway/db'
import { AppError, envelopeOf, idsOf, SECOND_MS, systemClock, systemRandom, type Clock } from '@slipway/kit'
import { pino, type Logger } from 'pino'

import type { Platform } from './context.ts'
import { createDriver, settleSetting, type Reconciler } from './control/index.ts'
import { publicUrlOf } from './http/browser.ts'
import { acceptTls, isLoopback } from './http/tls/accept.ts'
import { openCertificate } from './http/tls/certificate.ts'
import { consoleSite } from './http/console/index.ts'
import { housekeeping } from './http/housekeeping.ts'
import { collectRoutes } from './http/routes.ts'
import { createServer } from './http/server.ts'
import { systemRoutes } from './http/system.ts'
import { migrations } from './migrations/index.ts'
import { modulesOf, type Modules } from './modules/index.ts'
import { renewFirstRun } from './modules/identity/index.ts'
import { sampleReconciler, type SampleWord } from './sample/index.ts'
import type { Settings } from './settings.ts'
import type { Tables } from './tables.ts'
import { VERSION } from './version.ts'

export type RunningPlatform = AsyncDisposable & {
  /** The address people and programs use. */
  readonly url: string
  /** Turns its holder into the first administrator; undefined once there is one. */
  readonly firstRunToken: string | undefined
  readonly port: number
}

export type PlatformParts = {
  readonly clock?: Clock
  readonly log?: Logger
  /** Told where the sample is and what is wrong with it, whenever that changes. */
  readonly onSample?: (sample: SampleWord) => void
}

/**
 * Starts the whole platform in this process: migrations, routes, reconcilers.
 * @throws {AppError} when the database refuses, is newer than this version, or the master key is another one
 */
export async function startPlatform(settings: Settings, parts: PlatformParts = {}): Promise<RunningPlatform> {
  const clock = parts.clock ?? systemClock
  const log =
    parts.log ??
    pino({ level: settings.logLevel, redact: ['req.headers.authorization', 'req.headers.cookie'] })
  await migrate({ ownerUrl: settings.databaseOwnerUrl, migrations, version: VERSION, clock, log })
  await using cleanup = new AsyncDisposableStack()
  const database = cleanup.use(
    await openDatabase<Tables>({ appUrl: settings.databaseUrl, clock, random: systemRandom, log }),
  )

  const newId = idsOf(clock.now)
  const envelope = envelopeOf(Buffer.from(settings.masterKey, 'base64'))
  const { installationId, firstRunToken } = await database.transactAsSystem(async (db) => {
    const id = await settleSetting(db, 'installation', newId('ins'))
    // A wrong key is noticed here, before anything is sealed with it.
    const sentinel = await settleSetting(
      db,
      'master-key',
      envelope.seal('slipway', ['', 'sentinel', id, '1']),
    )
    envelope.open(sentinel, ['', 'sentinel', id, '1'])
    return { installationId: id, firstRunToken: await renewFirstRun(db, clock.now()) }
  })
  const platform: Platform = {
    settings,
    database,
    clock,
    random: systemRandom,
    newId,
    envelope,
    log,
    installationId,
  }

  const routes = collectRoutes()
  const modules = cleanup.use(modulesOf(platform))
  let isEnding = false
  systemRoutes(routes, platform, () => isEnding)
  modules.addRoutes(routes)
  const site = consoleSite(platform, settings.consoleFolder)
  site.addRoutes(routes)
  const server = createServer({ platform, finders: modules.finders, page: site.page }, routes.registered)
  const reconcilers: readonly Reconciler[] = [
    housekeeping,
    ...modules.reconcilers,
    ...sampleOf(platform, modules, parts.onSample ?? (() => undefined)),
  ]
  const driver = cleanup.use(createDriver(platform, reconcilers))
  await modules.start(driver.nudge)
  await driver.start()

  await secure(server, platform, cleanup)
  cleanup.defer(async () => server.close())
  await listen(() => server.listen({ host: settings.host, port: settings.port }), settings)
  const owned = cleanup.move()
  const { origin } = publicUrlOf(settings)
  log.info({ url: origin, version: VERSION }, 'the platform is ready')
  return {
    url: origin,
    firstRunToken,
    port: settings.port,
    async [Symbol.asyncDispose]() {
      isEnding = true
      // What is under way here goes on at another replica while callers are still led away from this one.
      const drained = settings.drainSeconds > 0 ? clock.sleep(settings.drainSeconds * SECOND_MS) : undefined
      await Promise.all([driver.retire(), drained])
      await owned.disposeAsync()
    },
  }
}

function sampleOf(
  { settings }: Platform,
  { clusters }: Modules,
  onSample: (sample: SampleWord) => void,
): readonly Reconciler[] {
  const { sampleFolder } = settings
  return sampleFolder === undefined
    ? []
    : [sampleReconciler({ examplesFolder: sampleFolder, clusters, onSample })]
}

/** Lets the server speak TLS when a certificate was given. */
async function secure(
  server: ReturnType<typeof createServer>,
  { settings, clock, log, newId }: Platform,
  cleanup: AsyncDisposableStack,
): Promise<void> {
  const { tlsCertificateFile, tlsKeyFile } = settings
  if (tlsCertificateFile === undefined || tlsKeyFile === undefined) return
  const { origin, hostname } = publicUrlOf(settings)
  const files = { certificate: tlsCertificateFile, key: tlsKeyFile }
  const host = hostname.replace(/^\[|\]$/gu, '')
  const certificate = cleanup.use(await openCertificate(files, { clock, log, host }))
  acceptTls(server, {
    certificate,
    clock,
    url: origin,
    newRequestId: () => newId('req'),
    mayBePlain: isLoopback,
  })
}

async function listen(start: () => Promise<string>, settings: Settings): Promise<void> {
  try {
    await start()
  } catch (thrown) {
    throw new AppError(
      'port_unavailable',
      500,
      { port: settings.port, host: settings.host },
      { cause: thrown },
    )
  }
}
