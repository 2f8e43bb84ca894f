import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { imageIdOf } from '../../names.ts'
import { imageView } from './view.ts'

export function imageShow(deps: Deps, run = runImageShow) {
  return commandOf(deps, 'image.show', ['image show shop/api:build-7', 'image show shop/api:build-7 -o yaml'])
    .argument('<image>', deps.text('argument.image'))
    .action((given) => deps.exit(run(deps, given)))
}

export async function runImageShow(deps: Deps, given: string): Promise<ExitCode> {
  const image = await imageIdOf(deps, given)
  await deps.print(await deps.api().getImage({ image }, { signal: deps.signal }), imageView)
  return Exit.ok
}
