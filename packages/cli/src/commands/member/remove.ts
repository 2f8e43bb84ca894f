import { confirm } from '../../ask.ts'
import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { organizationIdOf, projectIdOf, userIdOf } from '../../names.ts'
import { printDeleted } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'

export function memberRemove(deps: Deps, run = runMemberRemove) {
  return commandOf(deps, 'member.remove', ['member remove li.wei --organization acme --yes'])
    .argument('<user>', deps.text('argument.user'))
    .option('--organization <organization>', deps.text('option.organization'))
    .option('--project <project>', deps.text('option.project'))
    .addOption(dryRunOption(deps))
    .action((user, options) => deps.exit(run(deps, user, options)))
}

type Options = {
  readonly organization?: string | undefined
  readonly project?: string | undefined
  readonly dryRun?: boolean | undefined
}

export async function runMemberRemove(deps: Deps, name: string, options: Options): Promise<ExitCode> {
  const organization = await organizationIdOf(deps, options.organization)
  const user = await userIdOf(deps, name)
  const projectId = options.project === undefined ? undefined : await projectIdOf(deps, options.project)
  await confirm(deps, deps.text('member.removing', { name }), options)
  await deps.api().removeMember({ organization, user, projectId }, mutationOptions(deps.signal, options))
  await printDeleted(deps, user, options)
  return Exit.ok
}
