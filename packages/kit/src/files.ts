/*
 * Small files that hold secrets or say what is so: for the owner alone, and whole at every moment. Apart from the package's
 * main face, since a browser has no files: `@slipway/kit/files`.
 */
import { readFile, rename, rm, writeFile } from 'node:fs/promises'

import { systemCodeOf } from './errors.ts'
import { newSecret } from './ids.ts'

/** For `.catch`: undefined for what is not there; everything else is thrown again. */
export function absent(thrown: unknown): undefined {
  if (systemCodeOf(thrown) === 'ENOENT') return undefined
  throw thrown
}

/** What a file says; undefined when there is none. */
export async function findText(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch(absent)
}

/**
 * Writes a file (0600, also where it was another's before) beside its place and renames it: readers find the old one or the new one,
 * and a failure leaves the old one. The folder must be there.
 * @param options.flush - on the disk before it has its name, for what nobody can make again
 */
export async function replaceFile(
  path: string,
  text: string,
  options: { readonly flush?: boolean } = {},
): Promise<void> {
  const unfinished = `${path}.${newSecret(6)}`
  try {
    await writeFile(unfinished, text, { mode: 0o600, flag: 'wx', flush: options.flush === true })
    await rename(unfinished, path)
  } catch (thrown) {
    await rm(unfinished, { force: true })
    throw thrown
  }
}

/** What a file says; where there is none, what `make` gives, which is written first. For one process at a time. */
export async function keepText(path: string, make: () => string): Promise<string> {
  const known = await findText(path)
  if (known !== undefined) return known
  const made = make()
  await replaceFile(path, made, { flush: true })
  return made
}
