import { mkdir, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { assert, messageOf, MINUTE_MS, serialQueue, type SerialQueue } from '@slipway/kit'
import { absent } from '@slipway/kit/files'

import type { Platform } from '../../context.ts'
import { sourceErrors } from './errors.ts'
import { runGit, type GitResult, type GitRun } from './git.ts'
import { MIRRORS_MAX_BYTES } from './model.ts'
import { mirrorsToRemove, type MirrorFacts } from './plan.ts'
import { BrokenMirror, requireSuccess } from './problems.ts'
import { prepareHome } from './remote.ts'

/*
 * Bare mirrors in the data folder, one for each repository with its credentials, however many Applications are built from it.
 * They hold nothing that could not be fetched again: one that is damaged is thrown away, one that nobody used for long too, and
 * when all together are too large, those used least lately. One call at a time works on a mirror.
 */
export type Mirrors = {
  /** Before anything else is put into the folders; what earlier calls left there goes first. */
  readonly ready: () => Promise<void>
  /** Runs git in no mirror, or in the folder that `run` says. */
  readonly git: (run: GitRun) => Promise<GitResult>
  readonly home: string
  /** Runs a task alone on a mirror; the folder is an initialised bare repository. */
  readonly use: <T>(name: string, signal: AbortSignal, task: (folder: string) => Promise<T>) => Promise<T>
  /** Keeps a mirror from being removed or packed anew until it is disposed. */
  readonly hold: (name: string) => Disposable
  /** Removes a mirror that nobody holds, after what is under way on it. */
  readonly remove: (name: string) => Promise<void>
  /** Removes what is old or too much, packs anew what has fallen apart. */
  readonly tidy: () => Promise<void>
}

type Entry = { readonly queue: SerialQueue; waiting: number; holds: number }

export const LOCAL_MS = MINUTE_MS
const PACK_ANEW_MS = 10 * MINUTE_MS
const WAITING_MAX = 50
const PACKS_MAX = 20
/** Commits that were asked for by their ids, kept for builds that ask again. */
const PINNED_MAX = 50
const USED_FILE = 'slipway-used'

type Parts = Pick<Platform, 'clock'> & { readonly log?: Platform['log'] | undefined }

/** @param root - the folder for everything about sources; what calls left behind there in an earlier life is removed */
export function openMirrors(platform: Parts, root: string): Mirrors {
  const { clock } = platform
  const folder = join(root, 'mirrors')
  const home = join(root, 'home')
  const entries = new Map<string, Entry>()
  let prepared: Promise<void> | undefined

  async function prepare(): Promise<void> {
    // Keys of calls that did not live to remove them.
    await rm(join(root, 'temporary'), { recursive: true, force: true })
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await prepareHome(home)
  }

  function ready(): Promise<void> {
    prepared ??= prepare().catch((thrown: unknown) => {
      prepared = undefined
      throw thrown
    })
    return prepared
  }

  async function git(run: GitRun): Promise<GitResult> {
    await ready()
    return runGit(clock, home, run)
  }

  function entryOf(name: string): Entry {
    assert(/^[0-9a-f]{32}$/u.test(name), 'names of mirrors are made here')
    const entry = entries.get(name) ?? { queue: serialQueue(), waiting: 0, holds: 0 }
    entries.set(name, entry)
    return entry
  }

  const pathOf = (name: string): string => join(folder, `${name}.git`)

  async function alone<T>(name: string, task: (entry: Entry) => Promise<T>): Promise<T> {
    const entry = entryOf(name)
    entry.waiting += 1
    try {
      return await entry.queue.run(() => task(entry))
    } finally {
      entry.waiting -= 1
      if (entry.waiting === 0 && entry.holds === 0) entries.delete(name)
    }
  }

  async function init(path: string, signal: AbortSignal): Promise<void> {
    await ready()
    const used = join(path, USED_FILE)
    const now = clock.now()
    if (await isThere(used)) return utimes(used, now, now)
    // Without this file it was not made to its end.
    await rm(path, { recursive: true, force: true })
    await mkdir(path, { recursive: true, mode: 0o700 })
    const args = ['init', '--quiet', '--bare', '--template=', '.']
    requireSuccess(await git({ args, folder: path, timeoutMs: LOCAL_MS, signal }), '')
    await writeFile(used, '', { mode: 0o600 })
    await utimes(used, now, now)
  }

  const use: Mirrors['use'] = async (name, signal, task) => {
    if (entryOf(name).waiting >= WAITING_MAX)
      throw sourceErrors.source_busy(undefined, { retryAfterSeconds: 10 })
    const path = pathOf(name)
    return alone(name, async () => {
      signal.throwIfAborted()
      await init(path, signal)
      try {
        return await task(path)
      } catch (thrown) {
        if (!(thrown instanceof BrokenMirror)) throw thrown
        platform.log?.warn({ mirror: name, error: messageOf(thrown) }, 'a mirror is damaged; it is made anew')
        await rm(path, { recursive: true, force: true })
        await init(path, signal)
        return task(path)
      }
    })
  }

  async function packAnew(path: string): Promise<void> {
    const run = (...args: readonly string[]): Promise<GitResult> =>
      git({ args, folder: path, timeoutMs: PACK_ANEW_MS })
    const list = ['for-each-ref', '--sort=-creatordate', '--format=%(refname)', 'refs/slipway/']
    const pinned = (await run(...list)).stdout.toString('utf8').split('\n').filter(Boolean)
    for (const ref of pinned.slice(PINNED_MAX)) requireSuccess(await run('update-ref', '-d', ref), '')
    requireSuccess(await run('gc', '--quiet', '--prune=now'), '')
  }

  async function remove(name: string): Promise<void> {
    await alone(name, async ({ holds }) => {
      if (holds === 0) await rm(pathOf(name), { recursive: true, force: true })
    })
  }

  async function facts(): Promise<MirrorFacts[]> {
    const names = (await readdir(folder).catch(() => [])).filter((name) => /^[0-9a-f]{32}\.git$/u.test(name))
    return Promise.all(
      names.map(async (name) => {
        const path = join(folder, name)
        const { sizeBytes, packs } = await packsOf(path)
        const usedAt = await stat(join(path, USED_FILE)).then(
          ({ mtime }) => mtime,
          () => new Date(0),
        )
        return { name: name.slice(0, -'.git'.length), sizeBytes, packs, usedAt }
      }),
    )
  }

  return {
    ready,
    git,
    home,
    use,
    remove,
    hold(name) {
      const entry = entryOf(name)
      entry.holds += 1
      return {
        [Symbol.dispose]() {
          entry.holds -= 1
          if (entry.waiting === 0 && entry.holds === 0) entries.delete(name)
        },
      }
    },
    async tidy() {
      const all = await facts()
      const surplus = mirrorsToRemove(all, clock.now(), MIRRORS_MAX_BYTES)
      for (const name of surplus) await remove(name)
      for (const { name, packs } of all) {
        if (packs <= PACKS_MAX || surplus.has(name)) continue
        await alone(name, async ({ holds }) => {
          if (holds === 0) await packAnew(pathOf(name))
        })
      }
    },
  }
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(absent)) !== undefined
}

/** Number and size of the packs, finished and growing: nearly everything a mirror holds. */
export async function packsOf(path: string): Promise<{ readonly sizeBytes: number; readonly packs: number }> {
  const packs = join(path, 'objects', 'pack')
  const names = await readdir(packs).catch(() => [])
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(packs, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  )
  return {
    sizeBytes: sizes.reduce((sum, size) => sum + size, 0),
    packs: names.filter((name) => name.endsWith('.pack')).length,
  }
}

/** Removes what a fetch that was ended left of a pack. */
export async function removeHalfPacks(path: string): Promise<void> {
  const packs = join(path, 'objects', 'pack')
  const names = await readdir(packs).catch(() => [])
  for (const name of names)
    if (name.startsWith('tmp_') || name.endsWith('.lock')) await rm(join(packs, name), { force: true })
}
