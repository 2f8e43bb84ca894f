import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { baseView } from './view.ts'

export function imageBases(deps: Deps, run = runImageBases) {
  return commandOf(deps, 'image.bases', ['image bases']).action(() => deps.exit(run(deps)))
}

export async function runImageBases(deps: Deps): Promise<ExitCode> {
  const { items } = await deps.api().listBaseImages({}, { signal: deps.signal })
  await deps.print(items, baseView)
  return Exit.ok
}
