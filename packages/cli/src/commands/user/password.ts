import { askSecret, newPassword } from '../../ask.ts'
import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { cliErrors } from '../../errors.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'

export function userPassword(deps: Deps, run = runUserPassword) {
  return commandOf(deps, 'user.password', [
    'user password',
    'user password --password-stdin < old-and-new.txt',
  ])
    .option('--password-stdin', deps.text('user.password.stdin'))
    .addOption(dryRunOption(deps))
    .action((options) => deps.exit(run(deps, options)))
}

type Options = { readonly passwordStdin?: boolean | undefined; readonly dryRun?: boolean | undefined }

export async function runUserPassword(deps: Deps, options: Options): Promise<ExitCode> {
  const passwords = options.passwordStdin === true ? await twoLines(deps) : await asked(deps)
  await deps.api().changePassword(passwords, mutationOptions(deps.signal, options))
  noteDryRun(deps, options)
  await deps.print({ changed: options.dryRun !== true }, { columns: [], name: () => '' })
  return Exit.ok
}

type Passwords = { readonly currentPassword: string; readonly newPassword: string }

async function asked(deps: Deps): Promise<Passwords> {
  const currentPassword = await askSecret(deps, deps.text('login.askPassword'))
  return { currentPassword, newPassword: await newPassword(deps, false) }
}

async function twoLines(deps: Deps): Promise<Passwords> {
  const [currentPassword, next] = (await deps.io.readInput()).split(/\r?\n/u)
  if (!currentPassword || !next) throw cliErrors.answer_needed({ what: deps.text('login.askNewPassword') })
  return { currentPassword, newPassword: next }
}
