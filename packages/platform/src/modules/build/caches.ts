import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import { assert, type Clock } from '@slipway/kit'

import { limited } from './bytes.ts'
import { CACHE_MAX_BYTES, CACHES_MAX_BYTES } from './model.ts'
import { cachesToRemove } from './plan.ts'

/*
 * What builds of an Application keep for the next ones (packages that npm, pip and Maven have fetched): one tar for each
 * Application in the data folder, written only by builds of its default branch. Another Application never sees it. A cache
 * that grew too large is thrown away, so that the next one begins small; all together are bounded too.
 */
export type BuildCaches = {
  /** Undefined when there is none. */
  readonly find: (applicationId: string) => Promise<CacheFacts | undefined>
  readonly open: (
    applicationId: string,
  ) => Promise<{ readonly sizeBytes: number; readonly body: Readable } | undefined>
  /** Replaces the cache when all has come. @throws {AppError} `build_package_refused` when it is too large; then there is none any more */
  readonly keep: (applicationId: string, body: Readable, signal: AbortSignal) => Promise<void>
  readonly clear: (applicationId: string) => Promise<void>
  /** Removes those of Applications that are no more, those not used for long, and what is too much. */
  readonly tidy: (findExisting: (ids: readonly string[]) => Promise<ReadonlySet<string>>) => Promise<void>
}

type CacheFacts = { readonly sizeBytes: number; readonly updatedAt: Date; readonly usedAt: Date }

const NAME = /^(app_[0-9a-z]{26})\.tar$/u
/** Of a transfer that this process is not working on; longer than any build may take. */
const GROWING_MAX_MS = 24 * 3_600_000

export function buildCaches(folder: string, clock: Clock): BuildCaches {
  let transfers = 0
  const pathOf = (applicationId: string): string => {
    const name = `${applicationId}.tar`
    assert(NAME.test(name), 'ids of Applications are made here')
    return join(folder, name)
  }

  const find: BuildCaches['find'] = async (applicationId) => {
    const found = await stat(pathOf(applicationId)).catch(() => undefined)
    return found && { sizeBytes: found.size, updatedAt: found.mtime, usedAt: found.atime }
  }

  return {
    find,
    async open(applicationId) {
      const facts = await find(applicationId)
      if (facts === undefined || facts.sizeBytes === 0) return undefined
      const path = pathOf(applicationId)
      // The time of reading is ours: many systems do not keep it.
      await utimes(path, clock.now(), facts.updatedAt)
      return { sizeBytes: facts.sizeBytes, body: createReadStream(path, { end: facts.sizeBytes - 1 }) }
    },
    async keep(applicationId, body, signal) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const path = pathOf(applicationId)
      transfers += 1
      const growing = `${path}.${clock.now().getTime()}-${transfers}`
      let sizeBytes = 0
      const counted = async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
        for await (const chunk of source) {
          sizeBytes += chunk.length
          yield chunk
        }
      }
      try {
        await pipeline(body, counted, limited(CACHE_MAX_BYTES), createWriteStream(growing, { mode: 0o600 }), {
          signal,
        })
        await rename(growing, path)
      } catch (thrown) {
        if (sizeBytes > CACHE_MAX_BYTES) await rm(path, { force: true })
        throw thrown
      } finally {
        await rm(growing, { force: true })
      }
    },
    clear: (applicationId) => rm(pathOf(applicationId), { force: true }),
    async tidy(findExisting) {
      const names = await readdir(folder).catch(() => [])
      const nowMs = clock.now().getTime()
      const ids: string[] = []
      for (const name of names) {
        const id = NAME.exec(name)?.[1]
        if (id !== undefined) ids.push(id)
        else if (nowMs - startOf(name) > GROWING_MAX_MS) await rm(join(folder, name), { force: true })
      }
      const existing = await findExisting(ids)
      const caches = []
      for (const id of ids) {
        const facts = await find(id)
        if (facts) caches.push({ id, sizeBytes: facts.sizeBytes, usedAt: facts.usedAt })
      }
      for (const id of cachesToRemove(caches, existing, clock.now(), CACHES_MAX_BYTES))
        await rm(pathOf(id), { force: true })
    },
  }
}

/** When a growing file was begun, as its name says; 0 when it does not. */
function startOf(name: string): number {
  return Number(/\.tar\.([0-9]{1,16})-[0-9]+$/u.exec(name)?.[1] ?? 0)
}
