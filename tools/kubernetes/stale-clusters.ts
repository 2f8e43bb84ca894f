import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { PROCESSES_FILE } from './child-processes.ts'
import { removeCgroups } from './node-cgroups.ts'
import { removeNetwork } from './node-network.ts'
import { isAlive, killProcess, type ProcessIdentity, waitUntilGone } from './process-identity.ts'

/** Says in each cluster's folder who is responsible for it. */
export const OWNER_FILE = 'owner.json'
export type Owner = { readonly supervisor: ProcessIdentity; readonly detached: boolean }

const PREFIX = 'slipway-real-'
/** A folder whose supervisor has not signed it yet is being set up; after this long it is litter. */
const UNSIGNED_MAX_MS = 10 * 60_000

export function makeClusterFolder(): string {
  return mkdtempSync(join(tmpdir(), PREFIX))
}

/** The clusters of this user that `start` left running, by folder. */
export function detachedClusters(): { readonly folder: string; readonly owner: Owner }[] {
  return clusterFolders().flatMap((folder) => {
    const owner = readJson(join(folder, OWNER_FILE)) as Owner | undefined
    return owner?.detached && isAlive(owner.supervisor) ? [{ folder, owner }] : []
  })
}

/** Ends what is left of a cluster and removes all that it put on this machine. May be called twice. */
export async function removeCluster(folder: string): Promise<void> {
  const identities = (readJson(join(folder, PROCESSES_FILE)) ?? []) as ProcessIdentity[]
  identities.toReversed().forEach((identity) => killProcess(identity))
  await waitUntilGone(identities)
  removeNetwork(folder)
  await removeCgroups(folder)
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}

/** Does that for every cluster of this user whose supervisor is gone. */
export async function sweepStaleClusters(): Promise<void> {
  for (const folder of clusterFolders()) {
    const owner = readJson(join(folder, OWNER_FILE)) as Owner | undefined
    const signed = owner !== undefined || Date.now() - statSync(folder).mtimeMs < UNSIGNED_MAX_MS
    if (owner ? !isAlive(owner.supervisor) : !signed) await removeCluster(folder)
  }
}

function clusterFolders(): string[] {
  const uid = process.getuid?.()
  return readdirSync(tmpdir())
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => join(tmpdir(), name))
    .filter((folder) => statSync(folder, { throwIfNoEntry: false })?.uid === uid)
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    // Not written yet, or removed this moment: both mean that nothing is known.
    return undefined
  }
}
