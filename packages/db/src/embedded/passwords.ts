import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'

import { isRecord, newSecret, parseJson } from '@slipway/kit'
import { findText, replaceFile } from '@slipway/kit/files'

/** Passwords of the roles of one embedded server. */
export type Passwords = { readonly superuser: string; readonly owner: string; readonly app: string }

/** The kept passwords, or undefined when there are none (a new folder, or the file was lost). */
export async function readPasswords(path: string): Promise<Passwords | undefined> {
  const text = await findText(path)
  if (text === undefined) return undefined
  const kept = parseJson(text)
  if (isRecord(kept)) {
    const { superuser, owner, app } = kept
    if (typeof superuser === 'string' && typeof owner === 'string' && typeof app === 'string')
      return { superuser, owner, app }
  }
  throw new Error(`${path} does not hold the passwords of a database; remove it and new ones are made`)
}

/** Makes and keeps new passwords; on the disk, 0600, before they are used anywhere. */
export async function createPasswords(path: string): Promise<Passwords> {
  const passwords = { superuser: newSecret(), owner: newSecret(), app: newSecret() }
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await replaceFile(path, `${JSON.stringify(passwords)}\n`, { flush: true })
  return passwords
}
