import { commandOf, limitOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { applicationIdOf } from '../../names.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { imageView } from './view.ts'

export function imageList(deps: Deps, run = runImageList) {
  return commandOf(deps, 'image.list', ['image list shop/api', 'image list shop/api -o wide'])
    .argument('<application>', deps.text('argument.application'))
    .addOption(limitOption(deps))
    .action((given, options) => deps.exit(run(deps, given, options)))
}

export async function runImageList(
  deps: Deps,
  given: string,
  options: { readonly limit: number },
): Promise<ExitCode> {
  const application = await applicationIdOf(deps, given)
  const pages = deps
    .api()
    .pages.listImages({ application, limit: pageSizeFor(options.limit) }, { signal: deps.signal })
  await deps.print(await readRows(deps, pages, options.limit), imageView)
  return Exit.ok
}
