import { confirm } from '../../ask.ts'
import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { imageIdOf } from '../../names.ts'
import { printDeleted } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'

export function imageDelete(deps: Deps, run = runImageDelete) {
  return commandOf(deps, 'image.delete', ['image delete shop/api:build-7'])
    .argument('<image>', deps.text('argument.image'))
    .addOption(dryRunOption(deps))
    .action((given, options) => deps.exit(run(deps, given, options)))
}

export async function runImageDelete(
  deps: Deps,
  given: string,
  options: { readonly dryRun?: boolean | undefined },
): Promise<ExitCode> {
  const image = await imageIdOf(deps, given)
  await confirm(deps, deps.text('image.deleting', { name: given }), options)
  await deps.api().deleteImage({ image }, mutationOptions(deps.signal, options))
  await printDeleted(deps, image, options)
  return Exit.ok
}
