import { Command, InvalidArgumentError, Option, type CommandUnknownOpts } from '@commander-js/extra-typings'
import { parseDurationMs } from '@slipway/kit'
import type { CliKey } from '@slipway/messages'

import type { Deps } from './deps.ts'

const DISPLAY_LIMIT = 100
const LIMIT_MAX = 10_000

/**
 * A command with its summary and examples. The summary stands under `<noun>.<verb>` in the catalogue.
 * @param examples - command lines without the leading `slipway`
 */
export function commandOf(deps: Deps, key: CliKey, examples: readonly string[]): Command {
  const name = key.split('.').at(-1) ?? key
  const lines = examples.map((example) => `  slipway ${example}`)
  return new Command(name)
    .description(deps.text(key))
    .addHelpText('after', `\n${deps.text('help.examples')}\n${lines.join('\n')}`)
}

/**
 * Adds a command below another one. `addCommand` alone would leave out how the parent ends and prints, and a usage error
 * would end the process.
 */
export function addTo(parent: CommandUnknownOpts, command: CommandUnknownOpts): void {
  command.copyInheritedSettings(parent)
  parent.addCommand(command)
}

/** `--dry-run`, which every change has. */
export function dryRunOption(deps: Deps) {
  return new Option('--dry-run', deps.text('option.dryRun'))
}

/** `--limit`, the most rows a list shows. */
export function limitOption(deps: Deps) {
  return new Option('--limit <count>', deps.text('option.limit'))
    .argParser(wholeNumber(1, LIMIT_MAX))
    .default(DISPLAY_LIMIT)
}

/** `--text`, which narrows a list to names that hold it. */
export function textOption(deps: Deps) {
  return new Option('--text <text>', deps.text('option.partOfName'))
}

/** `--timeout`, in milliseconds once parsed. */
export function timeoutOption(deps: Deps, defaults: { readonly seconds: number }) {
  return new Option('--timeout <duration>', deps.text('option.timeout'))
    .argParser(durationMs)
    .default(defaults.seconds * 1_000, `${defaults.seconds}s`)
}

/** Parser of a whole number within bounds. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^[0-9]{1,15}$/u.test(text) ? Number(text) : Number.NaN
    if (!(value >= min && value <= max)) throw new InvalidArgumentError(`${min} … ${max}`)
    return value
  }
}

/** Parser of a duration in words. Gives milliseconds. */
export function durationMs(text: string): number {
  try {
    return parseDurationMs(text)
  } catch {
    // The parser's own error speaks of a request; here the option is what is wrong.
    throw new InvalidArgumentError('500ms, 30s, 10m, 2h')
  }
}

/** Parser of a time: RFC 3339 in UTC, or a day. Gives RFC 3339. */
export function timestamp(text: string): string {
  const isTime = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?Z)?$/u.test(text)
  const date = new Date(isTime ? text : Number.NaN)
  if (Number.isNaN(date.getTime())) throw new InvalidArgumentError('2026-01-31, 2026-01-31T08:00:00Z')
  return date.toISOString()
}

/** Collects a repeatable option; knows which values it may have. */
export function oneOrMore<const Value extends string>(
  allowed: readonly Value[],
): (text: string, before: readonly Value[] | undefined) => readonly Value[] {
  return (text, before = []) => {
    const value = allowed.find((candidate) => candidate === text)
    if (value === undefined) throw new InvalidArgumentError(allowed.join(', '))
    return before.includes(value) ? before : [...before, value]
  }
}

/** Parser of one of the allowed words. */
export function oneOf<const Value extends string>(allowed: readonly Value[]): (text: string) => Value {
  return (text) => {
    const value = allowed.find((candidate) => candidate === text)
    if (value === undefined) throw new InvalidArgumentError(allowed.join(', '))
    return value
  }
}
