import type { LogLine } from '@slipway/contract'

import { commandOf, wholeNumber } from '../command.ts'
import type { Deps } from '../deps.ts'
import { Exit, type ExitCode } from '../exit.ts'
import { tellConnection } from '../follow.ts'
import { momentOf } from '../moment.ts'
import { workloadOrInstance } from '../names.ts'
import { printable } from '../output/width.ts'

const TAIL_DEFAULT = 200
const TAIL_MAX = 100_000

export function logs(deps: Deps, run = runLogs) {
  return commandOf(deps, 'logs', [
    'logs shop/api/production',
    'logs -f shop/api/production --since 10m --filter ERROR',
    'logs shop/api/production/api-web-1a2b3c4d-x7k2p --previous',
  ])
    .argument('<workload>', deps.text('logs.of'))
    .option('-f, --follow', deps.text('logs.follow'))
    .option('--since <when>', deps.text('logs.since'))
    .option('--tail <lines>', deps.text('logs.tail'), wholeNumber(0, TAIL_MAX))
    .option('--previous', deps.text('logs.previous'))
    .option('--filter <text>', deps.text('logs.filter'))
    .option('--process <process>', deps.text('option.process'))
    .option('--container <container>', deps.text('option.container'))
    .option('--timestamps', deps.text('logs.timestamps'))
    .action((workload, options) => deps.exit(run(deps, workload, options)))
}

type Options = {
  readonly follow?: boolean | undefined
  readonly since?: string | undefined
  readonly tail?: number | undefined
  readonly previous?: boolean | undefined
  readonly filter?: string | undefined
  readonly process?: string | undefined
  readonly container?: string | undefined
  readonly timestamps?: boolean | undefined
}

/** Prints lines as they are; with `-o json` each as an object on a line of its own. */
export async function runLogs(deps: Deps, given: string, options: Options): Promise<ExitCode> {
  const since =
    options.since === undefined ? undefined : momentOf(deps, { option: '--since', text: options.since })
  const { workload, instance } = await workloadOrInstance(deps, given)
  const events = deps.api().followLogs(
    {
      workload,
      instance,
      since,
      // Without a beginning the last lines are what people want.
      tail: options.tail ?? (since === undefined ? TAIL_DEFAULT : undefined),
      follow: options.follow === true ? 'true' : 'false',
      previous: options.previous === true ? 'true' : 'false',
      filter: options.filter,
      process: options.process,
      container: options.container,
    },
    { signal: deps.signal, onConnection: tellConnection(deps) },
  )
  let isSilent = true
  if (options.follow === true && instance === undefined && (await isEmpty(deps, workload)))
    deps.io.note(deps.text('logs.waiting', { workload: given }))
  const text = lineWriter(deps, { ...options, isOne: instance !== undefined })
  try {
    for await (const event of events) {
      if (event.name === 'limited')
        deps.io.note(deps.text('logs.limited', event.data as { shown: number; of: number }))
      if (event.name !== 'lines') continue
      isSilent = false
      // The contract says what this event carries.
      await deps.io.out((event.data as readonly LogLine[]).map(text).join('\n'))
    }
  } catch (thrown) {
    // Ctrl-C is how following is meant to end.
    if (deps.signal.aborted) return Exit.interrupted
    throw thrown
  }
  // That a program says nothing is one thing, that there is none another.
  if (isSilent && options.follow !== true && instance === undefined && (await isEmpty(deps, workload)))
    deps.io.note(deps.text('logs.none', { workload: given }))
  return Exit.ok
}

async function isEmpty(deps: Deps, workload: string): Promise<boolean> {
  const { items } = await deps.api().listInstances({ workload, limit: 1 }, { signal: deps.signal })
  return items.length === 0
}

function lineWriter(deps: Deps, options: Options & { readonly isOne: boolean }): (line: LogLine) => string {
  if (deps.globals.output === 'json') return (line) => JSON.stringify(line)
  return ({ instance, at, text, cut }) => {
    const who = options.isOne ? '' : `${instance.slice(instance.indexOf('.') + 1)} `
    const when = options.timestamps === true ? `${at} ` : ''
    const end = cut === true ? ` ${deps.text('logs.cut')}` : ''
    // A program's own bytes may go to a file as they are, but not steer the reader's terminal.
    const shown = deps.io.outIsTerminal ? printable(text) : text
    return `${who}${when}${shown}${end}`
  }
}
