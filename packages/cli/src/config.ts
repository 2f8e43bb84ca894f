import { mkdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { isRecord, messageOf, parseJson } from '@slipway/kit'
import { absent, findText, replaceFile } from '@slipway/kit/files'

import { cliErrors } from './errors.ts'

/** What commands are about when nothing else is said. */
export type Context = {
  readonly server: string
  /** A session's or API token's secret. */
  readonly secret?: string
  readonly via?: 'session' | 'token'
  /** PEM file of authorities that the server's certificate may come from. */
  readonly ca?: string
  readonly organization?: string
  readonly project?: string
  readonly environment?: string
}

export type Config = { readonly current?: string; readonly contexts: Readonly<Record<string, Context>> }

/** The configuration file of this user. It holds credentials, so only its owner may read it. */
export type ConfigStore = {
  readonly file: string
  readonly read: () => Config
  /** Replaces the file in one step, so that a reader sees the old one or the new one. */
  readonly write: (config: Config) => Promise<void>
  /** Permission bits of the file; undefined while there is none. */
  readonly mode: () => Promise<number | undefined>
}

const empty: Config = { contexts: {} }
const FIELDS = ['server', 'secret', 'via', 'ca', 'organization', 'project', 'environment'] as const

/** The place of the file: XDG's (`$XDG_CONFIG_HOME/slipway/config.json`), or what `SLIPWAY_CONFIG` says. */
export function configFileOf(
  environment: Readonly<Record<string, string | undefined>>,
  homeFolder: string,
): string {
  if (environment['SLIPWAY_CONFIG']) return environment['SLIPWAY_CONFIG']
  const base = environment['XDG_CONFIG_HOME'] || join(homeFolder, '.config')
  return join(base, 'slipway', 'config.json')
}

/** @throws {AppError} `config_unreadable` */
export async function openConfig(file: string): Promise<ConfigStore> {
  let config = await readConfig(file)
  return {
    file,
    read: () => config,
    async write(next) {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 })
      try {
        await replaceFile(file, `${JSON.stringify(next, null, 2)}\n`)
      } catch (thrown) {
        throw cliErrors.config_unreadable({ file, problem: messageOf(thrown) }, { cause: thrown })
      }
      config = next
    },
    async mode() {
      const found = await stat(file).catch(absent)
      return found && found.mode & 0o777
    },
  }
}

async function readConfig(file: string): Promise<Config> {
  try {
    const text = await findText(file)
    return text === undefined ? empty : configFrom(parseJson(text))
  } catch (thrown) {
    throw cliErrors.config_unreadable({ file, problem: messageOf(thrown) }, { cause: thrown })
  }
}

function configFrom(value: unknown): Config {
  if (!isRecord(value) || !isRecord(value['contexts'])) throw new Error('no "contexts" in it')
  const contexts: Record<string, Context> = {}
  for (const [name, fields] of Object.entries(value['contexts'])) {
    if (!isRecord(fields) || typeof fields['server'] !== 'string')
      throw new Error(`context "${name}" has no server`)
    const known = FIELDS.flatMap((field) =>
      typeof fields[field] === 'string' ? [[field, fields[field]] as const] : [],
    )
    // Every field is text; `via` is only shown, and compared with the two words it may be.
    contexts[name] = Object.fromEntries(known) as unknown as Context
  }
  const { current } = value
  return { ...(typeof current === 'string' && { current }), contexts }
}

/** The configuration with one context replaced, or without it when `context` is undefined. Pure. */
export function withContext(config: Config, name: string, context: Context | undefined): Config {
  const { [name]: _, ...others } = config.contexts
  const contexts = context === undefined ? others : { ...others, [name]: context }
  const current = config.current === name && context === undefined ? undefined : config.current
  return { ...(current !== undefined && { current }), contexts }
}
