/* A clone of this checkout, `npm start` in it under some account, and what the tests of starting ask of both. */
import { spawn, type ChildProcess } from 'node:child_process'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { isRecord, parseJson, systemClock, waitFor } from '@slipway/kit'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))
export const isRoot = process.getuid?.() === 0
const START_MS = 240_000
const END_MS = 90_000

/** Who runs `npm start`; undefined is the account of the test. */
export type Account = {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly home: string
}

export type Installation = AsyncDisposable & {
  readonly checkout: string
  /** Where `.slipway` leads. */
  readonly dataFolder: () => Promise<string>
  /** Begins `npm start` with these arguments; ports are free ones. */
  readonly start: (...more: readonly string[]) => Start
}

export type RunInfo = {
  readonly url: string
  readonly gatewayUrl: string
  readonly sampleUrl: string
  readonly kubeconfig: string
  readonly firstRunToken: string
  readonly pid: number
}

export type Start = {
  readonly child: ChildProcess
  /** What it wrote to standard error so far. */
  readonly errors: () => string
  /** Resolves with run.json when the start is over. */
  readonly ready: () => Promise<RunInfo>
  /** Resolves with its exit code. */
  readonly ended: Promise<number | null>
  /** Ends it in good order. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<number | null>
}

/** An account that exists for one test; only root can make one. */
export async function makeAccount(): Promise<Account & AsyncDisposable> {
  const name = `slipway-e2e-${process.pid}`
  const home = await mkdtemp(join(tmpdir(), 'slipway-home-'))
  await run('useradd', ['--system', '--user-group', '--home-dir', home, '--shell', '/bin/sh', name])
  const [uid = 0, gid = 0] = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, name])).stdout)),
  )
  await chown(home, uid, gid)
  return {
    name,
    uid,
    gid,
    home,
    async [Symbol.asyncDispose]() {
      await run('userdel', ['--force', name])
      await rm(home, { recursive: true, force: true })
    },
  }
}

export type Clone = {
  readonly account?: Account | undefined
  /** Whether other accounts may enter its folder. */
  readonly isOpen: boolean
}

/** A fresh clone of what is committed, without packages. */
export async function cloneCheckout({ account, isOpen }: Clone): Promise<Installation> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-start-'))
  await chmod(folder, isOpen ? 0o755 : 0o700)
  const checkout = join(folder, 'slipway')
  const environment = await environmentOf(folder, account)
  if (account) await chown(folder, account.uid, account.gid)
  // The clone is made by root, who may read the original; then it is given away.
  await run('git', ['-c', 'safe.directory=*', 'clone', '--quiet', '--no-hardlinks', root, checkout])
  if (account) await run('chown', ['-R', `${account.uid}:${account.gid}`, folder])
  const starts: Start[] = []
  return {
    checkout,
    dataFolder: async () => (await run('readlink', ['-f', join(checkout, '.slipway')])).stdout.trim(),
    start(...more) {
      const started = beginStart({ checkout, environment, account }, more)
      starts.push(started)
      return started
    },
    async [Symbol.asyncDispose]() {
      for (const started of starts) await started.stop()
      const data = (await run('readlink', ['-f', join(checkout, '.slipway')]).catch(() => undefined))?.stdout
      // Root's data lies beside the clone's, in a folder named after it.
      if (data !== undefined && /^\/var\/lib\/slipway\/slipway-[0-9a-f]{8}$/u.test(data.trim()))
        await rm(data.trim(), { recursive: true, force: true })
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export type Place = {
  readonly checkout: string
  readonly environment: Readonly<Record<string, string>>
  readonly account: Account | undefined
}

/** As a person's shell would have it; packages come from a copy of the cache, which npm writes to. */
async function environmentOf(folder: string, account: Account | undefined): Promise<Record<string, string>> {
  const cache = join(folder, 'npm-cache')
  const { stdout } = await run('npm', ['config', 'get', 'cache'])
  const known = stdout.trim()
  if (existsSync(known)) await cp(known, cache, { recursive: true })
  else await mkdir(cache)
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: account?.home ?? process.env['HOME'] ?? '/',
    LANG: 'C.UTF-8',
    ...(account ? { USER: account.name, LOGNAME: account.name } : {}),
    npm_config_cache: cache,
    npm_config_prefer_offline: 'true',
    npm_config_update_notifier: 'false',
  }
}

/** Runs `npm start` in a checkout, at free ports. */
export function beginStart({ checkout, environment, account }: Place, more: readonly string[]): Start {
  const ports = ['--port', '0', '--gateway-port', '0', '--cluster-port', '0']
  const child = spawn('npm', ['start', '--silent', '--', ...ports, ...more], {
    cwd: checkout,
    env: { ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    ...(account ? { uid: account.uid, gid: account.gid } : {}),
  })
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')))
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString('utf8')))
  const ended = once(child, 'close').then(([code]: unknown[]) => (typeof code === 'number' ? code : null))
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null
  return {
    child,
    errors: () => errors,
    ended,
    async ready() {
      await waitFor(systemClock, `the start: ${errors}`, () => isOver() || output.includes('runFile='), {
        timeoutMs: START_MS,
      })
      const path = /^runFile=(.*)$/mu.exec(output)?.[1]
      if (path === undefined) throw new Error(`the start ended: ${errors}`)
      // On a busy machine the address of the sample comes a moment after the rest.
      const known = async (): Promise<RunInfo | undefined> => {
        const info = await readRunFile(path)
        return info.sampleUrl === 'null' && !isOver() ? undefined : info
      }
      return waitFor(systemClock, 'the address of the sample', known, { timeoutMs: START_MS })
    },
    async stop(signal = 'SIGTERM') {
      if (!isOver()) child.kill(signal)
      await waitFor(systemClock, `the end: ${errors}`, isOver, { timeoutMs: END_MS })
      return ended
    },
  }
}

async function readRunFile(path: string): Promise<RunInfo> {
  if (((await stat(path)).mode & 0o777) !== 0o600) throw new Error(`${path} is open to others`)
  const value = parseJson(await readFile(path, 'utf8'))
  if (!isRecord(value)) throw new Error(`${path} holds no object`)
  return {
    url: String(value['url']),
    gatewayUrl: String(value['gatewayUrl']),
    sampleUrl: String(value['sampleUrl']),
    kubeconfig: String(value['kubeconfig']),
    firstRunToken: String(value['firstRunToken']),
    pid: Number(value['pid']),
  }
}

/** Waits until an address answers, and returns what it says. */
export function untilAnswer(url: string): Promise<string> {
  return waitFor(
    systemClock,
    `an answer of ${url}`,
    async () => {
      const response = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined)
      if (response?.status === 200) return response.text()
      await response?.body?.cancel()
      return undefined
    },
    { timeoutMs: START_MS, everyMs: 200 },
  )
}

export type Process = { readonly pid: number; readonly command: string; readonly pssBytes: number }

/** Processes that have to do with one of the folders: by their arguments, working folder or environment, as far as we may look. */
export function processesOf(...folders: readonly string[]): readonly Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name) && Number(name) !== process.pid)
    .flatMap((name): Process[] => {
      const command = textOf(`/proc/${name}/cmdline`).replaceAll('\0', ' ').trim()
      const environment = textOf(`/proc/${name}/environ`)
      const workingFolder = linkOf(`/proc/${name}/cwd`)
      const about = `${command} ${environment} ${workingFolder}`
      // A dead process that nobody has collected has neither.
      if (command === '' || !folders.some((folder) => about.includes(folder))) return []
      const pss = /^Pss:\s+(\d+) kB/mu.exec(textOf(`/proc/${name}/smaps_rollup`))?.[1]
      return [{ pid: Number(name), command, pssBytes: Number(pss ?? 0) * 1024 }]
    })
}

/** Applications that run on the process runtime of a data folder, without the shells around them. */
export function instancesOf(dataFolder: string): readonly Process[] {
  return processesOf(join(dataFolder, 'cluster', 'node', 'run')).filter(
    ({ command }) => command.startsWith('node ') && !command.includes('/packages/'),
  )
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return '' // gone meanwhile, or not ours to see
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // gone meanwhile, or not ours to see
  }
}
