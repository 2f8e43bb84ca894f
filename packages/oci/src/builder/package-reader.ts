import { randomUUID } from 'node:crypto'
import { open, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'

import { must } from '@slipway/kit'

import { ociErrors } from '../errors.ts'
import type { ByteStream } from '../streams.ts'
import { baseNameOf, checkEntryPath, leavesRoot, parentOf } from '../tar/paths.ts'
import { decompressedStream, readTar, type TarEntry, type TarLimits } from '../tar/read.ts'

/*
 * Reads the tar that a build hands out. Nothing is unpacked: the contents of all files go, one after another, into a single
 * nameless temporary file, and what is kept in memory is the list of names. So the layers can be sorted and split afterwards
 * without holding any of them, and whatever the archive calls its files never reaches a file system.
 */
export type PackageEntry = {
  readonly path: string
  readonly kind: 'file' | 'folder' | 'symlink'
  readonly isExecutable: boolean
  readonly sizeBytes: number
  readonly mtimeSeconds: number
  /** Target of a symlink, relative; empty otherwise. */
  readonly linkName: string
  /** Where the content begins in the spool. */
  readonly offsetBytes: number
}

export type PackageLimits = {
  readonly entriesMax: number
  /** Bytes of the package as it is sent. */
  readonly archiveMaxBytes: number
  /** Bytes of all files, unpacked. */
  readonly totalMaxBytes: number
}

export const PACKAGE_LIMITS: PackageLimits = {
  entriesMax: 200_000,
  archiveMaxBytes: 2 * 1024 ** 3,
  totalMaxBytes: 4 * 1024 ** 3,
}

export type ReadPackage = AsyncDisposable & {
  /** By path, in byte order; folders that only follow from a path are not listed. */
  readonly entries: readonly PackageEntry[]
  readonly sizeBytes: number
  readonly contentOf: (entry: PackageEntry) => ByteStream
}

const PIECE_BYTES = 256 * 1024
const GATHER_BYTES = 1024 * 1024
const WHITEOUT = '.wh.'
const APPLICATION = '/app/'
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/

/**
 * Reads a whole package under limits.
 * @param options.spoolFolder - where the nameless temporary file is made; needs room for the unpacked package
 * @throws {AppError} `package_invalid` with `reason` and `entry`, `package_too_large` with `reason`
 */
export async function readPackage(options: {
  readonly archive: ByteStream
  readonly spoolFolder: string
  readonly limits?: Partial<PackageLimits> | undefined
  readonly signal?: AbortSignal | undefined
}): Promise<ReadPackage> {
  const limits = { ...PACKAGE_LIMITS, ...options.limits }
  const spool = await openSpool(options.spoolFolder)
  try {
    const entries = new Map<string, PackageEntry>()
    const plain = decompressedStream(counted(options.archive, limits.archiveMaxBytes), refuse)
    for await (const entry of readTar(plain, tarLimitsOf(limits))) {
      options.signal?.throwIfAborted()
      await addEntry(entries, entry, spool)
    }
    await spool.flush()
    checkPlaces(entries)
    const sorted = [...entries.values()].sort((a, b) =>
      Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)),
    )
    if (!sorted.some((entry) => entry.kind === 'file')) throw refuse('it holds no file')
    return {
      entries: sorted,
      sizeBytes: sorted.reduce((sum, entry) => sum + entry.sizeBytes, 0),
      contentOf: (entry) => readSpool(spool.handle, entry),
      [Symbol.asyncDispose]: () => spool.handle.close(),
    }
  } catch (cause) {
    await spool.handle.close()
    throw cause
  }
}

function refuse(reason: string, entry = ''): Error {
  return ociErrors.package_invalid({ reason, entry: printable(entry) })
}

/** A hostile name must not write to a log or terminal as it likes. */
function printable(name: string): string {
  return name.replaceAll(new RegExp(CONTROL, 'g'), '?').slice(0, 200)
}

function tarLimitsOf(limits: PackageLimits): TarLimits {
  return {
    entriesMax: limits.entriesMax,
    totalMaxBytes: limits.totalMaxBytes,
    refuse,
    tooLarge: (reason) => ociErrors.package_too_large({ reason }),
  }
}

async function* counted(archive: ByteStream, sizeMaxBytes: number): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0
  for await (const chunk of archive) {
    sizeBytes += chunk.length
    if (sizeBytes > sizeMaxBytes)
      throw ociErrors.package_too_large({ reason: `it is larger than ${sizeMaxBytes} bytes` })
    yield chunk
  }
}

type Spool = {
  readonly handle: FileHandle
  readonly write: (chunk: Uint8Array) => Promise<void>
  readonly flush: () => Promise<void>
  readonly endBytes: () => number
}

async function openSpool(folder: string): Promise<Spool> {
  const file = join(folder, `package-${randomUUID()}`)
  const handle = await open(file, 'wx+', 0o600)
  // Nameless from now on: whatever happens to this process, nothing stays behind.
  await unlink(file)
  let writtenBytes = 0
  let gatheredBytes = 0
  let gathered: Uint8Array[] = []

  async function flush(): Promise<void> {
    if (gatheredBytes === 0) return
    const bytes = Buffer.concat(gathered)
    gathered = []
    gatheredBytes = 0
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, writtenBytes + done)
      done += bytesWritten
    }
    writtenBytes += bytes.length
  }

  return {
    handle,
    flush,
    endBytes: () => writtenBytes + gatheredBytes,
    async write(chunk) {
      gathered.push(chunk)
      gatheredBytes += chunk.length
      if (gatheredBytes >= GATHER_BYTES) await flush()
    },
  }
}

async function* readSpool(handle: FileHandle, entry: PackageEntry): AsyncGenerator<Uint8Array> {
  const endBytes = entry.offsetBytes + entry.sizeBytes
  for (let position = entry.offsetBytes; position < endBytes;) {
    const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, endBytes - position))
    const { bytesRead } = await handle.read(piece, 0, piece.length, position)
    if (bytesRead === 0) throw new Error('the spool of a package is shorter than what was written to it')
    yield piece.subarray(0, bytesRead)
    position += bytesRead
  }
}

async function addEntry(entries: Map<string, PackageEntry>, entry: TarEntry, spool: Spool): Promise<void> {
  const path = checkedPath(entry.name)
  if (path === '') {
    if (entry.kind !== 'folder') throw refuse('the package itself is not a folder', entry.name)
    return
  }
  const made = await packageEntryOf(entries, entry, path, spool)
  const old = entries.get(path)
  if (old && (old.kind === 'folder') !== (made.kind === 'folder'))
    throw refuse('a name is both a folder and something else', entry.name)
  // As tar does it: what comes later replaces what came first.
  entries.set(path, made)
}

function checkedPath(name: string): string {
  const checked = checkEntryPath(name)
  if (!checked.ok) throw refuse(checked.reason, name)
  if (CONTROL.test(name)) throw refuse('a name has a control character', name)
  if (checked.path.split('/').some((part) => part.startsWith(WHITEOUT)))
    throw refuse('a name begins with .wh., which would delete files of the base', name)
  return checked.path
}

async function packageEntryOf(
  entries: ReadonlyMap<string, PackageEntry>,
  entry: TarEntry,
  path: string,
  spool: Spool,
): Promise<PackageEntry> {
  const plain: PackageEntry = {
    path,
    kind: 'file',
    isExecutable: (entry.mode & 0o111) !== 0,
    sizeBytes: 0,
    mtimeSeconds: entry.mtimeSeconds,
    linkName: '',
    offsetBytes: 0,
  }
  switch (entry.kind) {
    case 'folder':
      return { ...plain, kind: 'folder', isExecutable: false }
    case 'file': {
      if ((entry.mode & 0o6000) !== 0) throw refuse('a file has the setuid or setgid bit', entry.name)
      const offsetBytes = spool.endBytes()
      for await (const chunk of entry.content) await spool.write(chunk)
      return { ...plain, sizeBytes: entry.sizeBytes, offsetBytes }
    }
    case 'symlink':
      return { ...plain, kind: 'symlink', isExecutable: false, linkName: linkTarget(entry, path) }
    case 'hardlink': {
      const target = entries.get(checkedPath(entry.linkName))
      if (target?.kind !== 'file')
        throw refuse('a hard link names no earlier file of the package', entry.name)
      return { ...target, path }
    }
    case 'device':
    case 'fifo':
    case 'other':
    default:
      throw refuse(
        `an entry is a ${entry.kind}; only files, folders and links inside are allowed`,
        entry.name,
      )
  }
}

/** Links to `/app/…` become relative, because only then do they hold wherever the package lies. */
function linkTarget(entry: TarEntry, path: string): string {
  const { linkName } = entry
  if (linkName === '' || CONTROL.test(linkName)) throw refuse('a link has no usable target', entry.name)
  if (!linkName.startsWith('/')) return linkName
  if (!linkName.startsWith(APPLICATION)) throw refuse('a link leads out of the package', entry.name)
  return '../'.repeat(path.split('/').length - 1) + linkName.slice(APPLICATION.length)
}

/** Rules that need the whole list: nothing below a file or link, no link that leads out by way of others. */
function checkPlaces(entries: ReadonlyMap<string, PackageEntry>): void {
  const checkedFolders = new Set<string>([''])
  for (const path of entries.keys()) {
    for (let parent = parentOf(path); !checkedFolders.has(parent); parent = parentOf(parent)) {
      const holder = entries.get(parent)
      if (holder?.kind === 'symlink') throw refuse('an entry lies behind a link', path)
      if (holder?.kind === 'file') throw refuse('an entry lies below a file', path)
      checkedFolders.add(parent)
    }
  }
  for (const [path, entry] of entries) {
    const linkAt = (place: string): string | undefined => {
      const found = entries.get(place)
      return found?.kind === 'symlink' ? must(found.linkName, 'a link has a target') : undefined
    }
    if (entry.kind === 'symlink' && leavesRoot(path, linkAt))
      throw refuse(`the link ${baseNameOf(path).slice(0, 80)} leads out of the package`, path)
  }
}
