import { ApiError } from '@slipway/sdk'

import { commandOf } from '../command.ts'
import { withContext } from '../config.ts'
import type { Deps } from '../deps.ts'
import { Exit, type ExitCode } from '../exit.ts'

export function logout(deps: Deps, run = runLogout) {
  return commandOf(deps, 'logout', ['logout', 'logout --everywhere'])
    .option('--everywhere', deps.text('logout.everywhere'))
    .action((options) => deps.exit(run(deps, options)))
}

/** Ends the session at the server and forgets the credentials here. An API token stays valid: other programs may use it. */
export async function runLogout(
  deps: Deps,
  options: { readonly everywhere?: boolean | undefined },
): Promise<ExitCode> {
  const { url, context, contextName, bearer } = deps.server()
  if (bearer !== undefined && (context?.via !== 'token' || options.everywhere === true))
    await endSession(deps, options.everywhere === true)
  if (context?.via === 'token') deps.io.note(deps.text('logout.token'))
  if (context !== undefined && contextName !== undefined) {
    const { secret: _, via: __, ...rest } = context
    await deps.config.write(withContext(deps.config.read(), contextName, rest))
  }
  deps.io.note(deps.text('logout.done', { server: url }))
  await deps.print(
    { server: url, signedIn: false },
    {
      columns: [
        { title: 'column.server', value: ({ server }) => server },
        { title: 'column.signedIn', value: ({ signedIn }) => signedIn },
      ],
      name: ({ server }) => server,
    },
  )
  return Exit.ok
}

async function endSession(deps: Deps, everywhere: boolean): Promise<void> {
  const call = { signal: deps.signal }
  try {
    await (everywhere ? deps.api().signOutEverywhere({}, call) : deps.api().signOut({}, call))
  } catch (thrown) {
    // A session that has ended already is what was wanted.
    if (!(thrown instanceof ApiError && thrown.status === 401)) throw thrown
  }
}
