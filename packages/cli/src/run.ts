import { systemRandom, type Clock, type Random } from '@slipway/kit'
import { cliText } from '@slipway/messages'
import { createClient } from '@slipway/sdk'

import { configFileOf, openConfig } from './config.ts'
import type { Deps } from './deps.ts'
import { Exit, type ExitCode } from './exit.ts'
import { globalsOf, languageOf, rootCommand, type Globals } from './globals.ts'
import { ioOf, type Streams } from './io.ts'
import { printResult } from './output/print.ts'
import { addCommands, chosenOf } from './program.ts'
import { refuse } from './refusal.ts'
import { chooseServer, findRunningServer, type ServerChoice } from './server.ts'
import { authorityFileOf, trustAuthority } from './trust.ts'

/** What surrounds one call of the command; tests make their own. */
export type Surroundings = {
  /** Without the names of Node and the script. */
  readonly words: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly folder: string
  readonly homeFolder: string
  readonly streams: Streams
  readonly clock: Clock
  readonly random?: Random
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
  readonly version: string
  /** For dates in tables; the machine's when left out. */
  readonly timeZone?: string
}

/** Runs one command line and returns what the process ends with. Never throws. */
export async function run(surroundings: Surroundings): Promise<ExitCode> {
  const { words, environment, version } = surroundings
  const language = languageOf(words, environment)
  const text: Deps['text'] = (key, params) => cliText(language, key, params)
  const root = rootCommand(text, version)
    .exitOverride()
    .configureOutput({ outputError: () => undefined, writeOut: (line) => void io.out(line) })
  let result: ExitCode = Exit.ok
  // Until the globals are known, an error is told without colour and on whatever terminal there is.
  let globals: Globals = {
    output: undefined,
    query: undefined,
    server: undefined,
    context: undefined,
    ca: undefined,
    quiet: false,
    verbose: false,
    input: false,
    yes: false,
    colour: false,
  }
  let io = ioOf(surroundings.streams, globals)
  let path = ''
  try {
    const isCompletion = words[0] === '__complete'
    // Parsed twice: here for the globals and the command's name, which decides what is loaded; below in full.
    const { operands } = isCompletion ? { operands: [] } : root.parseOptions([...words])
    globals = globalsOf(root, environment)
    io = ioOf(surroundings.streams, globals)
    const deps = await depsOf(surroundings, {
      globals,
      io,
      language,
      text,
      noun: operands[0],
      setExit: (code) => (result = code),
    })
    if (isCompletion) {
      const { complete } = await import('./completion/complete.ts')
      await io.out((await complete(deps, words.slice(1))).join('\n'))
      return Exit.ok
    }
    const zone = environment['TZ'] ?? ''
    if (!isTimeZone(zone)) io.note(text('timeZone.unknown', { zone }))
    const chosen = chosenOf(operands)
    path = [chosen.noun, chosen.verb].filter((word) => word !== undefined).join(' ')
    await addCommands(root, deps, chosen)
    await root.parseAsync([...words], { from: 'user' })
    return surroundings.signal.aborted && result === Exit.ok ? Exit.interrupted : result
  } catch (thrown) {
    return refuse({ io, text, language, globals, signal: surroundings.signal }, thrown, path)
  }
}

/** False for what tables would silently show in UTC. */
function isTimeZone(name: string): boolean {
  if (name === '') return true
  try {
    Intl.DateTimeFormat('en', { timeZone: name.replace(/^:/u, '') })
    return true
  } catch {
    // That it is thrown is the answer.
    return false
  }
}

type Known = Pick<Deps, 'globals' | 'io' | 'language' | 'text'> & {
  readonly noun: string | undefined
  readonly setExit: (code: ExitCode) => void
}

async function depsOf(surroundings: Surroundings, known: Known): Promise<Deps> {
  const { environment, clock, signal, version } = surroundings
  const { globals, io, language, text } = known
  const config = await openConfig(configFileOf(environment, surroundings.homeFolder))
  let choice: ServerChoice | undefined
  const server = (): ServerChoice =>
    (choice ??= chooseServer({
      server: globals.server,
      contextName: globals.context,
      environment,
      config: config.read(),
      found: () => findRunningServer(surroundings.folder),
      prefersFound: known.noun === 'login',
    }))
  const authorityFile: Deps['authorityFile'] = () =>
    authorityFileOf({ globals, environment, context: server().context, folder: surroundings.folder })
  let trusts = false
  const connect: Deps['connect'] = ({ bearer, ...patience }) => {
    const { url } = server()
    const authority = authorityFile()
    if (!trusts && authority !== undefined && url.startsWith('https:')) trustAuthority(authority)
    trusts = true
    return createClient({
      server: url,
      credentials: bearer === undefined ? undefined : { bearer },
      userAgent: `slipway-cli/${version}`,
      clock,
      fetch: globals.verbose ? narrated(io, clock, text) : globalThis.fetch,
      ...patience,
    })
  }
  let client: ReturnType<Deps['api']> | undefined
  const style = { language, timeZone: surroundings.timeZone, columns: io.columns, text }
  return {
    api() {
      const { bearer } = server()
      return (client ??= connect(bearer === undefined ? {} : { bearer }))
    },
    connect,
    server,
    authorityFile,
    clock,
    random: surroundings.random ?? systemRandom,
    io,
    signal,
    config,
    globals,
    language,
    version,
    environment,
    text,
    print: (value, view) =>
      printResult({ io, style, output: globals.output, query: globals.query }, value, view),
    exit: async (code) => known.setExit(await code),
  }
}

/** fetch that tells on standard error what it did. Only method, path, status and time: nothing secret is in them. */
function narrated(io: Deps['io'], clock: Clock, text: Deps['text']): typeof globalThis.fetch {
  return async (input, init) => {
    const startMs = clock.monotonicMs()
    const url = new URL(input instanceof Request ? input.url : input)
    const tell = (status: number | string): void =>
      io.complain(
        text('request.line', {
          method: init?.method ?? 'GET',
          path: url.pathname,
          status,
          ms: Math.round(clock.monotonicMs() - startMs),
        }),
      )
    try {
      const response = await globalThis.fetch(input, init)
      tell(response.status)
      return response
    } catch (thrown) {
      tell('-')
      throw thrown
    }
  }
}
