import { Option } from '@commander-js/extra-typings'
import type { Session } from '@slipway/contract'
import { must } from '@slipway/kit'

import { askSecret, askText, inputLine, newPassword } from '../ask.ts'
import { commandOf } from '../command.ts'
import { withContext } from '../config.ts'
import type { Deps } from '../deps.ts'
import { signInByDevice } from '../device.ts'
import { Exit, type ExitCode } from '../exit.ts'
import { accountView } from './account-view.ts'

export function login(deps: Deps, run = runLogin) {
  return commandOf(deps, 'login', [
    'login',
    'login --name li.wei',
    'login --server https://slipway.example.com --token-stdin < token.txt',
    'login --first-run-token T --name admin',
    'login --server https://10.0.0.5:7447 --ca authority.crt',
  ])
    .option('--name <name>', deps.text('login.name'))
    .option('--password-stdin', deps.text('option.passwordStdin'))
    .addOption(
      new Option('--token <secret>', deps.text('login.token')).conflicts([
        'name',
        'tokenStdin',
        'passwordStdin',
        'firstRunToken',
      ]),
    )
    .addOption(
      new Option('--token-stdin', deps.text('login.tokenStdin')).conflicts([
        'name',
        'passwordStdin',
        'firstRunToken',
      ]),
    )
    .option('--first-run-token <token>', deps.text('login.firstRunToken'))
    .addOption(
      new Option('--device', deps.text('login.device')).conflicts([
        'name',
        'token',
        'tokenStdin',
        'passwordStdin',
        'firstRunToken',
      ]),
    )
    .option('--context-name <name>', deps.text('login.contextName'))
    .action((options) => deps.exit(run(deps, options)))
}

type Options = {
  readonly name?: string | undefined
  readonly passwordStdin?: boolean | undefined
  readonly token?: string | undefined
  readonly tokenStdin?: boolean | undefined
  readonly firstRunToken?: string | undefined
  readonly device?: boolean | undefined
  readonly contextName?: string | undefined
}

type Proof = { readonly secret: string; readonly via: 'session' | 'token' }

export async function runLogin(deps: Deps, options: Options): Promise<ExitCode> {
  const { url, contextName, source } = deps.server()
  deps.io.note(deps.text('login.where', { server: url, source }))
  const proof = await proofOf(deps, options)
  // Asked with the new credentials before anything is kept: what does not work is not stored.
  const account = await deps.connect({ bearer: proof.secret }).whoami({}, { signal: deps.signal })
  const name = options.contextName ?? contextName ?? deps.globals.context ?? new URL(url).host
  const config = deps.config.read()
  const before = Object.hasOwn(config.contexts, name) ? config.contexts[name] : undefined
  const parts = before?.server === url ? before : {}
  // Named once, it is known to every command that follows.
  const ca = deps.authorityFile()
  const context = { ...parts, ...proof, server: url, ...(ca !== undefined && { ca }) }
  await deps.config.write({ ...withContext(config, name, context), current: name })
  deps.io.note(deps.text('login.done', { server: url, name: account.user.name, context: name }))
  await deps.print(account, accountView)
  return Exit.ok
}

async function proofOf(deps: Deps, options: Options): Promise<Proof> {
  if (options.token !== undefined) return { secret: options.token, via: 'token' }
  if (options.tokenStdin === true) return { secret: (await inputLine(deps)).trim(), via: 'token' }
  if (isByDevice(deps, options)) return { secret: await signInByDevice(deps), via: 'session' }
  const name = options.name ?? (await askText(deps, deps.text('login.askName')))
  const session =
    options.firstRunToken === undefined
      ? await signIn(deps, name, options)
      : await becomeFirst(deps, name, options.firstRunToken, options)
  return { secret: must(session.secret, 'a session asked for as bearer has a secret'), via: 'session' }
}

/** Where somebody can read the code, and has not chosen another way. */
function isByDevice({ io }: Deps, { device, name, passwordStdin, firstRunToken }: Options): boolean {
  if (device === true) return true
  return io.canAsk && name === undefined && passwordStdin !== true && firstRunToken === undefined
}

async function signIn(deps: Deps, name: string, options: Options): Promise<Session> {
  const password =
    options.passwordStdin === true
      ? await inputLine(deps)
      : await askSecret(deps, deps.text('login.askPassword'))
  return deps.connect({}).signIn({ name, password, delivery: 'bearer' }, { signal: deps.signal })
}

async function becomeFirst(deps: Deps, name: string, token: string, options: Options): Promise<Session> {
  const password = await newPassword(deps, options.passwordStdin)
  return deps
    .connect({})
    .completeFirstRun({ token, name, password, delivery: 'bearer' }, { signal: deps.signal })
}
