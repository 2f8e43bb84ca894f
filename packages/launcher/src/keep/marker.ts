import { rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { systemCodeOf } from '@slipway/kit'

import { keepErrors } from './errors.ts'

const FILE = 'restore-unfinished'

/** Whether a restore into the data folder broke off. */
export async function isHalfRestored(folder: string): Promise<boolean> {
  try {
    await stat(join(folder, FILE))
    return true
  } catch (thrown) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCodeOf(thrown) ?? '')) return false
    throw thrown
  }
}

/** @throws {AppError} `restore_unfinished` */
export async function refuseHalfRestored(folder: string): Promise<void> {
  if (await isHalfRestored(folder)) throw keepErrors.restore_unfinished()
}

export async function markRestoring(folder: string): Promise<void> {
  await writeFile(join(folder, FILE), '', { mode: 0o600, flush: true })
}

export async function markRestored(folder: string): Promise<void> {
  await rm(join(folder, FILE), { force: true })
}
