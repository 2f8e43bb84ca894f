import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { releaseIdOf } from '../../names.ts'
import type { View } from '../../output/table.ts'
import { shortImage } from './view.ts'

export function releaseDiff(deps: Deps, run = runReleaseDiff) {
  return commandOf(deps, 'release.diff', [
    'release diff shop/api/production',
    'release diff shop/api/production --with shop/api/production#12',
  ])
    .argument('<release>', deps.text('argument.release'))
    .option('--with <release>', deps.text('release.diff.with'))
    .action((release, options) => deps.exit(run(deps, release, options)))
}

type Row = { readonly what: string; readonly before: string | null; readonly after: string | null }

const rowView: View<Row> = {
  columns: [
    { title: 'column.what', value: ({ what }) => what },
    { title: 'column.before', value: ({ before }) => before },
    { title: 'column.after', value: ({ after }) => after },
  ],
  name: ({ what }) => what,
}

export async function runReleaseDiff(
  deps: Deps,
  given: string,
  options: { readonly with?: string | undefined },
): Promise<ExitCode> {
  const release = await releaseIdOf(deps, given)
  const other = options.with === undefined ? undefined : await releaseIdOf(deps, options.with)
  const diff = await deps.api().getReleaseDiff({ release, with: other }, { signal: deps.signal })
  const { output, query } = deps.globals
  // Programs get the answer as it is; people a table of what differs.
  if (query !== undefined || output === 'json' || output === 'yaml') {
    await deps.print(diff, { columns: [], name: ({ to }) => to })
    return Exit.ok
  }
  const image = diff.image && {
    what: 'image',
    before: diff.image.before === null ? null : shortImage(diff.image.before),
    after: shortImage(diff.image.after),
  }
  const rows: Row[] = [
    ...(image ? [image] : []),
    ...diff.variables.map(({ name, change, before, after }) => ({
      what: `${name} (${deps.text(`release.diff.${change}`)})`,
      before,
      after,
    })),
    ...diff.template.map(({ path, before, after }) => ({ what: path, before, after })),
  ]
  await deps.print(rows, rowView)
  return Exit.ok
}
