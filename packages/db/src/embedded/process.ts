import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { access, open } from 'node:fs/promises'
import { createServer } from 'node:net'
import { constants } from 'node:fs'

import { assert, isRecord } from '@slipway/kit'

import type { Account } from './account.ts'

/** Nothing of our environment reaches PostgreSQL, and its messages are in English, since some are read below. */
const ENVIRONMENT = { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' }
const OUTPUT_BYTES_MAX = 64 * 1024

/** A loopback port that was free a moment ago; whoever binds it must be ready for another one to be faster. */
export async function findFreePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject)
    probe.listen({ host: '127.0.0.1', port: 0, exclusive: true }, resolve)
  })
  const address: unknown = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  assert(isRecord(address) && typeof address['port'] === 'number', 'a listening socket has a port')
  return address['port']
}

export type Finished = { readonly code: number | null; readonly output: string }

export type ToolOptions = {
  readonly account: Account | undefined
  readonly cwd: string
  readonly input?: string
  readonly timeoutMs: number
}

/** Runs one of PostgreSQL's programs to its end and returns what it printed, cut at 64 KiB. */
export async function runTool(
  program: string,
  args: readonly string[],
  options: ToolOptions,
): Promise<Finished> {
  const child = spawn(program, args, {
    ...identityOf(options.account),
    cwd: options.cwd,
    env: ENVIRONMENT,
    timeout: options.timeoutMs,
    killSignal: 'SIGKILL',
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let output = ''
  const collect = (chunk: Buffer): void => {
    if (output.length < OUTPUT_BYTES_MAX) output += chunk.toString('utf8')
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  // A program that ends without reading its input breaks the pipe; its status tells why.
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input ?? '')
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { code, output }
}

export type ServerOptions = {
  readonly program: string
  readonly args: readonly string[]
  readonly account: Account | undefined
  readonly cwd: string
  readonly logPath: string
  /** Ends the server by a fast shutdown when this process dies, where the system has a way to do it. */
  readonly endsWithParent: boolean
}

/** Starts a server in a session of its own, so that Ctrl-C in the terminal reaches only us; its messages go to a file. */
export async function spawnServer(options: ServerOptions): Promise<ChildProcess> {
  const log = await open(options.logPath, 'a', 0o600)
  try {
    const [program, args] = await withParentDeathSignal(options)
    const child = spawn(program, args, {
      ...identityOf(options.account),
      cwd: options.cwd,
      env: ENVIRONMENT,
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    })
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject)
      child.once('spawn', resolve)
    })
    return child
  } finally {
    await log.close()
  }
}

const SETPRIV = '/usr/bin/setpriv'

/** setpriv execs the program, so the pid stays; SIGINT is PostgreSQL's fast shutdown. */
async function withParentDeathSignal(options: ServerOptions): Promise<[string, string[]]> {
  const plain: [string, string[]] = [options.program, [...options.args]]
  if (!options.endsWithParent || process.platform !== 'linux') return plain
  try {
    await access(SETPRIV, constants.X_OK)
  } catch {
    return plain // an orphan is found by the next start instead
  }
  return [SETPRIV, ['--pdeathsig', 'INT', '--', options.program, ...options.args]]
}

function identityOf(account: Account | undefined): { uid?: number; gid?: number } {
  return account ? { uid: account.uid, gid: account.gid } : {}
}
