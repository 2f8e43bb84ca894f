import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/*
 * A built console lies in a folder named after everything it is made of, so a start knows without asking whether the one
 * for its sources is there, and two starts from one checkout cannot disturb each other.
 */

const checkout = fileURLToPath(new URL('../../../../', import.meta.url))
const SOURCES = ['console/src', 'contract/src', 'kit/src', 'messages/src', 'sdk/src']
const FILES = [
  'package-lock.json',
  'packages/console/package.json',
  'packages/console/index.html',
  'packages/console/terminal.html',
]
const HASH_LENGTH = 16

/** Beside the packages, which `npm ci` removes together with it. */
export const builtFolder = join(checkout, 'node_modules', '.cache', 'slipway-console')
export const consolePackage = join(checkout, 'packages', 'console')

/** The folder in which the console of the present sources lies once it is built. */
export async function consoleFolder(): Promise<string> {
  const listed = await Promise.all(SOURCES.map((folder) => filesBelow(join('packages', folder))))
  const files = [...FILES, ...listed.flat().filter(isOfTheConsole)].sort()
  const contents = await Promise.all(files.map((file) => readFile(join(checkout, file))))
  const hash = createHash('sha256')
  for (const [index, file] of files.entries()) hash.update(`${file}\0`).update(contents[index] ?? '')
  return join(builtFolder, hash.digest('hex').slice(0, HASH_LENGTH))
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(join(checkout, folder), { withFileTypes: true })
  const nested = entries.map((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesBelow(path) : Promise.resolve([path])
  })
  return (await Promise.all(nested)).flat()
}

function isOfTheConsole(file: string): boolean {
  return !/\.test\.tsx?$|\/testing\//u.test(file)
}
