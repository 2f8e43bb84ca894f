import { commandOf, limitOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { tokenView } from './view.ts'

export function tokenList(deps: Deps, run = runTokenList) {
  return commandOf(deps, 'token.list', ['token list'])
    .addOption(limitOption(deps))
    .action((options) => deps.exit(run(deps, options)))
}

export async function runTokenList(deps: Deps, options: { readonly limit: number }): Promise<ExitCode> {
  const pages = deps.api().pages.listTokens({ limit: pageSizeFor(options.limit) }, { signal: deps.signal })
  await deps.print(await readRows(deps, pages, options.limit), tokenView)
  return Exit.ok
}
