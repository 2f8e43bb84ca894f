import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { applicationIdOf, isId, projectIdOf, workloadIdOf } from '../../names.ts'
import { permissionView } from './view.ts'

export function memberPermissions(deps: Deps, run = runMemberPermissions) {
  return commandOf(deps, 'member.permissions', [
    'member permissions',
    'member permissions shop/api/production -o wide',
  ])
    .argument('[place]', deps.text('member.permissions.place'))
    .action((place) => deps.exit(run(deps, place)))
}

export async function runMemberPermissions(deps: Deps, given: string | undefined): Promise<ExitCode> {
  const place = given === undefined ? {} : await placeOf(deps, given)
  const { items } = await deps.api().listPermissions(place, { signal: deps.signal })
  await deps.print(items, permissionView)
  return Exit.ok
}

const PREFIXES = {
  organization: 'org',
  project: 'prj',
  environment: 'env',
  application: 'app',
  workload: 'wrk',
} as const

/** An id as it is; else `project`, `project/application` or `project/application/environment`. */
async function placeOf(deps: Deps, given: string): Promise<Readonly<Record<string, string>>> {
  for (const [kind, prefix] of Object.entries(PREFIXES)) if (isId(given, prefix)) return { [kind]: given }
  const parts = given.split('/').length
  if (parts === 1) return { project: await projectIdOf(deps, given) }
  if (parts === 2) return { application: await applicationIdOf(deps, given) }
  return { workload: await workloadIdOf(deps, given) }
}
