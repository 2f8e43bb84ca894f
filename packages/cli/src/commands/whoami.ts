import { commandOf } from '../command.ts'
import type { Deps } from '../deps.ts'
import { Exit, type ExitCode } from '../exit.ts'
import { accountView } from './account-view.ts'

export function whoami(deps: Deps, run = runWhoami) {
  return commandOf(deps, 'whoami', ['whoami', 'whoami --query user.name']).action(() => deps.exit(run(deps)))
}

export async function runWhoami(deps: Deps): Promise<ExitCode> {
  const account = await deps.api().whoami({}, { signal: deps.signal })
  const { url, contextName, source } = deps.server()
  await deps.print(
    {
      ...account,
      server: url,
      serverFrom: source,
      context: contextName ?? null,
      contextFile: deps.config.file,
    },
    {
      columns: [
        ...accountView.columns,
        { title: 'column.server', value: ({ server }) => server },
        { title: 'column.serverFrom', value: ({ serverFrom }) => serverFrom },
        { title: 'column.context', value: ({ context }) => context },
        { title: 'column.contextFile', value: ({ contextFile }) => contextFile, wide: true },
      ],
      name: accountView.name,
    },
  )
  return Exit.ok
}
