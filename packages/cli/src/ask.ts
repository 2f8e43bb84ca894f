import type { Deps } from './deps.ts'
import { cliErrors } from './errors.ts'

/**
 * Asks for a confirmation, unless --yes gave it.
 * @throws {AppError} `confirmation_needed` when nobody can be asked, `interrupted` when the answer is no
 */
export async function confirm(
  deps: Deps,
  action: string,
  options: { readonly dryRun?: boolean | undefined },
): Promise<void> {
  if (deps.globals.yes || options.dryRun === true) return
  if (!deps.io.canAsk) throw cliErrors.confirmation_needed({ action })
  const { confirm: ask, isCancel } = await import('@clack/prompts')
  const answer = await ask({
    message: deps.text('confirm.question', { action }),
    initialValue: false,
    active: deps.text('output.yes'),
    inactive: deps.text('output.no'),
    ...ends(deps),
  })
  if (isCancel(answer) || !answer) throw cliErrors.interrupted()
}

/** Asks for a line. @throws {AppError} `answer_needed`, `interrupted` */
export async function askText(deps: Deps, what: string): Promise<string> {
  if (!deps.io.canAsk) throw cliErrors.answer_needed({ what })
  const { text, isCancel } = await import('@clack/prompts')
  const answer = await text({ message: what, ...ends(deps) })
  if (isCancel(answer)) throw cliErrors.interrupted()
  return answer ?? ''
}

/** Asks for a secret, which is not shown. @throws {AppError} `answer_needed`, `interrupted` */
export async function askSecret(deps: Deps, what: string): Promise<string> {
  if (!deps.io.canAsk) throw cliErrors.answer_needed({ what })
  const { password, isCancel } = await import('@clack/prompts')
  const answer = await password({ message: what, ...ends(deps) })
  if (isCancel(answer)) throw cliErrors.interrupted()
  return answer ?? ''
}

/** A new password, asked twice, or the first line of standard input. @throws {AppError} `passwords_differ` and as above */
export async function newPassword(deps: Deps, fromInput: boolean | undefined): Promise<string> {
  if (fromInput === true) return inputLine(deps)
  const first = await askSecret(deps, deps.text('login.askNewPassword'))
  if ((await askSecret(deps, deps.text('login.askAgain'))) !== first) throw cliErrors.passwords_differ()
  return first
}

/** The first line of standard input, without its end. */
export async function inputLine(deps: Deps): Promise<string> {
  return (await deps.io.readInput()).split(/\r?\n/u, 1)[0] ?? ''
}

/** Questions go to standard error, because standard output holds data. */
function ends({ io, signal }: Deps) {
  return { input: io.stdin, output: io.stderr, signal }
}
