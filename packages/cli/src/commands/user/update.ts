import { Option } from '@commander-js/extra-typings'

import { newPassword } from '../../ask.ts'
import { commandOf, dryRunOption, oneOrMore } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { userIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { platformRoles, type PlatformRoleName } from './roles.ts'
import { userView } from './view.ts'

export function userUpdate(deps: Deps, run = runUserUpdate) {
  return commandOf(deps, 'user.update', ['user update li.wei --disable', 'user update li.wei --role auditor'])
    .argument('<user>', deps.text('argument.user'))
    .option('--display-name <name>', deps.text('option.displayName'))
    .option('--role <role>', deps.text('user.role'), oneOrMore(platformRoles))
    .addOption(new Option('--no-roles', deps.text('user.update.noRoles')).conflicts('role'))
    .addOption(new Option('--disable', deps.text('user.update.disable')).conflicts('enable'))
    .option('--enable', deps.text('user.update.enable'))
    .option('--password-stdin', deps.text('option.passwordStdin'))
    .addOption(dryRunOption(deps))
    .action((user, options) => deps.exit(run(deps, user, options)))
}

type Options = {
  readonly displayName?: string | undefined
  readonly role?: readonly PlatformRoleName[] | undefined
  /** False with --no-roles. */
  readonly roles?: boolean | undefined
  readonly disable?: boolean | undefined
  readonly enable?: boolean | undefined
  readonly passwordStdin?: boolean | undefined
  readonly dryRun?: boolean | undefined
}

export async function runUserUpdate(deps: Deps, name: string, options: Options): Promise<ExitCode> {
  const user = await userIdOf(deps, name)
  const password = options.passwordStdin === true ? await newPassword(deps, true) : undefined
  const updated = await deps.api().updateUser(
    {
      user,
      displayName: options.displayName,
      platformRoles: options.roles === false ? [] : options.role && [...options.role],
      disabled: disabledOf(options),
      password,
    },
    mutationOptions(deps.signal, options),
  )
  noteDryRun(deps, options)
  await deps.print(updated, userView)
  return Exit.ok
}

function disabledOf(options: Options): boolean | undefined {
  if (options.disable === true) return true
  return options.enable === true ? false : undefined
}
