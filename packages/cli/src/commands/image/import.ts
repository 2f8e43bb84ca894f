import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { cliErrors } from '../../errors.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { openFile } from '../../files.ts'
import { applicationIdOf } from '../../names.ts'
import { baseView, imageView } from './view.ts'

export function imageImport(deps: Deps, run = runImageImport) {
  return commandOf(deps, 'image.import', [
    'image import base/node:latest node.tar',
    'image import base/build:latest -',
    'image import shop/api:2.0 api.tar',
  ])
    .argument('<name>', deps.text('image.import.name'))
    .argument('<archive>', deps.text('image.import.archive'))
    .action((name, archive) => deps.exit(run(deps, { name, archive })))
}

/** Sends an archive; what begins with `base/` becomes a base, anything else an Image of its Application. */
export async function runImageImport(
  deps: Deps,
  { name, archive }: { readonly name: string; readonly archive: string },
): Promise<ExitCode> {
  const { repository, tag } = parts(name)
  const content = await openFile(deps, archive)
  // An archive may be large and the way long; it ends with the caller's patience.
  const options = { signal: deps.signal, timeoutMs: TIMEOUT_MS }
  if (repository.startsWith('base/')) {
    await deps.api().importBaseImage({ name: `${repository}:${tag}` }, content, options)
    const { items } = await deps.api().listBaseImages({}, { signal: deps.signal })
    await deps.print(
      items.filter((base) => base.name === `${repository}:${tag}`),
      baseView,
    )
    return Exit.ok
  }
  const application = await applicationIdOf(deps, repository)
  await deps.api().importImage({ application, tag }, content, options)
  const { items } = await deps.api().listImages({ application, limit: 200 }, { signal: deps.signal })
  await deps.print(
    items.filter(({ tags }) => tags.includes(tag)),
    imageView,
  )
  return Exit.ok
}

const TIMEOUT_MS = 2 * 3_600_000

/** `<repository>:<tag>`; the tag is `latest` when it is left out. Pure. @throws {AppError} `argument_invalid` */
function parts(name: string): { readonly repository: string; readonly tag: string } {
  const match = /^([^:@]+)(?::([a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}))?$/u.exec(name)
  const repository = match?.[1]
  if (repository === undefined) throw cliErrors.argument_invalid({ argument: 'name', problem: name })
  return { repository, tag: match?.[2] ?? 'latest' }
}
