import { CommanderError } from '@commander-js/extra-typings'
import { AppError, messageOf } from '@slipway/kit'
import { errorText } from '@slipway/messages'
import { ApiError } from '@slipway/sdk'

import type { Deps } from './deps.ts'
import { cliErrors } from './errors.ts'
import { Exit, exitCodeOf, type ExitCode } from './exit.ts'

/** What helps after a refusal, by its code; the rest say it in their text. Without the leading `slipway`. */
const FIXES: Readonly<Record<string, string>> = {
  not_signed_in: 'login',
  session_ended: 'login',
  credentials_wrong: 'login',
  server_unreachable: 'doctor',
  answer_invalid: 'doctor',
  permission_missing: 'whoami',
  context_unknown: 'context list',
  operation_unknown: 'api --help',
}

/**
 * Says on standard error what went wrong and what to do, and returns what the process ends with.
 * @param path - the command that was called, for the pointer to its help
 */
export function refuse(
  deps: Pick<Deps, 'io' | 'text' | 'language' | 'globals' | 'signal'>,
  thrown: unknown,
  path: string,
): ExitCode {
  if (thrown instanceof CommanderError) return refuseUsage(deps, thrown, path)
  if (deps.signal.aborted) return Exit.interrupted
  if (!(thrown instanceof AppError) && !(thrown instanceof ApiError)) {
    deps.io.complain(`${headingOf(deps)} ${messageOf(thrown)}`)
    if (deps.globals.verbose && thrown instanceof Error) deps.io.complain(thrown.stack ?? '')
    return Exit.error
  }
  const text = errorText(deps.language, thrown.code, thrown.params)
  // A newer server may refuse with a code this command does not know; its English text is better than the code alone.
  say(deps, text === thrown.code ? thrown.message : text)
  const exit = exitCodeOf(thrown)
  const fix =
    FIXES[thrown.code] ??
    (exit === Exit.usage && thrown instanceof AppError ? `${path} --help`.trim() : undefined)
  if (fix !== undefined) deps.io.complain(`  ${deps.text('error.fix', { command: `slipway ${fix}` })}`)
  if (deps.globals.verbose) deps.io.complain(`  ${deps.text('error.code', { code: thrown.code })}`)
  if (thrown instanceof ApiError && thrown.requestId !== '')
    deps.io.complain(`  ${deps.text('error.requestId', { id: thrown.requestId })}`)
  return exit
}

type Speaker = Pick<Deps, 'io' | 'text' | 'language'>

function say(deps: Speaker, text: string): void {
  deps.io.complain(`${headingOf(deps)} ${text}`)
}

function headingOf({ io, text }: Speaker): string {
  return io.colour ? `\u001B[1;31m${text('error.heading')}\u001B[0m` : text('error.heading')
}

/** Commander's errors are English constants, so they are told again from their code and the words in quotes. */
function refuseUsage(deps: Speaker, thrown: CommanderError, path: string): ExitCode {
  if (thrown.exitCode === 0) return Exit.ok
  // Help was printed in place of an error: a group was called without a verb.
  if (thrown.code === 'commander.help') return Exit.usage
  say(deps, errorText(deps.language, ...usageOf(thrown)))
  const word = /\(Did you mean (?:one of )?(.+)\?\)/u.exec(thrown.message)?.[1]
  if (word !== undefined) deps.io.complain(`  ${deps.text('error.didYouMean', { word })}`)
  deps.io.complain(`  ${deps.text('error.fix', { command: `slipway ${path} --help`.replace('  ', ' ') })}`)
  return Exit.usage
}

function usageOf(thrown: CommanderError): [code: string, params: Readonly<Record<string, string>>] {
  const [first = '', second = ''] = [...thrown.message.matchAll(/'([^']*)'/gu)].map((match) => match[1] ?? '')
  const refusal =
    thrown.code === 'commander.invalidArgument'
      ? valueRefusalOf(thrown.message)
      : refusalOf(thrown.code, first, second)
  return [refusal.code, refusal.params as Readonly<Record<string, string>>]
}

/** A value that its parser refused. The value itself, which may hold anything, quotes too, is not told again. */
function valueRefusalOf(message: string): AppError {
  const expected = /.* is invalid[^\n]*?\. (?:Allowed choices are )?([^\n]+?)\.?$/su.exec(message)?.[1] ?? ''
  const argument = /.* is invalid for argument '([^']*)'\./su.exec(message)?.[1]
  if (argument !== undefined) return cliErrors.argument_expected({ argument, expected })
  const option = /^error: option '([^']*)'/u.exec(message)?.[1] ?? ''
  return cliErrors.option_expected({ option, expected })
}

function refusalOf(code: string, word: string, problem: string): AppError {
  switch (code) {
    case 'commander.unknownCommand':
      return cliErrors.command_unknown({ command: word })
    case 'commander.unknownOption':
      return cliErrors.option_unknown({ option: word })
    case 'commander.missingArgument':
      return cliErrors.argument_missing({ argument: word })
    case 'commander.missingMandatoryOptionValue':
      return cliErrors.option_missing({ option: word })
    case 'commander.optionMissingArgument':
      return cliErrors.option_value_missing({ option: word })
    case 'commander.excessArguments':
      return cliErrors.arguments_excess()
    case 'commander.conflictingOption':
      return cliErrors.options_conflict({ options: `${word}, ${problem}` })
    default:
      return cliErrors.usage_invalid({ problem: word })
  }
}
