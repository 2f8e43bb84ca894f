import { newPassword } from '../../ask.ts'
import { commandOf, dryRunOption, oneOrMore } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { platformRoles, type PlatformRoleName } from './roles.ts'
import { userView } from './view.ts'

export function userCreate(deps: Deps, run = runUserCreate) {
  return commandOf(deps, 'user.create', [
    'user create li.wei --display-name 李伟',
    'user create ci-admin --role operator --password-stdin < password.txt',
  ])
    .argument('<name>', deps.text('user.create.name'))
    .option('--display-name <name>', deps.text('option.displayName'))
    .option('--role <role>', deps.text('user.role'), oneOrMore(platformRoles))
    .option('--password-stdin', deps.text('option.passwordStdin'))
    .addOption(dryRunOption(deps))
    .action((name, options) => deps.exit(run(deps, name, options)))
}

type Options = {
  readonly displayName?: string | undefined
  readonly role?: readonly PlatformRoleName[] | undefined
  readonly passwordStdin?: boolean | undefined
  readonly dryRun?: boolean | undefined
}

export async function runUserCreate(deps: Deps, name: string, options: Options): Promise<ExitCode> {
  const password = await newPassword(deps, options.passwordStdin)
  const made = await deps.api().createUser(
    {
      name,
      password,
      displayName: options.displayName,
      platformRoles: options.role && [...options.role],
    },
    mutationOptions(deps.signal, options),
  )
  noteDryRun(deps, options)
  await deps.print(made, userView)
  return Exit.ok
}
