/* `slipway` as a child process, as a person runs it. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

import { checkout } from './product.ts'

const TIMEOUT_MS = 180_000

export type Ran = { readonly exit: number; readonly out: string; readonly err: string }

export type Cli = {
  /** Runs a command to its end, whatever its exit code. */
  readonly run: (...args: readonly string[]) => Promise<Ran>
  /** Runs a command that must succeed, with an input. */
  readonly succeed: (args: readonly string[], input?: string) => Promise<Ran>
  /** Runs a command that must succeed; its result as JSON. */
  readonly json: (...args: readonly string[]) => Promise<Record<string, unknown>>
  /** Starts a command that goes on until it is stopped. */
  readonly follow: (...args: readonly string[]) => Following
}

export type Following = AsyncDisposable & {
  /** What it has printed. */
  readonly out: () => string
}

/**
 * @param home - where its configuration lies
 * @param authority - PEM file of who signed the platform's certificate
 */
export function cliAt(home: string, url: string, authority?: string): Cli {
  const launch = (args: readonly string[]): ChildProcessWithoutNullStreams =>
    spawn(process.execPath, [join(checkout, 'packages/cli/bin/slipway.js'), ...args, '--no-input'], {
      cwd: home,
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: TIMEOUT_MS,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: home,
        XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'] ?? join(process.env['HOME'] ?? home, '.cache'),
        LANG: 'en_US.UTF-8',
        SLIPWAY_SERVER: url,
        SLIPWAY_CONFIG: join(home, 'cli.json'),
        ...(authority !== undefined && { SLIPWAY_CA: authority }),
      },
    })
  const start = (args: readonly string[], input: string): Promise<Ran> => {
    const child = launch(args)
    let out = ''
    let err = ''
    // A command that reads nothing may be over before this arrives.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
    child.stdout.on('data', (part: Buffer) => (out += part.toString('utf8')))
    child.stderr.on('data', (part: Buffer) => (err += part.toString('utf8')))
    return new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code) => resolve({ exit: code ?? 1, out, err }))
    })
  }
  const succeed: Cli['succeed'] = async (args, input = '') => {
    const ran = await start(args, input)
    if (ran.exit !== 0)
      throw new Error(`slipway ${args.join(' ')} ended with ${ran.exit}: ${ran.err} ${ran.out}`)
    return ran
  }
  const follow: Cli['follow'] = (...args) => {
    const child = launch(args)
    const ended = once(child, 'close')
    let out = ''
    child.stdin.end()
    child.stdout.on('data', (part: Buffer) => (out += part.toString('utf8')))
    child.stderr.resume()
    return {
      out: () => out,
      async [Symbol.asyncDispose]() {
        child.kill('SIGTERM')
        await ended
      },
    }
  }
  return {
    follow,
    run: (...args) => start(args, ''),
    succeed,
    async json(...args) {
      const { out } = await succeed([...args, '--output', 'json'])
      // The CLI prints one JSON document.
      return JSON.parse(out) as Record<string, unknown>
    },
  }
}
