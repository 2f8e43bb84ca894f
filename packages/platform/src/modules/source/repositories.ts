import { createHash } from 'node:crypto'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

import {
  limiterOf,
  MIB,
  MINUTE_MS,
  SECOND_MS,
  serialQueue,
  systemCodeOf,
  unreachable,
  type SerialQueue,
} from '@slipway/kit'

import type { Platform } from '../../context.ts'
import { outboundGuard, outboundRulesOf, type OutboundGuard } from '../../outbound/index.ts'
import { parseAppManifest } from './app-manifest.ts'
import { sourceErrors } from './errors.ts'
import { runGit, streamGit, type GitResult, type GitRun, type GitStream } from './git.ts'
import type { Commit, GitCredentials, RemoteRefs, Resolved, Source, SourceTree } from './model.ts'
import {
  findRef,
  isCommit,
  isRefName,
  isShortCommit,
  LOG_FORMAT,
  parseLog,
  parseRemoteRefs,
  readGitProblem,
} from './plan.ts'
import { openAccess, prepareHome, type RemoteRules } from './remote.ts'

/*
 * Repositories of Applications as this process sees them: a bare mirror each in the data folder, which holds nothing that could
 * not be fetched again. One call at a time works on a mirror; a few at a time fetch at all.
 */
export type Repositories = {
  /** Branches and tags, as the repository has them now. */
  readonly remoteRefs: (source: Source, signal: AbortSignal) => Promise<RemoteRefs>
  /** Looks a repository up that is not stored yet. */
  readonly tryRemote: (
    url: string,
    credentials: GitCredentials | undefined,
    signal: AbortSignal,
  ) => Promise<RemoteRefs>
  /**
   * The commit that a branch, tag or (beginning of a) commit's id means.
   * @param ref - undefined: the default branch
   */
  readonly resolve: (source: Source, ref: string | undefined, signal: AbortSignal) => Promise<Resolved>
  /** Commits of a ref, newest first. */
  readonly log: (
    source: Source,
    commit: string,
    page: { readonly skip: number; readonly count: number },
    signal: AbortSignal,
  ) => Promise<readonly Commit[]>
  /** What a commit holds. Fetches it when it is not there. */
  readonly tree: (source: Source, commit: string, signal: AbortSignal) => Promise<SourceTree>
  /** The files of a commit that `tree` has seen, as a tar. */
  readonly archive: (source: Source, commit: string, signal: AbortSignal) => Promise<GitStream>
  /** Forgets everything about an Application. */
  readonly forget: (applicationId: string) => Promise<void>
}

const ASK_MS = 30 * SECOND_MS
const FETCH_MS = 10 * MINUTE_MS
const LOCAL_MS = MINUTE_MS
const ARCHIVE_MS = 30 * MINUTE_MS
const REPOSITORY_MAX_MIB = 4_096
const FETCHES_AT_ONCE = 3
const FETCHES_WAITING = 50
const FILE_MAX_BYTES = MIB
const NAMES_MAX_BYTES = 4 * MIB

type Mirror = { readonly folder: string; readonly queue: SerialQueue }

export function openRepositories(
  platform: Pick<Platform, 'settings' | 'clock' | 'envelope'>,
  guard: OutboundGuard = outboundGuard(outboundRulesOf(platform.settings)),
): Repositories {
  const { settings, clock } = platform
  const root = join(settings.dataFolder, 'sources')
  const home = join(root, 'home')
  const queues = new Map<string, SerialQueue>()
  const fetches = limiterOf(FETCHES_AT_ONCE)
  const rules: RemoteRules = {
    guard,
    localRoots: settings.localSourceRoots,
    dataFolder: settings.dataFolder,
    temporaryFolder: join(root, 'temporary'),
    knownHostsFile: join(root, 'known_hosts'),
  }
  const git = async (run: GitRun): Promise<GitResult> => {
    await prepareHome(home)
    return runGit(clock, home, run)
  }

  function mirrorOf(source: Source): Mirror {
    // Another address is another repository, even for the same Application.
    const hash = createHash('sha256').update(source.url).digest('hex').slice(0, 12)
    const queue = queues.get(source.applicationId) ?? serialQueue()
    queues.set(source.applicationId, queue)
    return { folder: join(root, source.applicationId, `${hash}.git`), queue }
  }

  async function limited<T>(task: () => Promise<T>): Promise<T> {
    if (fetches.waiting() >= FETCHES_WAITING)
      throw sourceErrors.source_busy(undefined, { retryAfterSeconds: 10 })
    return fetches.run(task)
  }

  async function ask(
    url: string,
    credentials: GitCredentials | undefined,
    signal: AbortSignal,
  ): Promise<RemoteRefs> {
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
  }

  async function fetchInto(
    mirror: Mirror,
    source: Source,
    refs: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    await using access = await openAccess(source.url, credentialsOf(platform, source), rules)
    await init(mirror.folder, signal)
    const result = await git({
      args: ['fetch', '--prune', '--no-tags', '--force', '--no-write-fetch-head', '--', access.url, ...refs],
      folder: mirror.folder,
      config: access.config,
      environment: access.environment,
      timeoutMs: FETCH_MS,
      signal,
      isTooLarge: async () => (await sizeBytesOf(mirror.folder)) > REPOSITORY_MAX_MIB * MIB,
    })
    if (result.outcome === 'tooLarge') await rm(mirror.folder, { recursive: true, force: true })
    requireSuccess(result, access.host)
  }

  async function init(folder: string, signal: AbortSignal): Promise<void> {
    if (await isThere(join(folder, 'HEAD'))) return
    // What an earlier address of the same Application left goes first.
    await rm(join(folder, '..'), { recursive: true, force: true })
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const args = ['init', '--quiet', '--bare', '--template=', '.']
    requireSuccess(await git({ args, folder, timeoutMs: LOCAL_MS, signal }), '')
  }

  const EVERYTHING = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*']

  async function has(folder: string, commit: string, signal: AbortSignal): Promise<boolean> {
    if (!(await isThere(join(folder, 'HEAD')))) return false
    const args = ['cat-file', '-e', `${commit}^{commit}`]
    return (await git({ args, folder, timeoutMs: LOCAL_MS, signal })).code === 0
  }

  /** Makes sure that a commit is in the mirror; when no branch or tag brings it, it is asked for by its id. */
  async function ensure(mirror: Mirror, source: Source, commit: string, signal: AbortSignal): Promise<void> {
    if (await has(mirror.folder, commit, signal)) return
    await limited(() => fetchInto(mirror, source, EVERYTHING, signal))
    if (await has(mirror.folder, commit, signal)) return
    const ref = `+${commit}:refs/slipway/${commit}`
    try {
      await limited(() => fetchInto(mirror, source, [ref], signal))
    } catch (cause) {
      signal.throwIfAborted()
      throw sourceErrors.ref_unknown({ ref: commit }, { cause })
    }
    if (!(await has(mirror.folder, commit, signal))) throw sourceErrors.ref_unknown({ ref: commit })
  }

  async function read(mirror: Mirror, args: readonly string[], signal: AbortSignal): Promise<GitResult> {
    return git({
      args,
      folder: mirror.folder,
      timeoutMs: LOCAL_MS,
      outputMaxBytes: NAMES_MAX_BYTES,
      signal,
    })
  }

  /** A file at the root of a commit; undefined when it is not there, without text when it is larger than what we look for. */
  async function file(
    mirror: Mirror,
    commit: string,
    name: string,
    signal: AbortSignal,
  ): Promise<{ readonly text: string | undefined } | undefined> {
    const size = await read(mirror, ['cat-file', '-s', `${commit}:${name}`], signal)
    if (size.code !== 0) return undefined
    if (Number(size.stdout.toString('utf8').trim()) > FILE_MAX_BYTES) return { text: undefined }
    const blob = await read(mirror, ['cat-file', 'blob', `${commit}:${name}`], signal)
    return blob.code === 0 ? { text: blob.stdout.toString('utf8') } : undefined
  }

  async function expandShort(
    source: Source,
    mirror: Mirror,
    text: string,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    await limited(() => fetchInto(mirror, source, EVERYTHING, signal))
    const result = await read(mirror, ['rev-parse', '--verify', '--quiet', `${text}^{commit}`], signal)
    if (/ambiguous/u.test(result.stderr)) throw sourceErrors.ref_ambiguous({ ref: text })
    const commit = result.stdout.toString('utf8').trim()
    return result.code === 0 && isCommit(commit) ? commit : undefined
  }

  return {
    tryRemote: (url, credentials, signal) => limited(() => ask(url, credentials, signal)),
    remoteRefs: (source, signal) => limited(() => ask(source.url, credentialsOf(platform, source), signal)),
    async resolve(source, ref, signal) {
      if (ref !== undefined && !isRefName(ref)) throw sourceErrors.ref_invalid({ ref: ref.slice(0, 100) })
      const remote = await limited(() => ask(source.url, credentialsOf(platform, source), signal))
      if (remote.refs.length === 0) throw sourceErrors.source_empty()
      const main = source.defaultBranch ?? remote.defaultBranch ?? 'main'
      const wanted = ref ?? main
      const found = findRef(remote, wanted)
      if (found)
        return {
          commit: found.commit,
          ref: found.name,
          isDefaultBranch: found.kind === 'branch' && found.name === main,
        }
      const mirror = mirrorOf(source)
      const commit = await mirror.queue.run(async () => {
        if (isCommit(wanted)) {
          await ensure(mirror, source, wanted, signal)
          return wanted
        }
        return isShortCommit(wanted) ? expandShort(source, mirror, wanted, signal) : undefined
      })
      if (commit === undefined) throw sourceErrors.ref_unknown({ ref: wanted })
      const isHead = remote.refs.some(
        (one) => one.commit === commit && one.kind === 'branch' && one.name === main,
      )
      return { commit, ref: commit, isDefaultBranch: isHead }
    },
    async log(source, commit, page, signal) {
      const mirror = mirrorOf(source)
      return mirror.queue.run(async () => {
        await ensure(mirror, source, commit, signal)
        const args = ['log', `--format=${LOG_FORMAT}`, `--skip=${page.skip}`, `--max-count=${page.count}`]
        const result = await read(mirror, [...args, commit, '--'], signal)
        requireSuccess(result, '')
        return parseLog(result.stdout.toString('utf8'))
      })
    },
    async tree(source, commit, signal) {
      const mirror = mirrorOf(source)
      return mirror.queue.run(async () => {
        await ensure(mirror, source, commit, signal)
        const listing = await read(mirror, ['ls-tree', '-z', '--name-only', commit], signal)
        requireSuccess(listing, '')
        const names = listing.stdout.toString('utf8').split('\0').filter(Boolean)
        const written = await file(mirror, commit, 'slipway.yaml', signal)
        if (written !== undefined && written.text === undefined)
          throw sourceErrors.app_manifest_invalid({ problem: `it is larger than ${FILE_MAX_BYTES} bytes` })
        const packageJson = await file(mirror, commit, 'package.json', signal)
        return {
          commit,
          manifest: parseAppManifest(written?.text ?? 'version: 1'),
          hasManifest: written !== undefined,
          names,
          packageJson: packageJson?.text,
        }
      })
    },
    async archive(source, commit, signal) {
      const mirror = mirrorOf(source)
      await mirror.queue.run(() => ensure(mirror, source, commit, signal))
      return streamGit(clock, home, {
        args: ['archive', '--format=tar', commit],
        folder: mirror.folder,
        timeoutMs: ARCHIVE_MS,
        signal,
      })
    },
    async forget(applicationId) {
      await rm(join(root, applicationId), { recursive: true, force: true })
      queues.delete(applicationId)
    },
  }
}

/** What a source's credentials are sealed for: also its address, so that they cannot be made to go elsewhere. */
export function credentialsOwner(
  source: Pick<Source, 'organizationId' | 'applicationId' | 'version' | 'url'>,
) {
  return [source.organizationId, 'source', source.applicationId, String(source.version), source.url] as const
}

export function credentialsOf(
  platform: Pick<Platform, 'envelope'>,
  source: Source,
): GitCredentials | undefined {
  if (source.credentials === null) return undefined
  const { kind, username, sealed } = source.credentials
  const secret = platform.envelope.open(sealed, credentialsOwner(source)).toString('utf8')
  return kind === 'token' ? { kind, username, token: secret } : { kind, privateKey: secret }
}

/** @throws {AppError} in the words of what went wrong */
function requireSuccess(result: GitResult, host: string): void {
  if (result.outcome === 'ended' && result.code === 0) return
  if (result.outcome === 'timeout') throw sourceErrors.source_unreachable({ host, problem: 'it is too slow' })
  if (result.outcome !== 'ended')
    throw sourceErrors.source_too_large({ maxMiB: REPOSITORY_MAX_MIB, seconds: FETCH_MS / SECOND_MS })
  const cause = new Error(result.stderr.slice(0, 2_000))
  const problem = readGitProblem(result.stderr)
  switch (problem.kind) {
    case 'login':
      throw sourceErrors.source_login_refused({ host }, { cause })
    case 'missing':
      throw sourceErrors.source_not_a_repository({ place: host }, { cause })
    case 'unreachable':
      throw sourceErrors.source_unreachable({ host, problem: problem.problem }, { cause })
    case 'hostKey':
      throw sourceErrors.source_host_key_changed({ host }, { cause })
    case 'unknownRef':
      throw sourceErrors.ref_unknown({ ref: '' }, { cause })
    case 'other':
      throw sourceErrors.source_failed({ problem: problem.problem }, { cause })
    default:
      unreachable(problem)
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return false
    throw thrown
  }
}

/** Size of the packs, finished and growing: nearly everything a mirror holds. */
async function sizeBytesOf(folder: string): Promise<number> {
  const packs = join(folder, 'objects', 'pack')
  const names = await readdir(packs).catch(() => [])
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(packs, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
