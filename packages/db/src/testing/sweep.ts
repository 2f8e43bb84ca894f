import { readdirSync, readFileSync } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** As mkdtemp names them; nothing that is kept between runs is named so. */
const OURS = /^slipway-[a-z0-9-]+-[A-Za-z0-9]{6}$/
/** Longer than any run takes. */
const AGE_MS = 6 * 60 * 60 * 1_000

/** Removes temporary folders of test runs that were killed: old ones of this account that no process has to do with. */
export async function sweepFolders(parent: string, nowMs: number): Promise<readonly string[]> {
  const names = (await readdir(parent)).filter((name) => OURS.test(name))
  const old: string[] = []
  for (const name of names) {
    const path = join(parent, name)
    const found = await stat(path).catch(() => undefined) // another run sweeps too
    const isOld = found?.isDirectory() === true && nowMs - found.mtimeMs > AGE_MS
    if (isOld && found.uid === process.getuid?.()) old.push(path)
  }
  if (old.length === 0) return []
  const commands = commandLines()
  const unused = old.filter((path) => !commands.some((line) => line.includes(path)))
  for (const path of unused) await rm(path, { recursive: true, force: true })
  return unused
}

/** Of all processes, as far as they can be read. */
function commandLines(): readonly string[] {
  const read = (path: string): string => {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      // It has ended, or there is no /proc here: then age alone decides.
      return ''
    }
  }
  try {
    return readdirSync('/proc')
      .filter((name) => /^[0-9]+$/.test(name))
      .map((pid) => read(`/proc/${pid}/cmdline`))
  } catch {
    // No /proc on this system.
    return []
  }
}
