import { commandOf } from '../../command.ts'
import { withContext, type Context } from '../../config.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { chooseServer } from '../../server.ts'
import { contextView, shownContext } from './view.ts'

export function contextSet(deps: Deps, run = runContextSet) {
  return commandOf(deps, 'context.set', [
    'context set local --server http://localhost:7447',
    'context set local --project shop --environment test',
    'context set local --project ""',
  ])
    .argument('<context>', deps.text('context.argument'))
    .option('--organization <organization>', deps.text('option.organization'))
    .option('--project <project>', deps.text('option.project'))
    .option('--environment <environment>', deps.text('context.set.environment'))
    .action((name, options) => deps.exit(run(deps, name, options)))
}

type Options = {
  readonly organization?: string | undefined
  readonly project?: string | undefined
  readonly environment?: string | undefined
}

/** Empty text takes a part away. Another server forgets the credentials: they were made for the old one. */
export async function runContextSet(deps: Deps, name: string, options: Options): Promise<ExitCode> {
  const config = deps.config.read()
  const before = Object.hasOwn(config.contexts, name) ? config.contexts[name] : undefined
  const server = serverOf(deps, before)
  const kept: Context | undefined = before?.server === server ? before : undefined
  const parts = Object.entries({ ...before, ...options })
    .filter(([field, value]) => ['organization', 'project', 'environment'].includes(field) && value)
    .map(([field, value]) => [field, value] as const)
  const context: Context = {
    server,
    ...(kept?.secret !== undefined && { secret: kept.secret }),
    ...(kept?.via !== undefined && { via: kept.via }),
    ...caOf(deps, kept),
    ...Object.fromEntries(parts),
  }
  const current = config.current ?? name
  await deps.config.write({ ...withContext(config, name, context), current })
  await deps.print(shownContext(name, context, current === name), contextView)
  return Exit.ok
}

function caOf(deps: Deps, kept: Context | undefined): Pick<Context, 'ca'> {
  const ca = deps.globals.ca === undefined ? kept?.ca : deps.authorityFile()
  return ca === undefined ? {} : { ca }
}

function serverOf(deps: Deps, before: Context | undefined): string {
  if (deps.globals.server === undefined && before !== undefined) return before.server
  return chooseServer({
    server: deps.globals.server,
    contextName: undefined,
    environment: deps.environment,
    config: { contexts: {} },
    found: () => undefined,
  }).url
}
