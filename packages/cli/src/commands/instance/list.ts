import type { VisibleInstance } from '@slipway/contract'

import { instanceStates } from '../../choices.ts'
import { commandOf, limitOption, oneOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { cliErrors } from '../../errors.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { organizationIdOf, projectIdOf, workloadIdOf } from '../../names.ts'
import type { View } from '../../output/table.ts'
import { pageSizeFor, readRows } from '../../rows.ts'
import { instanceView } from './view.ts'

export function instanceList(deps: Deps, run = runInstanceList) {
  return commandOf(deps, 'instance.list', [
    'instance list shop/api/production',
    'instance list shop/api/production --process worker --state Failing',
    'instance list --project shop --state Failing',
  ])
    .argument('[workload]', deps.text('argument.workload'))
    .option('--process <process>', deps.text('option.process'))
    .option('--state <state>', deps.text('instance.list.state'), oneOf(instanceStates))
    .option('--project <project>', deps.text('option.project'))
    .option('--organization <organization>', deps.text('option.organization'))
    .addOption(limitOption(deps))
    .action((workload, options) => deps.exit(run(deps, workload, options)))
}

type Options = {
  readonly process?: string | undefined
  readonly state?: (typeof instanceStates)[number] | undefined
  readonly project?: string | undefined
  readonly organization?: string | undefined
  readonly limit: number
}

/** Of one Workload, or of all that the caller may see. */
export async function runInstanceList(
  deps: Deps,
  given: string | undefined,
  options: Options,
): Promise<ExitCode> {
  const { process, state, limit } = options
  const calling = { signal: deps.signal }
  if (given !== undefined) {
    const workload = await workloadIdOf(deps, given)
    const pages = deps
      .api()
      .pages.listInstances({ workload, process, state, limit: pageSizeFor(limit) }, calling)
    await deps.print(await readRows(deps, pages, limit), instanceView(deps.language))
    return Exit.ok
  }
  // Processes have their names within a Workload.
  if (process !== undefined) throw cliErrors.argument_missing({ argument: 'workload' })
  const project = options.project === undefined ? undefined : await projectIdOf(deps, options.project)
  const organization =
    options.organization === undefined ? undefined : await organizationIdOf(deps, options.organization)
  const pages = deps
    .api()
    .pages.searchInstances({ project, organization, state, limit: pageSizeFor(limit) }, calling)
  await deps.print(await readRows(deps, tellingUnseen(deps, pages), limit), everywhereView(deps))
  return Exit.ok
}

type Page = { readonly items: VisibleInstance[]; readonly unseen: readonly { readonly slug: string }[] }

/** Rows that are missing because a Cluster does not answer are not passed over in silence. */
async function* tellingUnseen<T extends Page>(
  { io, text }: Deps,
  pages: AsyncIterable<T>,
): AsyncGenerator<T> {
  const told = new Set<string>()
  for await (const page of pages) {
    for (const { slug } of page.unseen)
      if (!told.has(slug)) io.note(text('instance.list.unseen', { cluster: slug }))
    page.unseen.forEach(({ slug }) => told.add(slug))
    yield page
  }
}

function everywhereView({ language }: Deps): View<VisibleInstance> {
  const { columns, name } = instanceView(language)
  return { name, columns: [{ title: 'column.workload', value: ({ workload }) => workload.name }, ...columns] }
}
