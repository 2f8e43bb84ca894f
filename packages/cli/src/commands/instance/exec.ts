import { isRecord, parseJson } from '@slipway/kit'
import type { Socket } from '@slipway/sdk'

import { commandOf } from '../../command.ts'
import type { Deps } from '../../deps.ts'
import { cliErrors } from '../../errors.ts'
import { Exit, type ExitCode } from '../../exit.ts'
import { workloadOrInstance } from '../../names.ts'
import { newestOf } from './choose.ts'

/*
 * The first byte of each message is its channel, see `openTerminal` in the contract. On a terminal of ours every key goes to the
 * command, Ctrl-C too, and its size follows ours.
 */
const Channel = { stdin: 0, stdout: 1, stderr: 2, status: 3, resize: 4, end: 255 } as const
const WAITING_MAX_BYTES = 1024 * 1024
const DRAIN_MS = 20

export function instanceExec(deps: Deps, run = runInstanceExec) {
  return commandOf(deps, 'instance.exec', [
    'instance exec -it shop/api/production',
    'instance exec shop/api/production/api-web-1a2b3c4d-x7k2p -- cat /etc/hosts',
  ])
    .argument('<instance>', deps.text('instance.exec.instance'))
    .argument('[command...]', deps.text('instance.exec.command'))
    .option('-i, --stdin', deps.text('instance.exec.stdin'))
    .option('-t, --terminal', deps.text('instance.exec.terminal'))
    .option('--container <container>', deps.text('option.container'))
    .action((instance, command, options) => deps.exit(run(deps, instance, command, options)))
}

type Options = {
  readonly stdin?: boolean | undefined
  readonly terminal?: boolean | undefined
  readonly container?: string | undefined
}

/** Ends with the command's own exit code. */
export async function runInstanceExec(
  deps: Deps,
  given: string,
  command: readonly string[],
  options: Options,
): Promise<ExitCode> {
  const { io, signal } = deps
  // Without a command a shell is meant, which needs both.
  const isShell = command.length === 0
  const terminal = options.terminal === true || isShell
  const input = options.stdin === true || isShell
  const size = io.terminalSize()
  using socket = await deps.api().openTerminal(
    {
      instance: await instanceFor(deps, given),
      container: options.container,
      terminal: terminal ? 'true' : 'false',
      input: input ? 'true' : 'false',
      ...(isShell ? {} : { command: [...command] }),
      ...(terminal && size ? size : {}),
    },
    { signal },
  )
  using _raw = terminal && input ? io.takeKeys() : undefined
  using _size = terminal ? io.onResize((now) => send(socket, Channel.resize, JSON.stringify(now))) : undefined
  const ended = new AbortController()
  const feeding = input ? feed(deps, socket, ended.signal) : undefined
  feeding?.catch(() => socket.close())
  try {
    return await receive(deps, socket)
  } finally {
    ended.abort()
    // A stream that still waits for input would keep the process alive.
    if (input) io.stdin.destroy()
  }
}

/** A named Instance, or a ready one of a Workload's newest version. */
async function instanceFor(deps: Deps, given: string): Promise<string> {
  const { workload, instance } = await workloadOrInstance(deps, given)
  if (instance !== undefined) return instance
  const { items } = await deps.api().listInstances({ workload, state: 'Ready' }, { signal: deps.signal })
  const ready = newestOf(items)
  if (!ready) throw cliErrors.no_instance_ready({ name: given })
  deps.io.note(deps.text('instance.exec.chosen', { name: ready.name }))
  return ready.id
}

async function receive(deps: Deps, socket: Socket): Promise<ExitCode> {
  const { io } = deps
  for await (const message of socket) {
    if (typeof message === 'string') continue
    const bytes = message.subarray(1)
    if (message[0] === Channel.stdout) await io.outBytes(bytes)
    else if (message[0] === Channel.stderr) io.stderr.write(bytes)
    else if (message[0] === Channel.status) return exitCodeIn(Buffer.from(bytes).toString('utf8'))
  }
  const { code, reason } = await socket.closed
  if (deps.signal.aborted) return Exit.interrupted
  throw cliErrors.connection_lost({ problem: reason === '' ? String(code) : reason })
}

function exitCodeIn(text: string): ExitCode {
  const end = parseJson(text)
  const exitCode = isRecord(end) ? end['exitCode'] : undefined
  // The command's own code is what a script asks for; it goes beyond our table on purpose.
  if (typeof exitCode === 'number') return exitCode as ExitCode
  const error = isRecord(end) && isRecord(end['error']) ? end['error'] : {}
  const problem = typeof error['message'] === 'string' ? error['message'] : text
  throw cliErrors.instance_command_refused({ problem: problem.slice(0, 500) })
}

async function feed(deps: Deps, socket: Socket, signal: AbortSignal): Promise<void> {
  for await (const chunk of deps.io.stdin) {
    if (signal.aborted) return
    send(socket, Channel.stdin, chunk as Buffer)
    while (socket.waitingBytes() > WAITING_MAX_BYTES) await deps.clock.sleep(DRAIN_MS, signal)
  }
  if (!signal.aborted) send(socket, Channel.end, '\0')
}

function send(socket: Socket, channel: number, bytes: Buffer | string): void {
  socket.send(new Uint8Array([channel, ...Buffer.from(bytes as Buffer)]))
}
