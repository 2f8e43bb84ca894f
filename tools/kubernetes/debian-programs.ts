/*
 * containerd, runc and nft from the distribution's own packages, unpacked into the cache: nothing is installed, no service
 * starts, and what the machine runs itself is left alone. Where there is no apt, the programs on the PATH are taken.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'

import { type Progress, toolsCache, ToolsUnavailable, withCacheLock } from './build.ts'

const packages = ['containerd', 'runc', 'nftables'] as const
/** What a node is made with; all of it belongs to every Debian, but not to every container image of it. */
const systemPrograms: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  unshare: 'util-linux',
  nsenter: 'util-linux',
  setpriv: 'util-linux',
  mount: 'mount',
}

/** Where containerd, its shim and runc lie, and what a process needs in its environment to run them and nft. */
export type RuntimePrograms = {
  readonly containerd: string
  readonly ctr: string
  readonly runc: string
  readonly environment: Readonly<Record<string, string>>
}

/**
 * Unpacks what is missing, once per release of the distribution.
 * @throws {ToolsUnavailable} saying what is missing and how to get it
 */
export async function ensureRuntimePrograms(progress: Progress = () => undefined): Promise<RuntimePrograms> {
  assertNodesPossible()
  if (find('apt-get', process.env['PATH'] ?? '') === undefined) return fromPath(process.env['PATH'] ?? '', '')
  const folder = join(toolsCache(), `debian-${releaseName()}-${process.arch}-1`)
  if (!existsSync(folder)) {
    mkdirSync(toolsCache(), { recursive: true })
    await withCacheLock('packages', progress, () => {
      if (!existsSync(folder)) unpackPackages(packages, folder, progress)
    })
  }
  const own = ['usr/bin', 'usr/sbin', 'bin', 'sbin'].map((name) => join(folder, name)).join(delimiter)
  const libraries = ['usr/lib', 'lib'].flatMap((name) => libraryFolders(join(folder, name)))
  return fromPath(`${own}${delimiter}${process.env['PATH'] ?? ''}`, libraries.join(delimiter))
}

function assertNodesPossible(): void {
  if (process.platform !== 'linux') throw new ToolsUnavailable('nodes that run containers need Linux')
  if (process.getuid?.() !== 0) throw new ToolsUnavailable('nodes that run containers need root')
  const missing = Object.keys(systemPrograms).filter(
    (name) => find(name, process.env['PATH'] ?? '') === undefined,
  )
  if (missing.length > 0) {
    const wanted = [...new Set(missing.map((name) => systemPrograms[name]))].join(' ')
    throw new ToolsUnavailable(`${missing.join(', ')} is missing: apt-get install ${wanted}`)
  }
  try {
    run('unshare', '--mount --net --pid --uts --ipc --fork --mount-proc true'.split(' '))
  } catch (cause) {
    const reason = `nodes need namespaces of their own, which this machine refuses: ${reasonOf(cause)}`
    throw new ToolsUnavailable(`${reason}. In a container, run it privileged.`, { cause })
  }
}

function fromPath(path: string, libraries: string): RuntimePrograms {
  const wanted = ['containerd', 'containerd-shim-runc-v2', 'ctr', 'runc', 'nft'] as const
  const found = Object.fromEntries(wanted.map((name) => [name, find(name, path)]))
  const missing = wanted.filter((name) => found[name] === undefined)
  if (missing.length > 0)
    throw new ToolsUnavailable(`${missing.join(', ')} is missing: install ${packages.join(', ')}`)
  return {
    containerd: found['containerd'] ?? '',
    ctr: found['ctr'] ?? '',
    runc: found['runc'] ?? '',
    environment: { PATH: path, ...(libraries === '' ? {} : { LD_LIBRARY_PATH: libraries }) },
  }
}

function find(name: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((candidate) => existsSync(candidate))
}

/** `debian-12` and the like. */
function releaseName(): string {
  const text = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
  const field = (name: string): string =>
    new RegExp(`^${name}="?([^"\n]*)`, 'mu').exec(text)?.[1] ?? 'unknown'
  return `${field('ID')}-${field('VERSION_ID')}`
}

function libraryFolders(folder: string): string[] {
  if (!existsSync(folder)) return []
  const inside = readdirSync(folder).filter((name) => name.endsWith('-linux-gnu'))
  return [folder, ...inside.map((name) => join(folder, name))]
}

/**
 * Unpacks packages and what they need that this machine lacks; apt finds out what that is. The folder appears whole, by a rename.
 * @throws {ToolsUnavailable} when the distribution does not give them
 */
export function unpackPackages(
  names: readonly string[],
  folder: string,
  progress: Progress = () => undefined,
): void {
  progress(`downloading ${names.join(', ')} (once)`)
  const work = mkdtempSync(`${folder}.tmp-`)
  try {
    const archives = join(work, 'archives')
    const root = join(work, 'root')
    mkdirSync(join(archives, 'partial'), { recursive: true })
    // The temporary folder is its owner's alone, the unpacked one need not be.
    mkdirSync(root, { mode: 0o755 })
    try {
      downloadPackages(names, archives)
    } catch {
      // The lists may be missing or old; the second failure is the one that tells.
      run('apt-get', ['update', '-qq'])
      downloadPackages(names, archives)
    }
    for (const name of readdirSync(archives))
      if (name.endsWith('.deb')) run('dpkg-deb', ['--extract', join(archives, name), root])
    renameSync(root, folder)
  } catch (cause) {
    throw new ToolsUnavailable(
      `${names.join(', ')} could not be downloaded from the distribution: ${reasonOf(cause)}`,
      { cause },
    )
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function downloadPackages(names: readonly string[], archives: string): void {
  const flags = '--download-only --reinstall --no-install-recommends --assume-yes -qq'.split(' ')
  // Nothing is installed, so nobody needs to wait for anybody.
  const options = [`Dir::Cache::archives=${archives}`, 'Debug::NoLocking=true'].flatMap((one) => ['-o', one])
  run('apt-get', ['install', ...flags, ...options, ...names])
}

function run(command: string, parameters: readonly string[]): void {
  execFileSync(command, parameters, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
}

function reasonOf(cause: unknown): string {
  const { stderr } = cause as { readonly stderr?: Buffer }
  return (stderr?.toString('utf8') || String(cause)).trim().slice(-500)
}
