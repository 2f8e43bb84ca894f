import { Option } from '@commander-js/extra-typings'

import { commandOf, dryRunOption, wholeNumber } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { organizationIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { tokenView } from './view.ts'

const DAYS_MAX = 366
const DAYS_DEFAULT = 90

export function tokenCreate(deps: Deps, run = runTokenCreate) {
  return commandOf(deps, 'token.create', [
    'token create ci --organization acme --expires-in-days 30',
    'token create laptop --query secret',
  ])
    .argument('<name>', deps.text('token.create.name'))
    .option('--organization <organization>', deps.text('token.create.organization'))
    .addOption(
      new Option('--expires-in-days <days>', deps.text('token.create.expiresInDays'))
        .argParser(wholeNumber(1, DAYS_MAX))
        .default(DAYS_DEFAULT),
    )
    .addOption(dryRunOption(deps))
    .action((name, options) => deps.exit(run(deps, name, options)))
}

type Options = {
  readonly organization?: string | undefined
  readonly expiresInDays: number
  readonly dryRun?: boolean | undefined
}

export async function runTokenCreate(deps: Deps, name: string, options: Options): Promise<ExitCode> {
  const organizationId =
    options.organization === undefined ? undefined : await organizationIdOf(deps, options.organization)
  const made = await deps
    .api()
    .createToken(
      { name, organizationId, expiresInDays: options.expiresInDays },
      mutationOptions(deps.signal, options),
    )
  if (options.dryRun !== true) deps.io.note(deps.text('token.create.once'))
  noteDryRun(deps, options)
  await deps.print(made, {
    columns: [...tokenView.columns, { title: 'column.secret', value: ({ secret }) => secret }],
    name: tokenView.name,
  })
  return Exit.ok
}
