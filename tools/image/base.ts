/*
 * Bases of Images out of the distribution's own packages: unpacked, never installed, with a static busybox for everything that
 * a shell needs, tini, and the Node of this checkout. Nothing of a container daemon takes part.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

import { toolsCache, ToolsUnavailable, withCacheLock, type Progress } from '../kubernetes/build.ts'
import { unpackPackages } from '../kubernetes/debian-programs.ts'
import { writeDockerArchive } from '../kubernetes/docker-archive.ts'

const applets = (
  'awk basename cat chmod cp cut date dirname echo env expr find grep head hostname id kill ln ls mkdir mktemp mv ' +
  'nproc ps printf pwd rm sed seq sh sleep sort stty tail tar tee test touch tr true tty uname wc which xargs'
).split(' ')
/** Raised when what is written below changes. */
const RECIPE = '1'
/** As whom Slipway runs applications, and itself. */
export const USER_ID = 10_001
const runtime = ['busybox-static', 'libc6', 'libgcc-s1', 'libstdc++6', 'tini']
const CERTIFICATES = 'usr/share/ca-certificates/mozilla'

/** The base of applications for Node, as a docker archive; made once per Node version. */
export function ensureNodeBase(): Promise<string> {
  return ensureBase({ name: 'base-node', image: 'base/node:24', packages: () => runtime })
}

/** The base of Slipway's own Image: the same with git, ssh and the authorities that everybody trusts. */
export function ensurePlatformBase(progress?: Progress): Promise<string> {
  const packages = (): string[] => [...runtime, ...closureOf(['git', 'openssh-client', 'ca-certificates'])]
  return ensureBase({ name: 'base-slipway', image: 'base/slipway:24', packages }, progress)
}

type Base = {
  readonly name: string
  /** With a tag. */
  readonly image: string
  /** Asked only when the base is made. */
  readonly packages: () => readonly string[]
}

async function ensureBase(base: Base, progress: Progress = () => undefined): Promise<string> {
  const inputs = [RECIPE, base.name, process.version, process.arch, ...runtime, ...applets].join(' ')
  const key = createHash('sha256').update(inputs).digest('hex').slice(0, 12)
  const path = join(toolsCache(), `${base.name}-${key}.tar`)
  mkdirSync(toolsCache(), { recursive: true })
  await withCacheLock('base', progress, async () => {
    if (!existsSync(path)) await makeBase(base, path, progress)
  })
  return path
}

async function makeBase({ image, packages }: Base, path: string, progress: Progress): Promise<void> {
  const work = mkdtempSync(`${path}.tmp-`)
  try {
    const root = join(work, 'root')
    unpackPackages(packages(), root, progress)
    const authorities = bundleOf(join(root, CERTIFICATES))
    for (const name of ['doc', 'man', 'locale', 'info', 'lintian', 'bash-completion', 'ca-certificates'])
      rmSync(join(root, 'usr/share', name), { recursive: true, force: true })
    for (const name of ['bin', 'etc/ssl/certs', 'tmp', 'usr/bin', 'app'])
      mkdirSync(join(root, name), { recursive: true })
    chmodSync(join(root, 'tmp'), 0o1777)
    for (const name of applets)
      if (!existsSync(join(root, 'bin', name))) symlinkSync('busybox', join(root, 'bin', name))
    if (authorities !== '') writeFileSync(join(root, 'etc/ssl/certs/ca-certificates.crt'), authorities)
    cpSync(process.execPath, join(root, 'usr/bin/node'))
    writeFileSync(
      join(root, 'etc/passwd'),
      `root:x:0:0::/:/bin/sh\napp:x:${USER_ID}:${USER_ID}::/app:/bin/sh\n`,
    )
    writeFileSync(join(root, 'etc/group'), `root:x:0:\napp:x:${USER_ID}:\n`)
    const run = { Entrypoint: ['/usr/bin/tini', '--'], Env: ['PATH=/usr/bin:/bin'], WorkingDir: '/app' }
    await writeDockerArchive({ name: image, rootFolder: root, run }, join(work, 'image.tar'))
    renameSync(join(work, 'image.tar'), path)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** The authorities of the package, which its installation would have written into one file. */
function bundleOf(folder: string): string {
  if (!existsSync(folder)) return ''
  const names = readdirSync(folder).filter((name) => name.endsWith('.crt'))
  return names
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('')
}

/** What only installing, or git's programs in Perl, would need. */
const NEVER =
  /^(?:adduser|c?debconf|dpkg|install-info|libdebian-installer.*|libnewt.*|libslang.*|libtextwrap.*|passwd|tar|perl.*|libperl.*|liberror-perl|libpam.*|libsemanage.*|libsepol.*|git-man|openssl)$/u

/** Packages and all that they depend on: those that this machine has, `unpackPackages` would leave out. */
function closureOf(names: readonly string[]): string[] {
  const without = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances']
  const flags = ['--recurse', ...without.map((kind) => `--no-${kind}`)]
  // Without the archive's lists apt knows what is installed here and nothing else.
  if (!names.every((name) => apt('apt-cache', ['madison', name]).includes(name)))
    apt('apt-get', ['update', '-qq'])
  // Names stand at the beginning of a line; virtual ones are in brackets.
  const found = apt('apt-cache', ['depends', ...flags, ...names])
    .split('\n')
    .filter((line) => /^[a-z0-9]/u.test(line))
  return [...new Set(found)].filter((name) => !NEVER.test(name) && !name.includes(':'))
}

function apt(command: string, parameters: readonly string[]): string {
  try {
    return execFileSync(command, parameters, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (cause) {
    const reason = `the base of Slipway's Image is made of Debian's packages, by apt: ${String(cause)}`
    throw new ToolsUnavailable(reason, { cause })
  }
}
