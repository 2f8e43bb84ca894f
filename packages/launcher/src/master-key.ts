import { chmod, link, open, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

import { checkCanary, sealCanary } from '@slipway/db'
import { envelopeOf, newMasterKey, newSecret, systemCodeOf } from '@slipway/kit'
import type { Envelope } from '@slipway/kit'
import { findText } from '@slipway/kit/files'

import type { DataFolder } from './data-folder.ts'
import { dataFolderErrors } from './data-folder-errors.ts'

const KEY_BYTES = 32
/** 32 bytes by chance hold about 30 different ones; fewer than this come from a keyboard or from an example. */
const DIFFERENT_BYTES_MIN = 16
const PLACE = 'data-folder'

/**
 * The envelope of this installation. The first start makes `keys/master.key` (0600, base64url) and beside the keys, in the
 * data folder itself, a canary that only this key opens: a lost or exchanged key is told before anything is written with it.
 * @throws {AppError} `master_key_missing`, `master_key_invalid`, `master_key_wrong`
 */
export async function openMasterKey(folder: DataFolder): Promise<Envelope> {
  const keyPath = join(folder.keysFolder, 'master.key')
  const canaryPath = join(folder.path, 'canary')
  const canary = (await findText(canaryPath))?.trim()
  const text = (await findText(keyPath))?.trim()
  if (text === undefined && canary !== undefined) throw dataFolderErrors.master_key_missing({ path: keyPath })

  const kept = text ?? (await createOnce(keyPath, newMasterKey().toString('base64url')))
  await closeFile(keyPath)
  const envelope = envelopeOf(parseKey(kept, keyPath))
  const sealed = canary ?? (await createOnce(canaryPath, sealCanary(envelope, PLACE)))
  checkCanary(envelope, sealed, PLACE)
  return envelope
}

/** @throws {AppError} `master_key_invalid` */
export function parseKey(text: string, path: string): Buffer {
  const trimmed = text.trim()
  const key = Buffer.from(trimmed, 'base64url')
  const isKey =
    /^[A-Za-z0-9_-]{43}$/.test(trimmed) &&
    key.length === KEY_BYTES &&
    new Set(key).size >= DIFFERENT_BYTES_MIN
  if (!isKey) throw dataFolderErrors.master_key_invalid({ path })
  return key
}

/** Writes a file that is whole and on the disk before it has its name; whoever was faster wins. Returns what is kept. */
async function createOnce(path: string, text: string): Promise<string> {
  const unfinished = `${path}.${newSecret(6)}`
  try {
    await using file = await open(unfinished, 'wx', 0o600)
    await file.writeFile(`${text}\n`)
    await file.sync()
    await link(unfinished, path)
    return text
  } catch (thrown) {
    if (systemCodeOf(thrown) !== 'EEXIST') throw thrown
    return (await readFile(path, 'utf8')).trim()
  } finally {
    await rm(unfinished, { force: true })
  }
}

async function closeFile(path: string): Promise<void> {
  if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600)
}
