import { isIP } from 'node:net'
import { parseArgs } from 'node:util'

import { launcherText, type Language, type LauncherKey } from '@slipway/messages'

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
  readonly tls: TlsChoice
  readonly sample: boolean
  readonly keepRunning: boolean
  readonly logLevel: string
}

/**
 * `none`: plain HTTP, on this machine only or behind something that speaks TLS. `given`: files of a certificate and its key;
 * `authority` is who signed it, where clusters do not know that one anyway. `made`: by an authority of this installation's own.
 */
export type TlsChoice =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'given'
      readonly certificate: string
      readonly key: string
      readonly authority: string | undefined
    }
  | { readonly kind: 'made' }

/** A mistake in the arguments; the text says what to write instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly key: LauncherKey
  readonly params: Readonly<Record<string, string>>

  constructor(key: LauncherKey, params: Readonly<Record<string, string>> = {}) {
    super(launcherText('en', key, params))
    this.key = key
    this.params = params
  }
}

/** Of the applications' gateway, unless another one is asked for. */
export const GATEWAY_PORT = 7480
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace']

export function helpText(language: Language): string {
  return launcherText(language, 'help', { levels: LOG_LEVELS.join(', ') })
}

/** The language of the person who starts Slipway. */
export function languageOf(environment: Readonly<Record<string, string | undefined>>): Language {
  const names = ['SLIPWAY_LANG', 'LC_ALL', 'LC_MESSAGES', 'LANG']
  const wanted = names.map((name) => environment[name]).find((value) => value !== undefined && value !== '')
  return /^zh/iu.test(wanted ?? '') ? 'zh-CN' : 'en'
}

const loopback = new Set(['127.0.0.1', '::1', 'localhost'])

/** @throws {UsageError} @returns 'help' when that was asked for */
export function parseOptions(argv: readonly string[]): Options | 'help' {
  const values = parse(argv)
  if (values.help === true) return 'help'
  const listen = values.listen ?? '127.0.0.1'
  const publicUrl = values['public-url'] === undefined ? undefined : originOf(values['public-url'])
  const allowPlainHttp = values['allow-plain-http'] ?? false
  const options: Options = {
    data: values.data,
    port: portOf('port', values.port, 7447),
    gatewayPort: portOf('gateway-port', values['gateway-port'], GATEWAY_PORT),
    clusterPort: portOf('cluster-port', values['cluster-port'], 7443),
    listen,
    publicUrl,
    allowPlainHttp,
    tls: tlsOf(values, { listen, publicUrl, allowPlainHttp }),
    sample: values['no-sample'] !== true,
    keepRunning: values['keep-running'] ?? false,
    logLevel: values['log-level'] ?? 'warn',
  }
  if (!LOG_LEVELS.includes(options.logLevel))
    throw new UsageError('usage.log.level', { levels: LOG_LEVELS.join(', ') })
  if (values.data === '') throw new UsageError('usage.data')
  if (listen !== 'localhost' && isIP(listen) === 0) throw new UsageError('usage.listen')
  if (!loopback.has(listen) && options.publicUrl === undefined) throw new UsageError('usage.listen.public')
  refusePlainHttp(options)
  const ports = [options.port, options.gatewayPort, options.clusterPort].filter((port) => port !== 0)
  if (new Set(ports).size < ports.length) throw new UsageError('usage.ports.differ')
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
        'tls-certificate': { type: 'string' },
        'tls-key': { type: 'string' },
        'tls-authority': { type: 'string' },
        'no-sample': { type: 'boolean' },
        'keep-running': { type: 'boolean' },
        'log-level': { type: 'string' },
        help: { type: 'boolean' },
      },
    }).values
  } catch (thrown) {
    const problem = thrown instanceof Error ? thrown.message : String(thrown)
    throw new UsageError('usage.unknown', { problem: problem.endsWith('.') ? problem : `${problem}.` })
  }
}

function portOf(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback
  const port = Number(text)
  if (!/^\d{1,5}$/u.test(text) || port > 65_535) throw new UsageError('usage.port', { flag: name })
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
    throw new UsageError('usage.public.url')
  return url.origin
}

function refusePlainHttp({ publicUrl, allowPlainHttp }: Options): void {
  if (publicUrl === undefined || allowPlainHttp) return
  const { protocol, hostname } = new URL(publicUrl)
  if (protocol === 'http:' && !loopback.has(hostname.replace(/^\[|\]$/gu, '')))
    throw new UsageError('usage.plain.http')
}

/** Whoever can be reached from elsewhere speaks TLS, unless plain HTTP was asked for. @throws {UsageError} */
function tlsOf(
  given: {
    readonly 'tls-certificate'?: string
    readonly 'tls-key'?: string
    readonly 'tls-authority'?: string
  },
  { listen, publicUrl, allowPlainHttp }: Pick<Options, 'listen' | 'publicUrl' | 'allowPlainHttp'>,
): TlsChoice {
  const { 'tls-certificate': certificate, 'tls-key': key, 'tls-authority': authority } = given
  const isSecure = publicUrl?.startsWith('https:') === true
  if (certificate !== undefined && key !== undefined) {
    if (!isSecure) throw new UsageError('usage.tls.public')
    return { kind: 'given', certificate, key, authority }
  }
  if (certificate !== undefined || key !== undefined || authority !== undefined)
    throw new UsageError('usage.tls.pair')
  return isSecure && !loopback.has(listen) && !allowPlainHttp ? { kind: 'made' } : { kind: 'none' }
}
