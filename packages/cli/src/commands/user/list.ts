import { commandOf, limitOption, textOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { userView } from './view.ts'

export function userList(deps: Deps, run = runUserList) {
  return commandOf(deps, 'user.list', ['user list', "user list --query '[?disabled].name'"])
    .addOption(textOption(deps))
    .addOption(limitOption(deps))
    .action((options) => deps.exit(run(deps, options)))
}

type Options = { readonly text?: string | undefined; readonly limit: number }

export async function runUserList(deps: Deps, options: Options): Promise<ExitCode> {
  const pages = deps
    .api()
    .pages.listUsers({ text: options.text, limit: pageSizeFor(options.limit) }, { signal: deps.signal })
  await deps.print(await readRows(deps, pages, options.limit), userView)
  return Exit.ok
}
