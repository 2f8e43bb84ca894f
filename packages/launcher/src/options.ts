import { parseArgs } from 'node:util'

/** What `npm start` was asked for. */
export type Options = {
  readonly data: string | undefined
  readonly port: number
  readonly gatewayPort: number
  readonly clusterPort: number
  /** Address that the platform and the gateway bind. */
  readonly listen: string
  readonly publicUrl: string | undefined
  readonly allowPlainHttp: boolean
  readonly sample: boolean
  readonly keepRunning: boolean
  readonly logLevel: string
}

/** A mistake in the arguments; its message says what to write instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace']

export const HELP = `Starts Slipway on this machine: database, cluster, registry, API, and a sample application.

  npm start -- [options]

  --data <folder>        where everything is kept (default: .slipway in the checkout)
  --port <n>             console, API and registry (default 7447; 0 takes a free one)
  --gateway-port <n>     gateway of the applications (default 7480)
  --cluster-port <n>     embedded Kubernetes API, on loopback only (default 7443)
  --listen <address>     address for --port and --gateway-port (default 127.0.0.1)
  --public-url <url>     address that links, cookies and nodes use
  --allow-plain-http     accept a --public-url of plain http off this machine
  --no-sample            no sample application
  --keep-running         at the end leave instances running; the next start adopts them
  --log-level <level>    ${LOG_LEVELS.join(', ')} (default warn)
  --help                 this text

With DATABASE_URL and DATABASE_OWNER_URL set, that PostgreSQL is used instead of an own one.
`

const loopback = new Set(['127.0.0.1', '::1', 'localhost'])

/** @throws {UsageError} @returns 'help' when that was asked for */
export function parseOptions(argv: readonly string[]): Options | 'help' {
  const values = parse(argv)
  if (values.help === true) return 'help'
  const listen = values.listen ?? '127.0.0.1'
  const options: Options = {
    data: values.data,
    port: portOf('port', values.port, 7447),
    gatewayPort: portOf('gateway-port', values['gateway-port'], 7480),
    clusterPort: portOf('cluster-port', values['cluster-port'], 7443),
    listen,
    publicUrl: values['public-url'] === undefined ? undefined : originOf(values['public-url']),
    allowPlainHttp: values['allow-plain-http'] ?? false,
    sample: values['no-sample'] !== true,
    keepRunning: values['keep-running'] ?? false,
    logLevel: values['log-level'] ?? 'warn',
  }
  if (!LOG_LEVELS.includes(options.logLevel))
    throw new UsageError(`--log-level is one of ${LOG_LEVELS.join(', ')}`)
  if (!loopback.has(listen) && options.publicUrl === undefined)
    throw new UsageError(
      '--listen beyond this machine needs --public-url: the address by which others reach it',
    )
  refusePlainHttp(options)
  const ports = [options.port, options.gatewayPort, options.clusterPort].filter((port) => port !== 0)
  if (new Set(ports).size < ports.length)
    throw new UsageError('--port, --gateway-port and --cluster-port must differ')
  return options
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: false,
      options: {
        data: { type: 'string' },
        port: { type: 'string' },
        'gateway-port': { type: 'string' },
        'cluster-port': { type: 'string' },
        listen: { type: 'string' },
        'public-url': { type: 'string' },
        'allow-plain-http': { type: 'boolean' },
        'no-sample': { type: 'boolean' },
        'keep-running': { type: 'boolean' },
        'log-level': { type: 'string' },
        help: { type: 'boolean' },
      },
    }).values
  } catch (thrown) {
    throw new UsageError(
      `${thrown instanceof Error ? thrown.message : String(thrown)}. See npm start -- --help`,
    )
  }
}

function portOf(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback
  const port = Number(text)
  if (!/^\d{1,5}$/u.test(text) || port > 65_535) throw new UsageError(`--${name} is a number from 0 to 65535`)
  return port
}

function originOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (
    !url ||
    !['http:', 'https:'].includes(url.protocol) ||
    url.pathname !== '/' ||
    url.search !== '' ||
    url.username !== ''
  )
    throw new UsageError('--public-url is an address such as https://slipway.example.com, without a path')
  return url.origin
}

function refusePlainHttp({ publicUrl, allowPlainHttp }: Options): void {
  if (publicUrl === undefined || allowPlainHttp) return
  const { protocol, hostname } = new URL(publicUrl)
  if (protocol === 'http:' && !loopback.has(hostname.replace(/^\[|\]$/gu, '')))
    throw new UsageError(
      '--public-url of plain http sends passwords readable over the network; use https, or add --allow-plain-http',
    )
}
