import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const ROOT = '/sys/fs/cgroup'
const EMPTY_WITHIN_MS = 10_000

/** The cgroup below which everything of the cluster in `folder` runs, in each hierarchy of this machine. */
export const clusterCgroup = (folder: string): string => `/${basename(folder)}`

/** Makes a cgroup, given as in `/proc/self/cgroup`, in each hierarchy. */
export function makeCgroup(path: string): void {
  for (const root of hierarchies()) mkdirSync(join(root, path), { recursive: true })
}

/** Removes it everywhere; its processes must have been killed, but may still be on their way out. */
export async function removeCgroups(folder: string): Promise<void> {
  const deadlineMs = Date.now() + EMPTY_WITHIN_MS
  for (const path of hierarchies().map((root) => join(root, clusterCgroup(folder)))) {
    while (existsSync(path)) {
      try {
        removeTree(path)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EBUSY' || Date.now() > deadlineMs) throw error
        await sleep(20)
      }
    }
  }
}

/** One with version 2, one per controller with version 1, and all of them where both are mixed. */
function hierarchies(): string[] {
  if (!existsSync(ROOT)) return []
  return [ROOT, ...foldersIn(ROOT)].filter((path) => existsSync(join(path, 'cgroup.procs')))
}

/** The files of a cgroup cannot be removed and need not be. */
function removeTree(path: string): void {
  for (const child of foldersIn(path)) removeTree(child)
  rmdirSync(path)
}

function foldersIn(path: string): string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(path, entry.name))
}
