import { Command, Option } from '@commander-js/extra-typings'
import { languages, type Language } from '@slipway/messages'

import type { Deps } from './deps.ts'

const formats = ['table', 'wide', 'json', 'yaml', 'name'] as const
export type Format = (typeof formats)[number]

/** What stands on the command line for every command. */
export type Globals = {
  readonly output: Format | undefined
  readonly query: string | undefined
  readonly server: string | undefined
  readonly context: string | undefined
  /** PEM file of authorities that are trusted beside those of this computer. */
  readonly ca: string | undefined
  readonly quiet: boolean
  readonly verbose: boolean
  /** False with --no-input. */
  readonly input: boolean
  readonly yes: boolean
  readonly colour: boolean
}

/** The root command with the global options; its subcommands are added by `program.ts`. */
export function rootCommand(text: Deps['text'], version: string) {
  return new Command('slipway')
    .description(text('slipway.summary'))
    .addOption(new Option('-o, --output <format>', text('global.output')).choices(formats))
    .option('--query <path>', text('global.query'))
    .option('--server <url>', text('global.server'))
    .option('--context <name>', text('global.context'))
    .option('--ca <file>', text('global.ca'))
    .addOption(new Option('--lang <language>', text('global.lang')).choices(languages))
    .option('--no-color', text('global.color'))
    .option('-q, --quiet', text('global.quiet'))
    .option('-v, --verbose', text('global.verbose'))
    .option('--no-input', text('global.input'))
    .option('-y, --yes', text('global.yes'))
    .version(version, '-V, --version', text('global.version'))
    .helpOption('-h, --help', text('global.help'))
    .helpCommand(false)
}

/** The globals that the root command has parsed. Defaults are not among them before a whole parse. */
export function globalsOf(
  root: ReturnType<typeof rootCommand>,
  environment: Readonly<Record<string, string | undefined>>,
): Globals {
  const options: Partial<ReturnType<typeof root.opts>> = root.opts()
  return {
    output: options.output,
    query: options.query,
    server: options.server,
    context: options.context,
    ca: options.ca,
    quiet: options.quiet === true,
    verbose: options.verbose === true,
    input: options.input !== false,
    yes: options.yes === true,
    colour: options.color !== false && !environment['NO_COLOR'],
  }
}

/** The language of texts: --lang, SLIPWAY_LANG, then the system's. Known before anything is parsed, because help needs it. */
export function languageOf(
  words: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Language {
  const at = words.indexOf('--lang')
  const joined = words.find((word) => word.startsWith('--lang='))?.slice('--lang='.length)
  const candidates = [
    at === -1 ? undefined : words[at + 1],
    joined,
    environment['SLIPWAY_LANG'],
    environment['LC_ALL'],
    environment['LC_MESSAGES'],
    environment['LANG'],
  ]
  const wanted = candidates.find((candidate) => candidate !== undefined && candidate !== '') ?? 'en'
  return /^zh/iu.test(wanted) ? 'zh-CN' : 'en'
}
