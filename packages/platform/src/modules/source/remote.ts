import { mkdir, mkdtemp, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative } from 'node:path'

import { systemCodeOf, unreachable } from '@slipway/kit'

import type { GitUrl, OutboundGuard } from '../../outbound/index.ts'
import { parseGitUrl } from '../../outbound/index.ts'
import { sourceErrors } from './errors.ts'
import type { GitCredentials } from './model.ts'

/** How git is to reach a repository: what it is called, and what it needs to be told. Disposing forgets the credentials. */
export type Access = AsyncDisposable & {
  readonly url: string
  /** For people; without credentials. */
  readonly host: string
  readonly config: readonly (readonly [string, string])[]
  readonly environment: Readonly<Record<string, string>>
}

export type RemoteRules = {
  readonly guard: OutboundGuard
  /** Folders below which repositories on this machine may lie. */
  readonly localRoots: readonly string[]
  /** No source, but for roots that lie below it. */
  readonly dataFolder: string
  /** For files that live as long as one call. */
  readonly temporaryFolder: string
  /** Where the host keys that were met with this address and these credentials stand. */
  readonly knownHostsFile: (url: string, credentials: GitCredentials | undefined) => string
}

/** @throws {AppError} `source_url_invalid` */
export function requireGitUrl(text: string): GitUrl {
  const parsed = parseGitUrl(text)
  if (!parsed.ok) throw sourceErrors.source_url_invalid({ problem: parsed.problem })
  return parsed.value
}

/**
 * Checks where an address leads and prepares git for going there and nowhere else.
 * @throws {AppError} `source_url_invalid`, `source_local_refused`, `source_local_data`, `source_plain_http`, `source_credentials_kind`, those of the outbound guard
 */
export async function openAccess(
  url: string,
  credentials: GitCredentials | undefined,
  rules: RemoteRules,
): Promise<Access> {
  const parsed = requireGitUrl(url)
  checkKind(parsed, credentials)
  switch (parsed.kind) {
    case 'file':
      return localAccess(parsed.path, rules)
    case 'https':
    case 'http':
      return webAccess(parsed, credentials, rules)
    case 'ssh':
      return sshAccess(parsed, credentials, rules)
    default:
      return unreachable(parsed)
  }
}

function checkKind({ kind }: GitUrl, credentials: GitCredentials | undefined): void {
  if (credentials === undefined) return
  const problem =
    kind === 'file'
      ? 'a folder on this machine needs none'
      : kind === 'ssh' && credentials.kind === 'token'
        ? 'ssh takes a private key'
        : kind !== 'ssh' && credentials.kind === 'ssh-key'
          ? 'https takes a user name and a token'
          : undefined
  if (problem !== undefined) throw sourceErrors.source_credentials_kind({ problem })
}

function nothing(): Promise<void> {
  return Promise.resolve()
}

async function localAccess(path: string, rules: RemoteRules): Promise<Access> {
  const real = await realPathOf(path)
  const roots = await Promise.all(rules.localRoots.map(realPathOf))
  if (real === undefined || !roots.some((root) => root !== undefined && isWithin(root, real)))
    throw sourceErrors.source_local_refused({ path })
  const data = (await realPathOf(rules.dataFolder)) ?? rules.dataFolder
  // A root below the data folder was named with it in mind: there the repositories of the samples lie, and no secret.
  const isNamed = roots.some(
    (root) => root !== undefined && root !== data && isWithin(data, root) && isWithin(root, real),
  )
  if (isWithin(data, real) && !isNamed) throw sourceErrors.source_local_data({ path })
  if (!(await stat(real)).isDirectory()) throw sourceErrors.source_not_a_repository({ place: path })
  return {
    url: `file://${encodeURI(real)}`,
    host: path,
    config: [['protocol.file.allow', 'always']],
    environment: { GIT_ALLOW_PROTOCOL: 'file' },
    [Symbol.asyncDispose]: nothing,
  }
}

async function realPathOf(path: string): Promise<string | undefined> {
  try {
    return await realpath(path)
  } catch (thrown) {
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG'].includes(systemCodeOf(thrown) ?? ''))
      return undefined
    throw thrown
  }
}

function isWithin(root: string, path: string): boolean {
  const way = relative(root, path)
  return way === '' || (!way.startsWith('..') && !isAbsolute(way))
}

async function webAccess(
  parsed: GitUrl & { kind: 'https' | 'http' },
  credentials: GitCredentials | undefined,
  rules: RemoteRules,
): Promise<Access> {
  const pinned = await rules.guard(parsed.host, parsed.port)
  if (parsed.kind === 'http' && !pinned.isPrivate) throw sourceErrors.source_plain_http()
  const { origin } = new URL(parsed.url)
  const addresses = pinned.addresses.map((one) => (one.includes(':') ? `[${one}]` : one)).join(',')
  // An IPv6 address as host is its own and only address, and curl's option has no way of writing it.
  const isPinnedByItself = parsed.host.includes(':')
  const config: (readonly [string, string])[] = [[`protocol.${parsed.kind}.allow`, 'always']]
  if (!isPinnedByItself) config.push(['http.curloptResolve', `${parsed.host}:${parsed.port}:${addresses}`])
  if (credentials?.kind === 'token') {
    const basic = Buffer.from(`${credentials.username}:${credentials.token}`).toString('base64')
    // Named by origin, so that it goes nowhere else.
    config.push([`http.${origin}/.extraHeader`, `Authorization: Basic ${basic}`])
  }
  return {
    url: parsed.url,
    host: parsed.host,
    config,
    environment: { GIT_ALLOW_PROTOCOL: parsed.kind },
    [Symbol.asyncDispose]: nothing,
  }
}

/** git calls it with host and command; everything else is fixed, above all which address is meant by the host. */
const SSH_WRAPPER = `#!/bin/sh
exec ssh -F /dev/null -i "$SLIPWAY_KEY" -o IdentitiesOnly=yes -o IdentityAgent=none -o BatchMode=yes \\
  -o PreferredAuthentications=publickey -o StrictHostKeyChecking=accept-new \\
  -o UserKnownHostsFile="$SLIPWAY_KNOWN_HOSTS" -o GlobalKnownHostsFile=/dev/null \\
  -o HostName="$SLIPWAY_ADDRESS" -o HostKeyAlias="$SLIPWAY_HOST" -o ProxyCommand=none -o ProxyJump=none \\
  -o ForwardAgent=no -o PermitLocalCommand=no -o ConnectTimeout=15 -o ServerAliveInterval=10 -o ServerAliveCountMax=3 "$@"
`

async function sshAccess(
  parsed: GitUrl & { kind: 'ssh' },
  credentials: GitCredentials | undefined,
  rules: RemoteRules,
): Promise<Access> {
  const pinned = await rules.guard(parsed.host, parsed.port)
  const knownHosts = rules.knownHostsFile(parsed.url, credentials)
  for (const needed of [rules.temporaryFolder, dirname(knownHosts)])
    await mkdir(needed, { recursive: true, mode: 0o700 })
  const folder = await mkdtemp(join(rules.temporaryFolder, 'ssh-'))
  const [key, wrapper] = [join(folder, 'key'), join(folder, 'ssh')]
  const text = credentials?.kind === 'ssh-key' ? credentials.privateKey : ''
  await writeFile(key, text.endsWith('\n') ? text : `${text}\n`, { mode: 0o600 })
  await writeFile(wrapper, SSH_WRAPPER, { mode: 0o700 })
  return {
    url: parsed.url,
    host: parsed.host,
    config: [['protocol.ssh.allow', 'always']],
    environment: {
      GIT_ALLOW_PROTOCOL: 'ssh',
      GIT_SSH: wrapper,
      GIT_SSH_VARIANT: 'ssh',
      SLIPWAY_KEY: key,
      SLIPWAY_KNOWN_HOSTS: knownHosts,
      SLIPWAY_ADDRESS: pinned.addresses[0],
      SLIPWAY_HOST: `${parsed.host}:${parsed.port}`,
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

/** Forgets the host keys met so far: who sets a source says that they trust what answers there now. */
export async function forgetHost(
  url: string,
  credentials: GitCredentials | undefined,
  rules: RemoteRules,
): Promise<void> {
  const parsed = requireGitUrl(url)
  if (parsed.kind === 'ssh') await rm(rules.knownHostsFile(parsed.url, credentials), { force: true })
}

/** What one home of git children needs to hold. */
export async function prepareHome(home: string): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o700 })
  // Repositories on this machine belong to other accounts; reading them is decided above, by the roots.
  const wanted = '[safe]\n\tdirectory = *\n[uploadpack]\n\tallowAnySHA1InWant = true\n'
  const file = join(home, 'gitconfig')
  const known = await readFile(file, 'utf8').catch(() => '')
  if (known !== wanted) await writeFile(file, wanted, { mode: 0o600 })
}
