import { execFile } from 'node:child_process'
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

/*
 * Real registry programs as judges of ours. What the machine has installed is used; otherwise, on Debian, the packages are
 * fetched and unpacked (not installed) into a cache outside the checkout, keyed by their versions.
 */
const run = promisify(execFile)

export type Peer = {
  readonly program: string
  readonly version: string
  /** Runs the program; rejects with its output when it fails. */
  readonly run: (args: readonly string[], home: string) => Promise<string>
}

const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  skopeo: ['skopeo', 'libgpgme11', 'libassuan0', 'libdevmapper1.02.1', 'libgpg-error0'],
  'docker-registry': ['docker-registry'],
}
const CRANE = 'github.com/google/go-containerregistry/cmd/crane@v0.22.1'
const FETCH_MS = 180_000
const BUILD_MS = 600_000
const RUN_MS = 60_000

/** Finds or fetches a program; a text says why this machine cannot have it. */
export async function findPeer(program: 'skopeo' | 'docker-registry' | 'crane'): Promise<Peer | string> {
  const installed = await findOnPath(program)
  if (installed !== undefined) return await peerOf(installed, undefined)
  try {
    if (program === 'crane') return await peerOf(await installByGo('crane', CRANE), undefined)
    const root = await fetchPackages(PACKAGES[program] ?? [program])
    return await peerOf(join(root, 'usr', 'bin', program), root)
  } catch (error) {
    return `${program} is not installed and cannot be fetched: ${String(error).slice(0, 200)}`
  }
}

async function findOnPath(program: string): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const file = join(folder, program)
    const isThere = await access(file).then(
      () => true,
      () => false,
    )
    if (isThere) return file
  }
  return undefined
}

async function peerOf(program: string, root: string | undefined): Promise<Peer> {
  const libraries = root === undefined ? undefined : await libraryFolders(root)
  const runIn = async (args: readonly string[], home: string): Promise<string> => {
    const env = {
      ...process.env,
      HOME: home,
      XDG_RUNTIME_DIR: home,
      ...(libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries }),
    }
    const { stdout } = await run(program, args, { env, timeout: RUN_MS, maxBuffer: 16 * 1024 * 1024 })
    return stdout
  }
  const ask = program.endsWith('crane') ? 'version' : '--version'
  return { program, run: runIn, version: (await runIn([ask], '/nonexistent')).trim() }
}

async function libraryFolders(root: string): Promise<string> {
  const folders: string[] = []
  for (const parent of ['usr/lib', 'lib']) {
    const names = await readdir(join(root, parent)).catch(() => [])
    folders.push(
      ...names.filter((name) => name.endsWith('-linux-gnu')).map((name) => join(root, parent, name)),
    )
  }
  return folders.join(delimiter)
}

async function cacheFolder(): Promise<string> {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'slipway', 'oci-peers')
  await mkdir(cache, { recursive: true })
  return cache
}

/** Builds a program of the Go module proxy at one version. */
async function installByGo(name: string, module: string): Promise<string> {
  const place = join(await cacheFolder(), `${name}-${module.split('@')[1] ?? ''}`)
  if (await readdir(place).catch(() => undefined)) return join(place, name)
  const fresh = await mkdtemp(`${place}-fresh-`)
  try {
    await run('go', ['install', module], { env: { ...process.env, GOBIN: fresh }, timeout: BUILD_MS })
    await rename(fresh, place)
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
  return join(place, name)
}

async function fetchPackages(packages: readonly string[]): Promise<string> {
  const cache = await cacheFolder()
  const { stdout } = await run('apt-cache', ['show', '--no-all-versions', packages[0] ?? ''])
  const version = /^Version: (\S+)$/m.exec(stdout)?.[1]?.replaceAll(/[^A-Za-z0-9.+-]/g, '_')
  if (version === undefined) throw new Error('apt-cache knows no version')
  const place = join(cache, `${packages[0] ?? ''}-${version}`)
  if (await readdir(place).catch(() => undefined)) return place
  const fresh = await mkdtemp(join(cache, 'fresh-'))
  try {
    await run('apt-get', ['download', ...packages], { cwd: fresh, timeout: FETCH_MS })
    const root = join(fresh, 'root')
    for (const name of await readdir(fresh))
      if (name.endsWith('.deb')) await run('dpkg-deb', ['-x', join(fresh, name), root])
    await rename(root, place)
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
  return place
}
