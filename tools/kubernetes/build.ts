/*
 * Builds the programs of `parts.ts` from Go modules, once per version and go.sum, into a cache outside the checkout. A program
 * is put in place by a rename, so what stands there is whole; a lock keeps two builds from doing the same work twice.
 */
import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, setPriority } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { goModules, type GoModuleName, type Program, programs } from './parts.ts'
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts'

const GO_MINIMUM = [1, 26] as const
/** A cold build of everything takes 7 minutes on two cores; a builder that needs an hour is stuck. */
const LOCK_WAIT_MS = 60 * 60_000

/** The tools cannot be built on this machine; the message says how to make it possible. */
export class ToolsUnavailable extends Error {
  override readonly name = 'ToolsUnavailable'
}

export type Progress = (line: string) => void

export function moduleFolder(module: GoModuleName): string {
  return join(dirname(fileURLToPath(import.meta.url)), 'modules', module)
}

/** `SLIPWAY_TOOLS_CACHE`, else `/var/cache/slipway-tools` as root, else `~/.cache/slipway-tools`. */
export function toolsCache(): string {
  const chosen = process.env['SLIPWAY_TOOLS_CACHE']
  if (chosen !== undefined && chosen !== '') return chosen
  return process.getuid?.() === 0 ? '/var/cache/slipway-tools' : join(homedir(), '.cache', 'slipway-tools')
}

/** Where the program stands once it is built. */
export function programPath(program: Program): string {
  const { module } = programs[program]
  const { version } = goModules[module]
  const hash = createHash('sha256').update(buildFlags(module).join(' '))
  for (const file of ['go.mod', 'go.sum', 'main.go']) {
    const path = join(moduleFolder(module), file)
    if (existsSync(path)) hash.update(readFileSync(path))
  }
  const key = `${module}-${version}-${process.platform}-${process.arch}-${hash.digest('hex').slice(0, 12)}`
  return join(toolsCache(), key, program)
}

/**
 * Builds what is missing of `wanted` and returns where each program stands. Safe to call from several processes at once.
 * @throws {ToolsUnavailable} when Go is missing or too old
 * @throws {Error} with the compiler's last lines when a build fails
 */
export async function ensurePrograms<P extends Program>(
  wanted: readonly P[],
  progress: Progress = () => undefined,
): Promise<Readonly<Record<P, string>>> {
  const missing = (): P[] => wanted.filter((program) => !existsSync(programPath(program)))
  if (missing().length > 0) {
    const go = findGo()
    mkdirSync(toolsCache(), { recursive: true })
    await withCacheLock('build', progress, async () => {
      for (const program of missing()) await buildProgram(go, program, progress)
    })
  }
  return Object.fromEntries(wanted.map((program) => [program, programPath(program)])) as Record<P, string>
}

/** The folder of the Gateway API's standard CRDs, downloaded and checked against go.sum. */
export function gatewayApiCrds(): string {
  const output = execFileSync(findGo(), ['mod', 'download', '-json', goModules['gateway-api'].upstream], {
    cwd: moduleFolder('gateway-api'),
    encoding: 'utf8',
    env: goEnvironment(),
  })
  const { Dir: folder } = JSON.parse(output) as { readonly Dir: string }
  return join(folder, 'config', 'crd', 'standard')
}

/** Path of a Go that is new enough. */
export function findGo(): string {
  const [major, minor] = GO_MINIMUM
  const help = `Go ${major}.${minor} or later builds the Kubernetes test tools: install it from https://go.dev/dl/ into /usr/local/go, or put it on the PATH`
  for (const candidate of ['go', '/usr/local/go/bin/go']) {
    let version: string
    try {
      version = execFileSync(candidate, ['env', 'GOVERSION'], {
        encoding: 'utf8',
        env: goEnvironment(),
      }).trim()
    } catch {
      // Not here: the next candidate, then the message below.
      continue
    }
    const found = /^go(\d+)\.(\d+)/.exec(version)
    if (found && (Number(found[1]) > major || Number(found[2]) >= minor)) return candidate
    throw new ToolsUnavailable(`${candidate} is ${version}. ${help}.`)
  }
  throw new ToolsUnavailable(`Go is not installed. ${help}.`)
}

/** The version is the one in go.mod and nothing is fetched behind the lock's back. */
export function goEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, GOFLAGS: '-mod=readonly -buildvcs=false', CGO_ENABLED: '0', GOTOOLCHAIN: 'local' }
}

function buildFlags(module: GoModuleName): string[] {
  const found = goModules[module]
  const variables = Object.entries(found.variables ?? {}).map(([name, value]) => `-X ${name}=${value}`)
  const tags = found.tags === undefined ? [] : ['-tags', found.tags]
  return ['-trimpath', ...tags, '-ldflags', ['-s', '-w', ...variables].join(' ')]
}

async function buildProgram(go: string, program: Program, progress: Progress): Promise<void> {
  const { module, package: source } = programs[program]
  const target = programPath(program)
  const unfinished = `${target}.${process.pid}.tmp`
  mkdirSync(dirname(target), { recursive: true })
  progress(`building ${program} ${goModules[module].version} (once; all of them take some 20 minutes)`)
  const startedMs = Date.now()
  try {
    const parameters = ['build', ...buildFlags(module), '-o', unfinished, source]
    await runQuietly(go, parameters, moduleFolder(module))
    renameSync(unfinished, target)
  } finally {
    rmSync(unfinished, { force: true })
  }
  progress(`built ${program} in ${Math.round((Date.now() - startedMs) / 1000)} s`)
}

/** Runs at low priority: a build in the background must not starve what it is built for. */
function runQuietly(command: string, parameters: readonly string[], cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, parameters, {
      cwd,
      env: goEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let tail = ''
    child.stderr.setEncoding('utf8')
    child.stderr.on('data', (text: string) => (tail = (tail + text).slice(-4_000)))
    child.on('error', reject)
    child.on('spawn', () => child.pid !== undefined && setPriority(child.pid, 10))
    child.on('close', (code) =>
      code === 0
        ? resolve()
        : reject(new Error(`${command} ${parameters.at(-1)} failed (${code}): ${tail.trim()}`)),
    )
  })
}

/** Runs what fills the cache while no other process of this machine does the same. */
export async function withCacheLock(
  name: string,
  progress: Progress,
  run: () => Promise<void> | void,
): Promise<void> {
  const path = join(toolsCache(), `${name}.lock`)
  const deadlineMs = Date.now() + LOCK_WAIT_MS
  let told = false
  while (!takeLock(path)) {
    if (Date.now() > deadlineMs) throw new Error(`another process holds ${path} since more than an hour`)
    if (!told) progress(`waiting for another process (lock ${path})`)
    told = true
    await sleep(500)
  }
  try {
    await run()
  } finally {
    rmSync(path, { force: true })
  }
}

function takeLock(path: string): boolean {
  try {
    writeFileSync(path, JSON.stringify(identify(process.pid)), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const holder = readHolder(path)
  if (holder && !isAlive(holder)) rmSync(path, { force: true })
  return false
}

function readHolder(path: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity
  } catch {
    // Just released, or just being written: ask again a moment later.
    return undefined
  }
}
