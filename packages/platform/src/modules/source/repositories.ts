import { join } from 'node:path'

import { HOUR_MS, MIB, messageOf, MINUTE_MS } from '@slipway/kit'

import type { Platform } from '../../context.ts'
import { outboundGuardOf, type OutboundGuard } from '../../outbound/index.ts'
import { parseAppManifest } from './app-manifest.ts'
import { credentialsOf, mirrorNameOf, repositoryNameOf } from './credentials.ts'
import { sourceErrors } from './errors.ts'
import { fetching, type Fetching } from './fetching.ts'
import { streamGit, type GitResult, type GitStream } from './git.ts'
import { LOCAL_MS, openMirrors, type Mirrors } from './mirrors.ts'
import type { Commit, GitCredentials, RemoteRefs, Resolved, Source, SourceTree } from './model.ts'
import { findRef, isCommit, isRefName, isShortCommit, LOG_FORMAT, parseLog } from './plan.ts'
import { requireSuccess } from './problems.ts'
import { forgetHost, type RemoteRules } from './remote.ts'

/** Repositories of Applications as this process sees them. */
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
  /** The files of a commit that `tree` has seen, as a tar. Disposing ends it. */
  readonly archive: (source: Source, commit: string, signal: AbortSignal) => Promise<GitStream>
  /** Removes the mirror of a source's repository; whoever shares it fetches it again. */
  readonly forget: (source: Source) => Promise<void>
}

const ARCHIVE_MS = 30 * MINUTE_MS
const FILE_MAX_BYTES = MIB
const NAMES_MAX_BYTES = 4 * MIB
const TIDY_MS = HOUR_MS

type Parts = Pick<Platform, 'settings' | 'clock' | 'envelope'> & {
  readonly log?: Platform['log'] | undefined
}

export function openRepositories(
  platform: Parts,
  guard: OutboundGuard = outboundGuardOf(platform.settings),
): Repositories {
  const { settings } = platform
  const root = join(settings.dataFolder, 'sources')
  const rules: RemoteRules = {
    guard,
    localRoots: settings.localSourceRoots,
    dataFolder: settings.dataFolder,
    temporaryFolder: join(root, 'temporary'),
    knownHostsFile: (url, credentials) =>
      join(root, 'known-hosts', repositoryNameOf(platform, url, credentials)),
  }
  const mirrors = openMirrors(platform, root)
  const remote = fetching(platform, mirrors, rules)
  const tidy = tidying(platform, mirrors)
  const ask = (source: Source, signal: AbortSignal): Promise<RemoteRefs> =>
    remote.ask(source.url, credentialsOf(platform, source), signal)
  /** Runs a task alone on the mirror of a source's repository. */
  const on: OnMirror = (source, signal, task) => {
    tidy()
    return mirrors.use(mirrorNameOf(platform, source), signal, task)
  }
  const readable = { on, remote, git: mirrors.git }
  return {
    async tryRemote(url, credentials, signal) {
      await forgetHost(url, credentials, rules)
      return remote.ask(url, credentials, signal)
    },
    remoteRefs: ask,
    resolve: async (source, ref, signal) => {
      if (ref !== undefined && !isRefName(ref)) throw sourceErrors.ref_invalid({ ref: ref.slice(0, 100) })
      return resolveIn(readable, await ask(source, signal), { source, ref, signal })
    },
    log: (source, commit, page, signal) =>
      on(source, signal, async (folder) => {
        await remote.ensure(folder, source, commit, signal)
        const args = ['log', `--format=${LOG_FORMAT}`, `--skip=${page.skip}`, `--max-count=${page.count}`]
        const result = await read(mirrors, folder, [...args, commit, '--'], signal)
        requireSuccess(result, '')
        return parseLog(result.stdout.toString('utf8'))
      }),
    tree: (source, commit, signal) =>
      on(source, signal, async (folder) => {
        await remote.ensure(folder, source, commit, signal)
        return treeOf(mirrors, folder, commit, signal)
      }),
    async archive(source, commit, signal) {
      const held = mirrors.hold(mirrorNameOf(platform, source))
      try {
        const run = { args: ['archive', '--format=tar', commit], timeoutMs: ARCHIVE_MS, signal }
        const folder = await on(source, signal, async (path) => {
          await remote.ensure(path, source, commit, signal)
          return path
        })
        const stream = await streamGit(platform.clock, mirrors.home, { ...run, folder })
        return {
          ...stream,
          [Symbol.dispose]() {
            stream[Symbol.dispose]()
            held[Symbol.dispose]()
          },
        }
      } catch (thrown) {
        held[Symbol.dispose]()
        throw thrown
      }
    },
    forget: (source) => mirrors.remove(mirrorNameOf(platform, source)),
  }
}

type OnMirror = <T>(source: Source, signal: AbortSignal, task: (folder: string) => Promise<T>) => Promise<T>

/** Tidies up beside what is asked for, once in a while: every replica has a data folder of its own. */
function tidying({ clock, log }: Parts, mirrors: Mirrors): () => void {
  let nextMs = clock.monotonicMs() + TIDY_MS
  return () => {
    if (clock.monotonicMs() < nextMs) return
    nextMs = clock.monotonicMs() + TIDY_MS
    mirrors
      .tidy()
      .catch((thrown: unknown) => log?.warn({ error: messageOf(thrown) }, 'tidying up mirrors failed'))
  }
}

type Readable = { readonly on: OnMirror; readonly remote: Fetching; readonly git: Mirrors['git'] }

/** What a ref means, given the branches and tags there are. */
async function resolveIn(
  { on, remote, git }: Readable,
  refs: RemoteRefs,
  asked: { readonly source: Source; readonly ref: string | undefined; readonly signal: AbortSignal },
): Promise<Resolved> {
  const { source, signal } = asked
  if (refs.refs.length === 0) throw sourceErrors.source_empty()
  const main = source.defaultBranch ?? refs.defaultBranch ?? 'main'
  const wanted = asked.ref ?? main
  const named = findRef(refs, wanted)
  if (named) {
    const isDefaultBranch = named.kind === 'branch' && named.name === main
    return { commit: named.commit, ref: named.name, isDefaultBranch }
  }
  if (!isCommit(wanted) && !isShortCommit(wanted)) throw sourceErrors.ref_unknown({ ref: wanted })
  const commit = await on(source, signal, async (folder) => {
    if (isCommit(wanted)) {
      await remote.ensure(folder, source, wanted, signal)
      return wanted
    }
    await remote.fetchAll(folder, source, signal)
    return expandShort(git, folder, wanted, signal)
  })
  const isHead = refs.refs.some((one) => one.commit === commit && one.kind === 'branch' && one.name === main)
  return { commit, ref: commit, isDefaultBranch: isHead }
}

async function expandShort(
  git: Mirrors['git'],
  folder: string,
  text: string,
  signal: AbortSignal,
): Promise<string> {
  const result = await read({ git }, folder, ['rev-parse', '--verify', '--quiet', `${text}^{commit}`], signal)
  if (/ambiguous/u.test(result.stderr)) throw sourceErrors.ref_ambiguous({ ref: text })
  const commit = result.stdout.toString('utf8').trim()
  if (result.code !== 0 || !isCommit(commit)) throw sourceErrors.ref_unknown({ ref: text })
  return commit
}

function read(
  { git }: Pick<Mirrors, 'git'>,
  folder: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<GitResult> {
  return git({ args, folder, timeoutMs: LOCAL_MS, outputMaxBytes: NAMES_MAX_BYTES, signal })
}

async function treeOf(
  mirrors: Pick<Mirrors, 'git'>,
  folder: string,
  commit: string,
  signal: AbortSignal,
): Promise<SourceTree> {
  const listing = await read(mirrors, folder, ['ls-tree', '-z', '--name-only', commit], signal)
  requireSuccess(listing, '')
  const fileOf = (name: string) => fileAt(mirrors, folder, `${commit}:${name}`, signal)
  const written = await fileOf('slipway.yaml')
  if (written !== undefined && written.text === undefined)
    throw sourceErrors.app_manifest_invalid({ problem: `it is larger than ${FILE_MAX_BYTES} bytes` })
  return {
    commit,
    manifest: parseAppManifest(written?.text ?? 'version: 1'),
    hasManifest: written !== undefined,
    names: listing.stdout.toString('utf8').split('\0').filter(Boolean),
    packageJson: (await fileOf('package.json'))?.text,
  }
}

/** A file of a commit; undefined when it is not there, without text when it is larger than what we look for. */
async function fileAt(
  mirrors: Pick<Mirrors, 'git'>,
  folder: string,
  place: string,
  signal: AbortSignal,
): Promise<{ readonly text: string | undefined } | undefined> {
  const size = await read(mirrors, folder, ['cat-file', '-s', place], signal)
  if (size.code !== 0) return undefined
  if (Number(size.stdout.toString('utf8').trim()) > FILE_MAX_BYTES) return { text: undefined }
  const blob = await read(mirrors, folder, ['cat-file', 'blob', place], signal)
  return blob.code === 0 ? { text: blob.stdout.toString('utf8') } : undefined
}
