/*
 * Uids of Instances. As root every pod gets one of its own, claimed for the whole host by a file made with O_EXCL, so that two
 * installations never share one. A claim of an earlier boot, or of a pod folder that is gone, is free again.
 */
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { isRecord, messageOf, parseJson, systemCodeOf, type Clock } from '@slipway/kit'

const FIRST_UID = 1_900_000_000
const UID_COUNT = 100_000
const LOCK_STALE_MS = 10_000
const LOCK_RETRY_MS = 10
const LOCK_TRIES = 2_000

export type Identities = {
  /** Claims a free uid for a pod, `preferred` if it is free; undefined when Instances run under our own. */
  readonly claim: (podUid: string, podFolder: string, preferred?: number) => Promise<number | undefined>
  readonly release: (uid: number) => Promise<void>
}

export function ordinaryIdentities(): Identities {
  return { claim: async () => undefined, release: async () => undefined }
}

export function hostIdentities(options: {
  readonly folder: string
  readonly bootId: string
  readonly clock: Clock
}): Identities {
  const { folder, bootId, clock } = options
  let next = 0

  async function claim(podUid: string, podFolder: string, preferred?: number): Promise<number> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    // A claim without its pod folder is stale, so the folder comes first.
    await mkdir(podFolder, { recursive: true, mode: 0o700 })
    await using _lock = await lockFolder(folder, clock)
    const taken = new Set(await readdir(folder))
    const first = preferred === undefined ? next : preferred - FIRST_UID
    for (let tried = 0; tried < UID_COUNT; tried += 1) {
      const uid = FIRST_UID + ((first + tried) % UID_COUNT)
      const file = path.join(folder, String(uid))
      if (taken.has(String(uid)) && !(await isStale(file, bootId))) continue
      if (taken.has(String(uid))) await rm(file, { force: true })
      if (!(await createClaim(file, { podUid, podFolder, bootId }))) continue
      next = uid - FIRST_UID + 1
      return uid
    }
    throw new Error(`all ${UID_COUNT} uids for Instances are taken: see ${folder}`)
  }

  return { claim, release: (uid) => rm(path.join(folder, String(uid)), { force: true }) }
}

/** Two agents that both found a claim stale must not both replace it. A lock older than a claim ever takes was left by a kill. */
async function lockFolder(folder: string, clock: Clock): Promise<AsyncDisposable> {
  const lock = path.join(folder, 'lock')
  const release = (): Promise<void> => rm(lock, { recursive: true, force: true })
  for (let tried = 0; ; tried += 1) {
    try {
      await mkdir(lock)
      return { [Symbol.asyncDispose]: release }
    } catch (error) {
      if (systemCodeOf(error) !== 'EEXIST' || tried > LOCK_TRIES)
        throw new Error(`cannot lock ${folder}: ${messageOf(error)}`, { cause: error })
    }
    const info = await stat(lock).catch(() => undefined)
    if (info && clock.now().getTime() - info.mtimeMs > LOCK_STALE_MS) await release()
    else await clock.sleep(LOCK_RETRY_MS)
  }
}

async function createClaim(file: string, claim: object): Promise<boolean> {
  try {
    await writeFile(file, JSON.stringify(claim), { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if (systemCodeOf(error) === 'EEXIST') return false
    throw new Error(`cannot claim a uid by ${file}: ${messageOf(error)}`, { cause: error })
  }
}

async function isStale(file: string, bootId: string): Promise<boolean> {
  try {
    const claim = parseJson(await readFile(file, 'utf8'))
    if (!isRecord(claim) || typeof claim['podFolder'] !== 'string') return false
    if (claim['bootId'] !== bootId) return true
    await stat(claim['podFolder'])
    return false
  } catch (error) {
    return systemCodeOf(error) === 'ENOENT'
  }
}
