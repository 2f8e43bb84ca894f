import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { isRecord, parseJson } from '@slipway/kit'
import type { CallOptions } from '@slipway/sdk'

import type { Config, Context } from './config.ts'
import { cliErrors } from './errors.ts'

/** The platform a command talks to, and by which rule it was found. */
export type ServerChoice = {
  readonly url: string
  readonly source: '--server' | 'SLIPWAY_SERVER' | 'context' | '.slipway/run.json' | 'default'
  /** The context that speaks of this server, and its name. */
  readonly contextName: string | undefined
  readonly context: Context | undefined
  /** What proves who calls; undefined for nobody. */
  readonly bearer: string | undefined
}

const DEFAULT_SERVER = 'http://localhost:7447'
const FOLDERS_MAX = 64

export type ServerInput = {
  readonly server: string | undefined
  readonly contextName: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly config: Config
  /** The address a platform running from a folder above has left, if any. */
  readonly found: () => string | undefined
  /** That address goes before the current context: signing in, one means the platform one has just started. */
  readonly prefersFound?: boolean
}

/**
 * Chooses server and credentials. Pure. A stored secret only goes to the server it was made for, and a server that a file
 * in the folder names must be on this machine: a checkout of strangers cannot draw credentials to itself.
 * @throws {AppError} `context_unknown`, `server_address_invalid`
 */
export function chooseServer(input: ServerInput): ServerChoice {
  const { config, environment } = input
  const wanted = input.contextName ?? environment['SLIPWAY_CONTEXT']
  if (wanted !== undefined && !Object.hasOwn(config.contexts, wanted))
    throw cliErrors.context_unknown({ name: wanted })
  const current = wanted ?? config.current
  const stored = current === undefined ? undefined : config.contexts[current]
  const near = once(() => loopbackOnly(input.found()))
  const first = input.prefersFound === true && wanted === undefined ? near() : undefined
  const explicit = input.server ?? environment['SLIPWAY_SERVER']
  const found = explicit ?? first ?? stored?.server ?? near()
  const url = addressOf(found ?? DEFAULT_SERVER)
  const match = matchingContext(config, url, current)
  const fromEnvironment = environment['SLIPWAY_TOKEN']
  return {
    url,
    source: sourceOf(input, first === undefined ? stored : undefined, found),
    contextName: match,
    context: match === undefined ? undefined : config.contexts[match],
    bearer: fromEnvironment || (match === undefined ? undefined : config.contexts[match]?.secret),
  }
}

/** Asks at most once: it reads files. */
function once<T>(ask: () => T): () => T {
  let asked: { readonly answer: T } | undefined
  return () => (asked ??= { answer: ask() }).answer
}

function sourceOf(
  input: ServerInput,
  stored: Context | undefined,
  found: string | undefined,
): ServerChoice['source'] {
  if (input.server !== undefined) return '--server'
  if (input.environment['SLIPWAY_SERVER'] !== undefined) return 'SLIPWAY_SERVER'
  if (stored !== undefined) return 'context'
  return found === undefined ? 'default' : '.slipway/run.json'
}

/** The current context if it is of this server, else any that is. */
function matchingContext(config: Config, url: string, current: string | undefined): string | undefined {
  const isOfServer = (name: string): boolean => originOf(config.contexts[name]?.server) === originOf(url)
  if (current !== undefined && Object.hasOwn(config.contexts, current) && isOfServer(current)) return current
  return Object.keys(config.contexts).find(isOfServer)
}

function originOf(address: string | undefined): string | undefined {
  return address !== undefined && URL.canParse(address) ? new URL(address).origin : undefined
}

/** The address without a slash at its end. */
function addressOf(server: string): string {
  const url = URL.canParse(server) ? new URL(server) : undefined
  if (url === undefined || !/^https?:$/u.test(url.protocol) || url.username !== '' || url.password !== '')
    throw cliErrors.server_address_invalid({ server: server.slice(0, 200) })
  return `${url.origin}${url.pathname.replace(/\/+$/u, '')}`
}

function loopbackOnly(address: string | undefined): string | undefined {
  const host = address !== undefined && URL.canParse(address) ? new URL(address).hostname : ''
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/u.test(host) ? address : undefined
}

/** The address in the nearest `.slipway/run.json`, from `folder` upwards. */
export function findRunningServer(folder: string): string | undefined {
  let at = folder
  for (let count = 0; count < FOLDERS_MAX; count += 1) {
    const url = readAddress(join(at, '.slipway', 'run.json'))
    if (url !== undefined) return url
    if (dirname(at) === at) return undefined
    at = dirname(at)
  }
  return undefined
}

function readAddress(file: string): string | undefined {
  try {
    const value = parseJson(readFileSync(file, 'utf8'))
    return isRecord(value) && typeof value['url'] === 'string' ? value['url'] : undefined
  } catch {
    // No file, or none that can be read: the search goes on, as if there were none.
    return undefined
  }
}

/** The options every mutation passes on. */
export function mutationOptions(
  signal: AbortSignal,
  options: { readonly dryRun?: boolean | undefined },
): CallOptions {
  return { signal, dryRun: options.dryRun }
}
