import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

import { isRecord, newSecret, parseJson, systemCodeOf } from '@slipway/kit'

/** Passwords of the roles of one embedded server. */
export type Passwords = { readonly superuser: string; readonly owner: string; readonly app: string }

/** The kept passwords, or undefined when there are none (a new folder, or the file was lost). */
export async function readPasswords(path: string): Promise<Passwords | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return undefined
    throw thrown
  }
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
  const unfinished = `${path}.${process.pid}`
  await using file = await open(unfinished, 'w', 0o600)
  await file.writeFile(`${JSON.stringify(passwords)}\n`)
  await file.sync()
  await rename(unfinished, path)
  return passwords
}
