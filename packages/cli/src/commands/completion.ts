import { Argument } from '@commander-js/extra-typings'

import { commandOf } from '../command.ts'
import { scriptOf, shells, type Shell } from '../completion/scripts.ts'
import type { Deps } from '../deps.ts'
import { Exit, type ExitCode } from '../exit.ts'

export function completion(deps: Deps, run = runCompletion) {
  return commandOf(deps, 'completion', [
    'completion bash > /etc/bash_completion.d/slipway',
    'completion zsh > ~/.zfunc/_slipway',
    'completion fish > ~/.config/fish/completions/slipway.fish',
  ])
    .addArgument(new Argument('<shell>', deps.text('completion.argument')).choices(shells))
    .action((shell) => deps.exit(run(deps, shell)))
}

/** Prints the script as it is, whatever the format: a shell reads it. */
export async function runCompletion(deps: Deps, shell: Shell): Promise<ExitCode> {
  await deps.io.out(scriptOf(shell))
  return Exit.ok
}
