import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { homedir, tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { messageOf, systemClock, waitFor } from '@slipway/kit'
import { freePort } from '@slipway/testkit'

/*
 * A real OpenSSH server as an ordinary process on loopback, for tests. Where the machine has none, Debian's package is fetched
 * and laid out in the cache, not installed: nothing of the machine changes and no service starts.
 */
const run = promisify(execFile)

export type SshServer = AsyncDisposable & {
  /** `ssh://user@127.0.0.1:port`; a path comes after it. */
  readonly url: string
  /** The private key that may log in. */
  readonly key: string
  /** Another one. */
  readonly wrongKey: string
  /** Starts it again with a new host key. */
  readonly changeHostKey: () => Promise<void>
}

type Program = { readonly sshd: string; readonly libraries: string | undefined }

/** The server's program. @returns what is missing, in words, where there is none */
export async function findSshd(): Promise<Program | { readonly missing: string }> {
  for (const sshd of ['/usr/sbin/sshd', '/usr/local/sbin/sshd'])
    if (await isThere(sshd)) return { sshd, libraries: undefined }
  const folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'slipway', 'openssh')
  const cached = { sshd: join(folder, 'usr/sbin/sshd'), libraries: join(folder, 'usr/lib') }
  if (await isThere(cached.sshd)) return cached
  try {
    await layOut(folder)
    return cached
  } catch (thrown) {
    return { missing: `openssh-server is not there and could not be fetched (${messageOf(thrown)})` }
  }
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

async function layOut(folder: string): Promise<void> {
  const growing = `${folder}.${process.pid}`
  await mkdir(growing, { recursive: true })
  try {
    await download(growing)
    for (const name of await readdir(growing))
      if (name.endsWith('.deb')) await run('dpkg-deb', ['-x', name, '.'], { cwd: growing, timeout: 60_000 })
    await rename(growing, folder)
  } finally {
    await rm(growing, { recursive: true, force: true })
  }
}

async function download(folder: string): Promise<void> {
  const fetch = ['download', 'openssh-server', 'libwrap0']
  try {
    await run('apt-get', fetch, { cwd: folder, timeout: 60_000 })
  } catch (thrown) {
    if (process.getuid?.() !== 0) throw thrown
    // A bare machine has no lists yet.
    await run('apt-get', ['update', '-qq'], { timeout: 120_000 })
    await run('apt-get', fetch, { cwd: folder, timeout: 60_000 })
  }
}

export async function sshServer(program: Program): Promise<SshServer> {
  await using parts = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'slipway-ssh-'))
  parts.defer(() => rm(folder, { recursive: true, force: true }))
  const [host, own, other] = [join(folder, 'host'), join(folder, 'own'), join(folder, 'other')]
  for (const file of [host, own, other]) await makeKey(file)
  const port = await freePort()
  await writeFile(join(folder, 'authorized'), await readFile(`${own}.pub`, 'utf8'))
  const config = join(folder, 'config')
  await writeFile(
    config,
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${host}`,
      `AuthorizedKeysFile ${join(folder, 'authorized')}`,
      `PidFile ${join(folder, 'pid')}`,
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'PermitRootLogin prohibit-password',
      '',
    ].join('\n'),
  )
  let running = await start(program, folder, port)
  parts.defer(() => running[Symbol.asyncDispose]())
  const owned = parts.move()
  return {
    url: `ssh://${userInfo().username}@127.0.0.1:${port}`,
    key: await readFile(own, 'utf8'),
    wrongKey: await readFile(other, 'utf8'),
    async changeHostKey() {
      await running[Symbol.asyncDispose]()
      await rm(host)
      await makeKey(host)
      running = await start(program, folder, port)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function makeKey(file: string): Promise<void> {
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file])
}

/** As root the server wants an account and a folder of its own; it gets both in a mount namespace, the machine keeps its own. */
const AS_ROOT = `set -e
mount --bind "$1/passwd" /etc/passwd
mount -t tmpfs none /run
mkdir /run/sshd
exec "$2" -D -e -f "$1/config"`

async function start({ sshd, libraries }: Program, folder: string, port: number): Promise<AsyncDisposable> {
  const isRoot = process.getuid?.() === 0
  const accounts = (await readFile('/etc/passwd', 'utf8')).replaceAll(/^sshd:.*\n/gmu, '')
  await writeFile(join(folder, 'passwd'), `${accounts}sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n`)
  const [file, ...args] = isRoot
    ? ['unshare', '--mount', 'sh', '-c', AS_ROOT, 'sh', folder, sshd]
    : [sshd, '-D', '-e', '-f', join(folder, 'config')]
  let said = ''
  const child = spawn(file ?? sshd, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      ...(libraries === undefined ? {} : { LD_LIBRARY_PATH: await libraryPath(libraries) }),
    },
  })
  child.stderr.on('data', (part: Buffer) => (said = (said + part.toString('utf8')).slice(-4_000)))
  const gone = once(child, 'exit')
  const server = {
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await gone
    },
  }
  try {
    const isUp = async (): Promise<boolean> => {
      if (child.exitCode !== null) throw new Error(`the ssh server ended: ${said}`)
      return answers(port)
    }
    await waitFor(systemClock, 'the ssh server to listen', isUp, { timeoutMs: 30_000 })
  } catch (thrown) {
    await server[Symbol.asyncDispose]()
    throw thrown
  }
  return server
}

async function libraryPath(folder: string): Promise<string> {
  const names = await readdir(folder)
  return [folder, ...names.map((name) => join(folder, name))].join(':')
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
