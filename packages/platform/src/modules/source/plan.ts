import { DAY_MS } from '@slipway/kit'

import type { Commit, Ref, RemoteRefs } from './model.ts'

const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/u
/** What git allows in the name of a ref (git-check-ref-format), narrower where git is generous. */
const REF = /^[A-Za-z0-9_\u0080-\uffff](?:[A-Za-z0-9_./+#=,%\u0080-\uffff-]{0,254})$/u

export function isCommit(text: string): boolean {
  return COMMIT.test(text)
}

/** The beginning of a commit's id, long enough to mean one. */
export function isShortCommit(text: string): boolean {
  return /^[0-9a-f]{7,63}$/u.test(text)
}

/** Whether text may be the name of a branch, tag or commit; nothing that git reads as an option or an expression. */
export function isRefName(text: string): boolean {
  return (
    REF.test(text) &&
    !text.includes('..') &&
    !text.includes('//') &&
    !text.endsWith('/') &&
    !text.endsWith('.') &&
    !text.endsWith('.lock') &&
    !text.split('/').some((part) => part.startsWith('.'))
  )
}

/** Reads `git ls-remote --symref`. Refs other than branches and tags are left out. */
export function parseRemoteRefs(text: string): RemoteRefs {
  let defaultBranch: string | undefined
  const refs = new Map<string, Ref>()
  for (const line of text.split('\n')) {
    const symbolic = /^ref: refs\/heads\/(\S+)\tHEAD$/u.exec(line)
    if (symbolic) {
      defaultBranch = symbolic[1]
      continue
    }
    const match = /^([0-9a-f]{40}|[0-9a-f]{64})\trefs\/(heads|tags)\/(\S+)$/u.exec(line)
    const [, commit = '', kind = '', written = ''] = match ?? []
    if (!match) continue
    // `name^{}` follows `name` and is the commit that an annotated tag stands for.
    const name = written.endsWith('^{}') ? written.slice(0, -3) : written
    refs.set(`${kind} ${name}`, { kind: kind === 'heads' ? 'branch' : 'tag', name, commit })
  }
  return { defaultBranch, refs: [...refs.values()] }
}

/** A branch goes before a tag of the same name; `refs/heads/…` and `refs/tags/…` say which. */
export function findRef(remote: RemoteRefs, text: string): Ref | undefined {
  const exact = /^refs\/(heads|tags)\/(.+)$/u.exec(text)
  if (exact)
    return remote.refs.find(
      ({ kind, name }) => name === exact[2] && kind === (exact[1] === 'heads' ? 'branch' : 'tag'),
    )
  const named = remote.refs.filter(({ name }) => name === text)
  return named.find(({ kind }) => kind === 'branch') ?? named[0]
}

/** How `git log` is asked to write a commit; NUL between fields, record separator between commits. */
export const LOG_FORMAT = '%H%x00%P%x00%an%x00%aI%x00%s%x1e'

export function parseLog(text: string): Commit[] {
  return text
    .split('\u001e')
    .map((record) => record.replace(/^\n/u, '').split('\0'))
    .flatMap(([id = '', parents = '', author = '', authoredAt = '', subject = '']) =>
      isCommit(id)
        ? [
            {
              id,
              parents: parents.split(' ').filter((parent) => parent !== ''),
              author: author.slice(0, 200),
              authoredAt: toUtc(authoredAt),
              subject: subject.slice(0, 500),
            },
          ]
        : [],
    )
}

function toUtc(text: string): string {
  const date = new Date(text)
  // git stores whatever somebody wrote as a date.
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString()
}

/** What went wrong, read from what git said; the words are git's, under LC_ALL=C. */
export type GitProblem =
  | { readonly kind: 'login' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreachable'; readonly problem: string }
  | { readonly kind: 'hostKey' }
  | { readonly kind: 'unknownRef' }
  | { readonly kind: 'other'; readonly problem: string }

const patterns: readonly [RegExp, GitProblem['kind']][] = [
  [/Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED/iu, 'hostKey'],
  [
    /Authentication failed|could not read (?:Username|Password)|terminal prompts disabled|Permission denied \(|Access denied|returned error: 40[13]/iu,
    'login',
  ],
  [/not our ref|couldn't find remote ref|no such remote ref|unadvertised object/iu, 'unknownRef'],
  [
    /repository '.*' not found|does not appear to be a git repository|returned error: 404|not valid: is this a git repository|Repository not found/iu,
    'missing',
  ],
  [
    /Could not resolve host|Failed to connect|Couldn't connect|Connection (?:refused|reset|timed out|closed)|Operation timed out|Operation too slow|SSL|certificate|No route to host|early EOF|unexpected disconnect|Empty reply|The requested URL returned error: 5/iu,
    'unreachable',
  ],
]

export function readGitProblem(stderr: string): GitProblem {
  const line = sayingLine(stderr)
  if (/update url base from redirection|redirect/iu.test(stderr))
    return { kind: 'other', problem: 'the address redirects elsewhere; use the one it leads to' }
  if (/exec: ssh: not found|cannot run ssh/u.test(stderr))
    return { kind: 'other', problem: "the platform's machine has no ssh; install openssh-client there" }
  const kind = patterns.find(([pattern]) => pattern.test(stderr))?.[1] ?? 'other'
  return kind === 'unreachable' || kind === 'other' ? { kind, problem: line } : { kind }
}

/** Whether git speaks of a damaged repository of ours: half-written objects, locks that nobody holds. */
export function isBrokenMirror(stderr: string): boolean {
  return /\.lock': File exists|bad object|is corrupt|is empty$|missing blob|unable to read (?:tree|sha1)|Could not read [0-9a-f]{40}|packfile .* (?:cannot be accessed|is truncated|does not match)|not a git repository \(|bad (?:config|line)|broken ref/mu.test(
    stderr,
  )
}

/** What is known about a mirror. */
export type MirrorFacts = {
  readonly name: string
  readonly sizeBytes: number
  readonly packs: number
  readonly usedAt: Date
}

const UNUSED_DAYS = 30

/** Names of the mirrors to remove: those not used for long, then those used least lately until the rest fits. */
export function mirrorsToRemove(
  mirrors: readonly MirrorFacts[],
  now: Date,
  maxBytes: number,
): ReadonlySet<string> {
  const latest = mirrors.toSorted((a, b) => b.usedAt.getTime() - a.usedAt.getTime())
  const surplus = new Set<string>()
  let sumBytes = 0
  for (const { name, sizeBytes, usedAt } of latest) {
    sumBytes += sizeBytes
    const isOld = now.getTime() - usedAt.getTime() > UNUSED_DAYS * DAY_MS
    if (isOld || sumBytes > maxBytes) surplus.add(name)
  }
  return surplus
}

function sayingLine(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim())
  const line =
    lines.find((one) => /^(?:fatal|error|ssh):/u.test(one)) ?? lines.find((one) => one !== '') ?? ''
  // Text from a server must not write to a terminal as it likes.
  return line
    .replace(/^(?:fatal|error): /u, '')
    .replaceAll(/[^\x20-\x7e\u00a0-\uffff]/gu, '?')
    .slice(0, 200)
}
