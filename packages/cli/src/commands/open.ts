import { spawn } from 'node:child_process'

import { commandOf } from '../command.ts'
import type { Deps } from '../deps.ts'
import { cliErrors } from '../errors.ts'
import { Exit, type ExitCode } from '../exit.ts'

export function open(deps: Deps, run = runOpen) {
  return commandOf(deps, 'open', ['open', 'open shop', 'open shop/api/production --print'])
    .argument('[name]', deps.text('open.argument'))
    .option('--print', deps.text('open.print'))
    .action((name, options) => deps.exit(run(deps, name, options)))
}

export async function runOpen(
  deps: Deps,
  name: string | undefined,
  options: { readonly print?: boolean | undefined },
  openBrowser = openInBrowser,
): Promise<ExitCode> {
  const url = deps.server().url + consolePath(name)
  await deps.print(
    { url },
    { columns: [{ title: 'column.url', value: (one) => one.url }], name: (one) => one.url },
  )
  if (options.print !== true) await openBrowser(url)
  return Exit.ok
}

/** The console's address of a Project, an Application or a Workload. Pure. */
function consolePath(name: string | undefined): string {
  if (name === undefined) return '/'
  const [project = '', application, environment, ...rest] = name.split('/').map(encodeURIComponent)
  if (project === '' || rest.length > 0) throw cliErrors.argument_invalid({ argument: 'name', problem: name })
  if (application === undefined) return `/projects/${project}`
  if (environment === undefined) return `/projects/${project}/applications/${application}`
  return `/workloads/${project}/${application}/${environment}`
}

const OPENERS: Readonly<Partial<Record<NodeJS.Platform, string>>> = { darwin: 'open', linux: 'xdg-open' }

/** @throws {AppError} `browser_failed` */
function openInBrowser(url: string): Promise<void> {
  const program = OPENERS[process.platform]
  if (program === undefined) return Promise.reject(cliErrors.browser_failed({ url }))
  return new Promise((resolve, reject) => {
    const child = spawn(program, [url], { stdio: 'ignore', detached: true })
    child.once('error', (cause) => reject(cliErrors.browser_failed({ url }, { cause })))
    child.once('spawn', () => {
      // The browser outlives this command.
      child.unref()
      resolve()
    })
  })
}
