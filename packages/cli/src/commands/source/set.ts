import { resolve } from 'node:path'

import { inputLine } from '../../ask.ts'
import { commandOf, dryRunOption } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { cliErrors } from '../../errors.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { readTextFile } from '../../files.ts'
import { applicationIdOf } from '../../names.ts'
import { noteDryRun } from '../../rows.ts'
import { mutationOptions } from '../../server.ts'
import { sourceView } from './view.ts'

export function sourceSet(deps: Deps, run = runSourceSet) {
  return commandOf(deps, 'source.set', [
    'source set shop/api https://git.example.com/shop/api.git',
    'source set shop/api https://git.example.com/shop/api.git --username ci --token-stdin < token',
    'source set shop/api git@git.example.com:shop/api.git --key-file deploy-key',
    'source set shop/api ./api',
  ])
    .argument('<application>', deps.text('argument.application'))
    .argument('<url>', deps.text('source.set.url'))
    .option('--branch <branch>', deps.text('source.set.branch'))
    .option('--username <name>', deps.text('source.set.username'))
    .option('--token-stdin', deps.text('source.set.token'))
    .option('--key-file <file>', deps.text('source.set.key'))
    .option('--no-credentials', deps.text('source.set.noCredentials'))
    .option('--no-verify', deps.text('source.set.noVerify'))
    .addOption(dryRunOption(deps))
    .action((given, url, options) => deps.exit(run(deps, { given, url }, options)))
}

type Options = {
  readonly branch?: string | undefined
  readonly username?: string | undefined
  readonly tokenStdin?: boolean | undefined
  readonly keyFile?: string | undefined
  readonly credentials?: boolean | undefined
  readonly verify?: boolean | undefined
  readonly dryRun?: boolean | undefined
}

export async function runSourceSet(
  deps: Deps,
  { given, url }: { readonly given: string; readonly url: string },
  options: Options,
): Promise<ExitCode> {
  const credentials = await credentialsOf(deps, options)
  const application = await applicationIdOf(deps, given)
  const source = await deps.api().setSource(
    {
      application,
      // A folder is meant as it is seen from here.
      url: /^\.{0,2}\//u.test(url) || url === '.' || url === '..' ? resolve(url) : url,
      defaultBranch: options.branch,
      credentials,
      verify: options.verify !== false,
    },
    mutationOptions(deps.signal, options),
  )
  noteDryRun(deps, options)
  await deps.print(source, sourceView(deps))
  return Exit.ok
}

type Credentials =
  | { readonly kind: 'token'; readonly username?: string | undefined; readonly token: string }
  | { readonly kind: 'ssh-key'; readonly privateKey: string }

async function credentialsOf(deps: Deps, options: Options): Promise<Credentials | null | undefined> {
  const { tokenStdin, keyFile, credentials, username } = options
  if ([tokenStdin, keyFile !== undefined, credentials === false].filter(Boolean).length > 1)
    throw cliErrors.options_conflict({ options: '--token-stdin, --key-file, --no-credentials' })
  if (credentials === false) return null
  if (keyFile !== undefined) return { kind: 'ssh-key', privateKey: await readTextFile(deps, keyFile) }
  if (tokenStdin === true) return { kind: 'token', username, token: await inputLine(deps) }
  return undefined
}
