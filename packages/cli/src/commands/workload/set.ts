import { askSecret } from '../../ask.ts'
import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { cliErrors } from '../../errors.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { workloadIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { variableView } from './view.ts'

export function workloadSet(deps: Deps, run = runWorkloadSet) {
  return commandOf(deps, 'workload.set', [
    'workload set shop/api/production LOG_LEVEL=debug POOL=20',
    'workload set shop/api/production --secret DATABASE_URL --unset POOL --comment "new database"',
  ])
    .argument('<workload>', deps.text('argument.workload'))
    .argument('[variables...]', deps.text('workload.set.variables'))
    .option('--secret <variable>', deps.text('workload.set.secret'), collected)
    .option('--unset <variable>', deps.text('workload.set.unset'), collected)
    .option('--comment <text>', deps.text('option.comment'))
    .addOption(dryRunOption(deps))
    .action((workload, variables, options) => deps.exit(run(deps, workload, variables, options)))
}

function collected(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text]
}

type Options = {
  readonly secret?: readonly string[] | undefined
  readonly unset?: readonly string[] | undefined
  readonly comment?: string | undefined
  readonly dryRun?: boolean | undefined
}

export async function runWorkloadSet(
  deps: Deps,
  given: string,
  variables: readonly string[],
  options: Options,
): Promise<ExitCode> {
  const { secret = [], unset = [] } = options
  if (variables.length + secret.length + unset.length === 0)
    throw cliErrors.argument_missing({ argument: 'variables' })
  const set: { name: string; value: string; secret: boolean }[] = variables.map((text) => ({
    ...variableOf(text),
    secret: false,
  }))
  // A secret without a value is asked for, so that it need not stand in the shell's history.
  for (const text of secret)
    set.push(
      text.includes('=')
        ? { ...variableOf(text), secret: true }
        : { name: text, value: await askSecret(deps, text), secret: true },
    )
  const workload = await workloadIdOf(deps, given)
  const revision = await deps
    .api()
    .setVariables(
      { workload, set, remove: [...unset], comment: options.comment },
      mutationOptions(deps.signal, options),
    )
  noteDryRun(deps, options)
  if (options.dryRun !== true)
    deps.io.note(deps.text('workload.set.next', { revision: revision.revision, workload: given }))
  await deps.print(revision.variables, variableView)
  return Exit.ok
}

/** @throws {AppError} `argument_expected` without the value, which may be secret */
function variableOf(text: string): { readonly name: string; readonly value: string } {
  const at = text.indexOf('=')
  const name = text.slice(0, at)
  if (at < 1 || !/^[A-Za-z_][A-Za-z0-9_]{0,127}$/u.test(name))
    throw cliErrors.argument_expected({ argument: 'variables', expected: 'NAME=value' })
  return { name, value: text.slice(at + 1) }
}
