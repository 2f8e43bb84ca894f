import { AppError, messageOf, systemClock } from '@slipway/kit'
import { errorText, launcherText, type LauncherKey } from '@slipway/messages'

import { keepCommands, runKeep } from './keep/index.ts'
import { helpText, languageOf, parseOptions, UsageError } from './options.ts'
import { startLines, startPage } from './page.ts'
import { watchSample } from './sample-watch.ts'
import { Interrupted, listenForSignals } from './signals.ts'
import { checkout, ownVersion, start } from './start.ts'

const language = languageOf(process.env)

function say(key: LauncherKey, params: Readonly<Record<string, string | number>> = {}): void {
  process.stderr.write(`slipway: ${launcherText(language, key, params)}\n`)
}

async function main(): Promise<number> {
  const [first, ...more] = process.argv.slice(2)
  const command = keepCommands.find((name) => name === first)
  if (command) {
    const run = {
      command,
      argv: more,
      checkout,
      version: await ownVersion(),
      environment: process.env,
      language,
    }
    process.stdout.write(await runKeep(run))
    return 0
  }
  const options = parseOptions(process.argv.slice(2))
  if (options === 'help') {
    process.stdout.write(helpText(language))
    return 0
  }
  // A terminal that is gone reads nothing; that must not end us in the middle of stopping.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  using signals = listenForSignals(systemClock, () => say('stopping'))
  const startedAtMs = systemClock.monotonicMs()
  let broken: AppError | undefined
  {
    await using running = await start({
      options,
      environment: process.env,
      language,
      signal: signals.signal,
      say,
    })
    say('step.ready', { seconds: ((systemClock.monotonicMs() - startedAtMs) / 1_000).toFixed(1) })
    const info = running.info()
    const isTerminal = process.stdout.isTTY
    process.stdout.write(isTerminal ? startPage(language, info, running) : startLines(info, running))
    void watchSample({ running, clock: systemClock, say, signal: signals.signal })
    broken = await Promise.race([signals.asked, running.broken])
    if (broken) tell(broken)
  }
  say(options.keepRunning ? 'stopped.kept' : 'stopped')
  return broken ? 1 : 0
}

function tell(thrown: unknown): void {
  process.stderr.write(`slipway: ${textOf(thrown)}\n`)
}

function textOf(thrown: unknown): string {
  if (thrown instanceof UsageError) return launcherText(language, thrown.key, thrown.params)
  if (thrown instanceof AppError) return errorText(language, thrown.code, thrown.params)
  return messageOf(thrown)
}

try {
  process.exitCode = await main()
} catch (thrown) {
  if (thrown instanceof Interrupted) {
    say('stopped.early')
    process.exitCode = thrown.exitCode
  } else {
    tell(thrown)
    process.exitCode = thrown instanceof UsageError ? 2 : 1
  }
}
