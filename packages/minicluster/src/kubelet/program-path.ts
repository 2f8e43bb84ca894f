/*
 * The PATH of Instances: what a base image has, whoever started us. Their processes find the system's folders, behind those in
 * which this machine keeps a language's programs elsewhere, as the starter's PATH tells. Nothing else of that PATH is taken: a
 * checkout's node_modules/.bin or somebody's own scripts would make an application work here and fail on a cluster.
 */
import { access, constants, stat } from 'node:fs/promises'
import path from 'node:path'

/** As in the base images. */
const SYSTEM = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']
/** What Images and builds of the languages that Slipway knows begin with. */
const PROGRAMS = ['node', 'npm', 'python3', 'java', 'javac', 'mvn', 'git']
const CHECKOUT = /(?:^|\/)node_modules\/\.bin\/?$/

/** @param given - folders to look in, as in a PATH @param forEveryone - the programs run under other accounts than our own */
export async function programPath(given: string, forEveryone: boolean): Promise<string> {
  const candidates = given.split(':').filter((folder) => path.isAbsolute(folder) && !CHECKOUT.test(folder))
  const taken: string[] = []
  for (const program of PROGRAMS) {
    const folder = await folderOf(program, candidates, forEveryone)
    if (folder !== undefined && !SYSTEM.includes(folder) && !taken.includes(folder)) taken.push(folder)
  }
  // In the order in which the starter's PATH finds them.
  return [...candidates.filter((folder) => taken.includes(folder)), ...SYSTEM]
    .filter((folder, index, all) => all.indexOf(folder) === index)
    .join(':')
}

async function folderOf(
  program: string,
  candidates: readonly string[],
  forEveryone: boolean,
): Promise<string | undefined> {
  for (const folder of candidates) {
    const file = path.join(folder, program)
    const usable = forEveryone ? await mayEverybodyRun(file) : await mayRun(file)
    if (usable) return folder
  }
  return undefined
}

async function mayRun(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  )
}

/** The program, and every folder on the way to it. */
async function mayEverybodyRun(file: string): Promise<boolean> {
  for (let at = file; ; at = path.dirname(at)) {
    const mode = await stat(at).then(
      (found) => found.mode,
      () => 0,
    )
    if ((mode & 0o001) === 0) return false
    if (at === path.dirname(at)) return true
  }
}
