import { Option } from '@commander-js/extra-typings'
import type { OrganizationRole } from '@slipway/contract'

import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { organizationIdOf, projectIdOf, userIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { memberView } from './view.ts'

const roles = ['owner', 'maintainer', 'developer', 'viewer'] as const satisfies readonly OrganizationRole[]

export function memberSet(deps: Deps, run = runMemberSet) {
  return commandOf(deps, 'member.set', [
    'member set li.wei --role developer --organization acme',
    'member set li.wei --role maintainer --organization acme --project shop',
  ])
    .argument('<user>', deps.text('argument.user'))
    .addOption(new Option('--role <role>', deps.text('member.set.role')).choices(roles).makeOptionMandatory())
    .option('--organization <organization>', deps.text('option.organization'))
    .option('--project <project>', deps.text('option.project'))
    .addOption(dryRunOption(deps))
    .action((user, options) => deps.exit(run(deps, user, options)))
}

type Options = {
  readonly role: OrganizationRole
  readonly organization?: string | undefined
  readonly project?: string | undefined
  readonly dryRun?: boolean | undefined
}

export async function runMemberSet(deps: Deps, name: string, options: Options): Promise<ExitCode> {
  const organization = await organizationIdOf(deps, options.organization)
  const member = await deps.api().setMember(
    {
      organization,
      user: await userIdOf(deps, name),
      role: options.role,
      projectId: options.project === undefined ? undefined : await projectIdOf(deps, options.project),
    },
    mutationOptions(deps.signal, options),
  )
  noteDryRun(deps, options)
  await deps.print(member, memberView)
  return Exit.ok
}
