import {
  chmod,
  chown,
  lchown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  stat,
  statfs,
  writeFile,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { AppError, systemCodeOf } from '@slipway/kit'
import { absent, findText } from '@slipway/kit/files'

import type { Account } from './account.ts'
import type { Binaries } from './binaries.ts'
import { postgresErrors } from './errors.ts'
import { runTool } from './process.ts'

const INIT_TIMEOUT_MS = 120_000
const SINGLE_USER_TIMEOUT_MS = 300_000
/** A new data folder takes 39 MB, its first log segment 16 MB; below this a start is bound to fail half-way. */
const INIT_FREE_BYTES_MIN = 128 * 1024 * 1024

/**
 * What lies in the data folder: nothing yet, or the data of this major version.
 * @throws {AppError} `postgres_data_version`, `postgres_data_foreign`; and the system's error when it cannot be read
 */
export async function inspectData(folder: string, major: number): Promise<'absent' | 'present'> {
  const text = await findText(join(folder, 'PG_VERSION'))
  if (text === undefined) {
    const entries = (await readdir(folder).catch(absent)) ?? []
    if (entries.length > 0) throw postgresErrors.postgres_data_foreign({ folder })
    return 'absent'
  }
  const found = Number.parseInt(text, 10)
  if (found !== major) throw postgresErrors.postgres_data_version({ folder, found, wanted: major })
  return 'present'
}

const UNREADABLE = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ELOOP', 'EIO', 'ENAMETOOLONG'])

/** A refusal for what the file system says about `folder`; everything else passes unchanged. */
export function translateSystemError(folder: string, thrown: unknown): unknown {
  if (thrown instanceof AppError) return thrown
  const reason = systemCodeOf(thrown) ?? ''
  if (reason === 'ENOSPC' || reason === 'EDQUOT')
    return postgresErrors.postgres_disk_full({ folder }, { cause: thrown })
  if (UNREADABLE.has(reason))
    return postgresErrors.postgres_folder_unreadable({ folder, reason }, { cause: thrown })
  return thrown
}

/** Makes the data folder beside its place and renames it, so that what has the final name is whole. */
export async function initializeData(options: {
  readonly folder: string
  readonly binaries: Binaries
  readonly account: Account | undefined
  readonly password: string
}): Promise<void> {
  const { folder, binaries, account } = options
  const parent = dirname(folder)
  await refuseFullDisk(parent)
  const workshop = await mkdtemp(join(parent, 'postgres-new.'))
  try {
    const passwordFile = join(workshop, 'password')
    await writeFile(passwordFile, `${options.password}\n`, { mode: 0o600 })
    const data = join(workshop, 'data')
    await mkdir(data, { mode: 0o700 })
    if (account)
      for (const path of [workshop, passwordFile, data]) await chown(path, account.uid, account.gid)
    const { code, output } = await runTool(
      join(binaries.folder, 'bin', 'initdb'),
      initArguments(data, passwordFile),
      {
        account,
        cwd: workshop,
        timeoutMs: INIT_TIMEOUT_MS,
      },
    )
    if (code !== 0) throw startFailure(parent, output, code)
    await rm(folder, { recursive: true, force: true }) // empty: inspectData has looked
    await rename(data, folder)
  } finally {
    await rm(workshop, { recursive: true, force: true })
  }
}

/**
 * Code-point order and Unicode case mapping on every machine, whatever locales it has: the builtin provider needs none.
 * Without these flags and with an empty environment the encoding would be SQL_ASCII.
 */
function initArguments(data: string, passwordFile: string): string[] {
  return [
    ['-D', data],
    ['-U', 'postgres'],
    ['--auth=scram-sha-256', `--pwfile=${passwordFile}`],
    ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'],
  ].flat()
}

async function refuseFullDisk(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize < INIT_FREE_BYTES_MIN) throw postgresErrors.postgres_disk_full({ folder })
}

/** Sets the superuser's password without knowing the old one, for a folder whose kept passwords were lost. The server must not run. */
export async function resetPassword(options: {
  readonly folder: string
  readonly binaries: Binaries
  readonly account: Account | undefined
  readonly password: string
}): Promise<void> {
  const { folder, binaries, account } = options
  const { code, output } = await runTool(
    join(binaries.folder, 'bin', 'postgres'),
    ['--single', '-D', folder, '-c', 'log_min_error_statement=panic', 'postgres'],
    {
      account,
      cwd: folder,
      // Our own secret in base64url: there is nothing in it that a quote could end.
      input: `alter role postgres password '${options.password}';\n`,
      timeoutMs: SINGLE_USER_TIMEOUT_MS,
    },
  )
  if (code !== 0 || /(?:ERROR|FATAL|PANIC):/.test(output)) throw startFailure(folder, output, code)
}

/** Gives a data folder to the account that has to run it now: it was made by another one, or by an ordinary user. */
export async function giveTo(account: Account, path: string): Promise<void> {
  const { uid } = await stat(path)
  if (uid !== account.uid) await giveTree(account, path)
}

async function giveTree(account: Account, path: string): Promise<void> {
  const entry = await lstat(path)
  if (entry.isSymbolicLink()) return // tablespaces and moved logs are not ours to hand over
  if (entry.isDirectory()) for (const name of await readdir(path)) await giveTree(account, join(path, name))
  await lchown(path, account.uid, account.gid)
}

/** PostgreSQL wants its folder 0700; a copy or a restore from an archive may have widened it. */
export async function closeFolder(folder: string): Promise<void> {
  await chmod(folder, 0o700)
}

/** The refusal that PostgreSQL's own words mean. */
export function startFailure(folder: string, output: string, code: number | null): AppError {
  const cause = new Error(`PostgreSQL ended with ${code ?? 'a signal'}: ${output.slice(-2_000).trim()}`)
  if (/No space left on device|Disk quota exceeded/.test(output))
    return postgresErrors.postgres_disk_full({ folder }, { cause })
  if (/Permission denied|Read-only file system|has wrong ownership|has invalid permissions/.test(output))
    return postgresErrors.postgres_folder_unreadable({ folder, reason: 'EACCES' }, { cause })
  return postgresErrors.postgres_start_failed({ folder }, { cause })
}
