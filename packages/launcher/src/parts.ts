import { dirname, join } from 'node:path'

import type { DataFolder } from './data-folder.ts'
import type { Options } from './options.ts'
import type { Transport } from './transport.ts'

export type Environment = Readonly<Record<string, string | undefined>>
export type DatabaseUrls = { readonly app: string; readonly owner: string }

/** The ports that a start has settled on; none is 0. */
export type Ports = {
  readonly platform: number
  readonly gateway: number
  readonly cluster: number
  /** Of Workloads, as `first-last`. */
  readonly own: string
}

/** Folder below the data folder in which the repositories of the sample applications are made. */
const SAMPLES = 'samples'

/**
 * What of our environment a child inherits: where programs, caches and package registries are. Everything else could hold a
 * secret of somebody else's.
 */
const INHERITED = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'XDG_CACHE_HOME',
  'NODE_COMPILE_CACHE',
  'JAVA_HOME',
  'GOPROXY',
  'npm_config_registry',
  'PIP_INDEX_URL',
  'PIP_CONFIG_FILE',
  'NPM_CONFIG_USERCONFIG',
]

/** Settings of the platform that an operator may give to `npm start`. */
const OPERATORS = [
  'SLIPWAY_TRUSTED_PROXIES',
  'SLIPWAY_AUTHORITY_FILE',
  'SLIPWAY_BUILD_MEMORY',
  'SLIPWAY_BUILD_DISK',
  'SLIPWAY_BUILD_PROCESSES',
  'SLIPWAY_S3_ENDPOINT',
  'SLIPWAY_S3_BUCKET',
  'SLIPWAY_S3_REGION',
  'SLIPWAY_S3_PREFIX',
  'SLIPWAY_S3_ADDRESSING',
  'SLIPWAY_S3_ACCESS_KEY',
  'SLIPWAY_S3_ACCESS_KEY_FILE',
  'SLIPWAY_S3_SECRET_KEY',
  'SLIPWAY_S3_SECRET_KEY_FILE',
]

export function inheritedEnvironment(environment: Environment): Record<string, string> {
  return picked(environment, INHERITED)
}

/** What an operator says to the platform. */
export function operatorsEnvironment(environment: Environment): Record<string, string> {
  return picked(environment, OPERATORS)
}

function picked(environment: Environment, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = environment[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

export type ClusterInput = {
  readonly folder: DataFolder
  readonly options: Options
  readonly ports: Ports
  /** The Node.js that Instances run on. */
  readonly node: string
  readonly environment: Environment
}

/** The options of the embedded cluster, as it takes them: JSON in its first argument. Pure. */
export function clusterArgument({ folder, options, ports, node, environment }: ClusterInput): string {
  return JSON.stringify({
    dataFolder: join(folder.path, 'cluster'),
    apiPort: ports.cluster,
    gatewayPort: ports.gateway,
    gatewayListen: options.listen,
    ownPorts: ports.own,
    ownRegistry: `localhost:${ports.platform}`,
    hostPath: `${dirname(node)}:${environment['PATH'] ?? '/usr/local/bin:/usr/bin:/bin'}`,
    keepRunning: options.keepRunning,
  })
}

export type PlatformInput = {
  readonly folder: DataFolder
  readonly options: Options
  readonly ports: Ports
  readonly database: DatabaseUrls
  readonly kubeconfig: string
  /** Folder of the built console, which may appear later. */
  readonly consoleAt: string
  readonly checkout: string
  readonly environment: Environment
  /** Undefined for plain HTTP. */
  readonly transport: Transport | undefined
}

/** The environment of the platform: its settings and what every child inherits. Pure. */
export function platformEnvironment(input: PlatformInput): Record<string, string> {
  const { folder, options, ports, database, environment } = input
  const samples = join(folder.path, SAMPLES)
  // Whoever can reach the platform from elsewhere must not make it read the files of its account.
  const home = options.listen === '127.0.0.1' ? [environment['HOME'] ?? input.checkout] : []
  return {
    ...inheritedEnvironment(environment),
    ...operatorsEnvironment(environment),
    // The embedded cluster stays on loopback, where a platform that listens beyond it may connect to only what is named.
    SLIPWAY_OUTBOUND_ALLOW: [
      ...(environment['SLIPWAY_OUTBOUND_ALLOW'] ?? '').split(',').filter(Boolean),
      ...[ports.cluster, ports.gateway].map((port) => `127.0.0.1/32:${port}`),
    ].join(','),
    DATABASE_URL: database.app,
    DATABASE_OWNER_URL: database.owner,
    SLIPWAY_MASTER_KEY_FILE: join(folder.keysFolder, 'master.key'),
    SLIPWAY_HOST: options.listen,
    SLIPWAY_PORT: String(ports.platform),
    SLIPWAY_ALLOW_PLAIN_HTTP: String(options.allowPlainHttp),
    SLIPWAY_DATA: folder.path,
    SLIPWAY_LOCAL_KUBECONFIG: input.kubeconfig,
    SLIPWAY_CONSOLE: input.consoleAt,
    SLIPWAY_LOG_LEVEL: options.logLevel,
    // The lock of the data folder proves it, unless the database is shared.
    SLIPWAY_SOLE_REPLICA: String(environment['DATABASE_URL'] === undefined),
    SLIPWAY_LOCAL_SOURCE_ROOTS: [...home, ...(options.sample ? [samples] : [])].join(':'),
    ...(options.publicUrl === undefined ? {} : { SLIPWAY_PUBLIC_URL: options.publicUrl }),
    ...transportEnvironment(input.transport),
    ...(options.sample ? { SLIPWAY_SAMPLE: join(input.checkout, 'examples') } : {}),
  }
}

function transportEnvironment(transport: Transport | undefined): Record<string, string> {
  if (transport === undefined) return {}
  const { certificate, key, authority } = transport
  return {
    SLIPWAY_TLS_CERTIFICATE: certificate,
    SLIPWAY_TLS_KEY: key,
    ...(authority === undefined ? {} : { SLIPWAY_AUTHORITY_FILE: authority }),
  }
}

/** The embedded cluster pulls Images from the public address, and must trust who answers there. Pure. */
export function clusterEnvironment(
  environment: Environment,
  transport: Transport | undefined,
): Record<string, string> {
  const authority = transport?.authority
  return {
    ...inheritedEnvironment(environment),
    ...(authority === undefined ? {} : { NODE_EXTRA_CA_CERTS: authority }),
  }
}
