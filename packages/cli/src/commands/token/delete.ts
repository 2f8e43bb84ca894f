import { confirm } from '../../ask.ts'
import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { printDeleted } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'

export function tokenDelete(deps: Deps, run = runTokenDelete) {
  return commandOf(deps, 'token.delete', ['token delete tok_… --yes'])
    .argument('<token>', deps.text('token.argument'))
    .addOption(dryRunOption(deps))
    .action((token, options) => deps.exit(run(deps, token, options)))
}

export async function runTokenDelete(
  deps: Deps,
  token: string,
  options: { readonly dryRun?: boolean | undefined },
): Promise<ExitCode> {
  await confirm(deps, deps.text('token.deleting', { name: token }), options)
  await deps.api().deleteToken({ token }, mutationOptions(deps.signal, options))
  await printDeleted(deps, token, options)
  return Exit.ok
}
