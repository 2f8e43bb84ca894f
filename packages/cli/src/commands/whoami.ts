import { commandOf } from '../command.ts'
import type { Deps } from '../deps.ts'
import { Exit, type ExitCode } from '../exit.ts'
import { accountView } from './account-view.ts'

export function whoami(deps: Deps, run = runWhoami) {
  return commandOf(deps, 'whoami', ['whoami', 'whoami --query user.name']).action(() => deps.exit(run(deps)))
}

export async function runWhoami(deps: Deps): Promise<ExitCode> {
  const account = await deps.api().whoami({}, { signal: deps.signal })
  const { url, contextName } = deps.server()
  await deps.print(
    { ...account, server: url, context: contextName ?? null },
    {
      columns: [
        ...accountView.columns,
        { title: 'column.server', value: ({ server }) => server },
        { title: 'column.context', value: ({ context }) => context },
      ],
      name: accountView.name,
    },
  )
  return Exit.ok
}
