import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { isRecord, messageOf, newSecret, parseJson, type Envelope } from '@slipway/kit'
import { replaceFile } from '@slipway/kit/files'

import { keepErrors } from './errors.ts'

/*
 * A backup is a folder (0700, its files 0600):
 *   backup.json    written last: without it the backup is not whole
 *   database       every row of one moment, compressed, encrypted with a key of this backup
 *   registry/      the blobs of Images, by digest
 *   samples/
 * The backup's key stands in backup.json, sealed by the master key, which is never part of a backup.
 */
const FILE = 'backup.json'
const FORMAT_VERSION = 1
const KEY_BYTES = 32

export type Tree = { readonly files: number; readonly bytes: number }

export type Manifest = {
  readonly id: string
  readonly createdAt: string
  /** Of the product that made it. */
  readonly version: string
  /** Of the database's file, sealed. */
  readonly key: string
  readonly registry: Tree
  /** The text of ports.json, so that Images keep their names. */
  readonly ports: string | null
}

/** @throws {AppError} `backup_invalid` */
export async function readManifest(folder: string): Promise<Manifest> {
  let value: unknown
  try {
    value = parseJson(await readFile(join(folder, FILE), 'utf8'))
  } catch (cause) {
    throw keepErrors.backup_invalid({ reason: `${FILE}: ${messageOf(cause)}` }, { cause })
  }
  if (!isRecord(value) || value['format'] !== 'slipway-backup-folder')
    throw keepErrors.backup_invalid({ reason: FILE })
  const { formatVersion, id, createdAt, version, key, ports, registry } = value
  if (formatVersion !== FORMAT_VERSION)
    throw keepErrors.backup_newer({ version: typeof version === 'string' ? version.slice(0, 64) : '' })
  if (
    typeof id !== 'string' ||
    typeof createdAt !== 'string' ||
    typeof version !== 'string' ||
    typeof key !== 'string'
  )
    throw keepErrors.backup_invalid({ reason: FILE })
  if (!isRecord(registry) || typeof registry['files'] !== 'number' || typeof registry['bytes'] !== 'number')
    throw keepErrors.backup_invalid({ reason: FILE })
  return {
    id,
    createdAt,
    version,
    key,
    registry: { files: registry['files'], bytes: registry['bytes'] },
    ports: typeof ports === 'string' ? ports : null,
  }
}

/** On the disk before it has its name. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  const head = { format: 'slipway-backup-folder', formatVersion: FORMAT_VERSION }
  const text = `${JSON.stringify({ ...head, ...manifest }, null, 2)}\n`
  await replaceFile(join(folder, FILE), text, { flush: true })
}

/** A new key for one backup, and the same sealed. */
export function newBackupKey(
  envelope: Envelope,
  id: string,
): { readonly key: Buffer; readonly sealed: string } {
  const key = Buffer.from(newSecret(KEY_BYTES), 'base64url')
  return { key, sealed: envelope.seal(key, ownerOf(id)) }
}

/** @throws {AppError} `master_key_wrong` */
export function openBackupKey(envelope: Envelope, { id, key }: Manifest, place: string): Buffer {
  try {
    return envelope.open(key, ownerOf(id))
  } catch (cause) {
    throw keepErrors.master_key_wrong({ place }, { cause })
  }
}

function ownerOf(id: string): readonly [string, string, string, string] {
  return ['installation', 'backup', id, '1']
}
