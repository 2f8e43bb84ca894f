import { AppError, limiterOf, MIB, SECOND_MS } from '@slipway/kit'

import type { Platform } from '../../context.ts'
import { credentialsOf } from './credentials.ts'
import { sourceErrors } from './errors.ts'
import { LOCAL_MS, packsOf, removeHalfPacks, type Mirrors } from './mirrors.ts'
import { FETCH_MS, REPOSITORY_MAX_MIB, type GitCredentials, type RemoteRefs, type Source } from './model.ts'
import { parseRemoteRefs } from './plan.ts'
import { requireSuccess } from './problems.ts'
import { openAccess, type RemoteRules } from './remote.ts'

/*
 * What goes over the network. A mirror that has something already fetches what is new; of a commit only its own history is
 * asked for, and all branches only where a server gives out nothing else. A few fetch at once, each under limits of size and time.
 */
export type Fetching = {
  /** Branches and tags as the repository has them now. */
  readonly ask: (
    url: string,
    credentials: GitCredentials | undefined,
    signal: AbortSignal,
  ) => Promise<RemoteRefs>
  /** Makes sure that a commit is in the mirror. @throws {AppError} `ref_unknown` */
  readonly ensure: (folder: string, source: Source, commit: string, signal: AbortSignal) => Promise<void>
  /** Brings every branch and tag up to date. */
  readonly fetchAll: (folder: string, source: Source, signal: AbortSignal) => Promise<void>
}

const ASK_MS = 30 * SECOND_MS
const FETCHES_AT_ONCE = 3
const FETCHES_WAITING = 50
const EVERYTHING = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*']

export function fetching(
  platform: Pick<Platform, 'envelope'>,
  { git, ready }: Pick<Mirrors, 'git' | 'ready'>,
  rules: RemoteRules,
): Fetching {
  const fetches = limiterOf(FETCHES_AT_ONCE)

  async function limited<T>(task: () => Promise<T>): Promise<T> {
    if (fetches.waiting() >= FETCHES_WAITING)
      throw sourceErrors.source_busy(undefined, { retryAfterSeconds: 10 })
    return fetches.run(task)
  }

  async function fetchRefs(
    folder: string,
    source: Source,
    refs: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    await using access = await openAccess(source.url, credentialsOf(platform, source), rules)
    const result = await git({
      args: ['fetch', '--prune', '--no-tags', '--force', '--no-write-fetch-head', '--', access.url, ...refs],
      folder,
      // Always as a pack, which is what the size is measured by.
      config: [...access.config, ['fetch.unpackLimit', '1']],
      environment: access.environment,
      timeoutMs: FETCH_MS,
      signal,
      isTooLarge: async () => (await packsOf(folder)).sizeBytes > REPOSITORY_MAX_MIB * MIB,
    })
    if (result.outcome !== 'ended') await removeHalfPacks(folder)
    requireSuccess(result, access.host)
  }

  async function has(folder: string, commit: string, signal: AbortSignal): Promise<boolean> {
    const args = ['cat-file', '-e', `${commit}^{commit}`]
    return (await git({ args, folder, timeoutMs: LOCAL_MS, signal })).code === 0
  }

  const fetchAll: Fetching['fetchAll'] = (folder, source, signal) =>
    limited(() => fetchRefs(folder, source, EVERYTHING, signal))

  return {
    fetchAll,
    ask: (url, credentials, signal) =>
      limited(async () => {
        await ready()
        await using access = await openAccess(url, credentials, rules)
        const result = await git({
          args: ['ls-remote', '--symref', '--', access.url, 'HEAD', 'refs/heads/*', 'refs/tags/*'],
          config: access.config,
          environment: access.environment,
          timeoutMs: ASK_MS,
          signal,
        })
        requireSuccess(result, access.host)
        return parseRemoteRefs(result.stdout.toString('utf8'))
      }),
    async ensure(folder, source, commit, signal) {
      if (await has(folder, commit, signal)) return
      try {
        await limited(() => fetchRefs(folder, source, [`+${commit}:refs/slipway/${commit}`], signal))
      } catch (thrown) {
        if (!isUnknown(thrown)) throw thrown
        // Some servers give out only what a branch or tag leads to.
        await fetchAll(folder, source, signal)
      }
      if (!(await has(folder, commit, signal))) throw sourceErrors.ref_unknown({ ref: commit })
    },
  }
}

/** Whether the server refused a commit's id, in the words that servers have for it. */
function isUnknown(thrown: unknown): boolean {
  return thrown instanceof AppError && (thrown.code === 'ref_unknown' || thrown.code === 'source_failed')
}
