// The one entry of every npm script. Plain JavaScript, because it runs on any Node >= 20, before anything is installed:
// installs what is missing, then hands over to Node 24.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const bin = join(root, 'node_modules', '.bin')
/** Set for the run inside the view, which must not look for a better one. */
const IN_VIEW = 'SLIPWAY_OPEN_VIEW'
const stamp = join(root, 'node_modules', '.slipway-installed')
/** Held while packages are installed. Beside node_modules, which npm ci removes. */
const installLock = join(root, '.slipway-install')
const INSTALL_WAIT_MS = 15 * 60_000
const POLL_MS = 200

/** Every command: the arguments for Node 24, one list per step; a failing step ends the run. */
const commands = {
  start: () => [
    [
      '--conditions=source',
      '--disable-warning=ExperimentalWarning',
      '--max-semi-space-size=2',
      'packages/launcher/src/main.ts',
    ],
  ],
  backup: () => [['--conditions=source', 'packages/launcher/src/main.ts', 'backup']],
  restore: () => [['--conditions=source', 'packages/launcher/src/main.ts', 'restore']],
  check: () => [
    ['node_modules/.bin/tsc', '-b', '.', 'packages/console'],
    ['node_modules/.bin/oxlint', '--type-aware'],
    ['node_modules/.bin/oxfmt', '--check', '.'],
    ['--conditions=source', 'packages/console/src/build/main.ts'],
    ['--conditions=source', 'node_modules/.bin/vitest', 'run'],
    ['node_modules/.bin/knip'],
  ],
  test: () => [
    ...commands.check(),
    ['--conditions=source', 'node_modules/.bin/vitest', 'run', '--config', 'vitest.e2e.config.ts'],
  ],
  image: () => [['--conditions=source', 'tools/image/main.ts']],
  bench: () => [['--conditions=source', 'bench/main.ts']],
  node: () => [['--conditions=source']],
}

function installWhatIsMissing() {
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  const isInstalled = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted
  if (isInstalled()) return
  takeInstallLock()
  try {
    if (!isInstalled()) install(wanted)
  } finally {
    rmSync(installLock, { force: true })
  }
}

/** One process installs; others wait for it, and take over when it has died. */
function takeInstallLock() {
  let saidSo = false
  for (let waitedMs = 0; waitedMs < INSTALL_WAIT_MS; waitedMs += POLL_MS) {
    try {
      writeFileSync(installLock, String(process.pid), { flag: 'wx' })
      // fail() ends the process without coming back here.
      process.once('exit', () => rmSync(installLock, { force: true }))
      return
    } catch (thrown) {
      if (thrown.code !== 'EEXIST')
        fail(
          `packages cannot be installed into ${root} (${thrown.code}). Correct its owner or free some space.`,
        )
    }
    const holder = holderOfInstallLock()
    if (holder === 'dead') rmSync(installLock, { force: true })
    else if (!saidSo) console.error(`slipway: waiting for process ${holder}, which installs packages`)
    saidSo = true
    // Nothing else is to be done meanwhile, so this thread may simply sleep.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL_MS)
  }
  fail(`packages are being installed by another process for too long; remove ${installLock} if there is none`)
}

/** The pid of a living holder, or 'dead'. */
function holderOfInstallLock() {
  let pid
  try {
    const isYoung = Date.now() - statSync(installLock).mtimeMs < 10 * POLL_MS
    pid = Number(readFileSync(installLock, 'utf8'))
    // Between making the file and writing the pid there is a moment without one.
    if (!Number.isInteger(pid) || pid <= 0) return isYoung ? 0 : 'dead'
    process.kill(pid, 0)
    return pid
  } catch (thrown) {
    return thrown.code === 'EPERM' ? pid : 'dead'
  }
}

function install(wanted) {
  console.error('slipway: installing packages (npm ci)')
  // Without its stamp an installation that breaks off is never taken for a whole one.
  rmSync(stamp, { force: true })
  const npm = process.env['npm_execpath']
  const [command, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []]
  const result = spawnSync(command, [...first, 'ci', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  })
  if (result.status !== 0) fail('npm ci failed; see its output above', result.status ?? 1)
  writeFileSync(stamp, wanted)
}

/** Path of a Node 24: the one of the platform package, which lies in the checkout, else the one this runs on. */
function node24() {
  const name = `node-${process.platform}-${process.arch}`
  try {
    const packageJson = createRequire(join(root, 'package.json')).resolve(`${name}/package.json`)
    return join(dirname(packageJson), 'bin', 'node')
  } catch {
    if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath
    return fail(
      `this needs Node 24; ${process.version} is running and the package ${name} is not installed. Install Node 24 and run again.`,
    )
  }
}

function run(node, step, isService) {
  const script = step[0]?.startsWith('node_modules/.bin/') ? [join(root, step[0]), ...step.slice(1)] : step
  const path = `${dirname(node)}:${bin}:${process.env['PATH'] ?? ''}`
  const env = { ...process.env, PATH: path, ...compileCache() }
  // The channel closes when this process dies, whatever kills it; the launcher ends then.
  const stdio = isService ? ['inherit', 'inherit', 'inherit', 'ipc'] : 'inherit'
  const child = spawn(node, script, { cwd: root, stdio, env })
  const forward = (signal) => child.kill(signal)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward)
  const watch = isService ? stopWithNpm(child) : undefined
  return new Promise((resolve) => {
    child.on('exit', (code, signal) => {
      clearInterval(watch)
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(name, forward)
      resolve(signal ? 1 : (code ?? 1))
    })
  })
}

/**
 * What is compiled once, without its types, need not be again: a process that finds all of it there starts sooner and does not
 * load the compiler, which takes 25 MB. The same folder as that of the command line.
 */
function compileCache() {
  if (process.env['NODE_COMPILE_CACHE'] || !['start', 'bench'].includes(command)) return {}
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'slipway')
  try {
    // A folder of one's own: what is in it is executed.
    mkdirSync(cache, { recursive: true, mode: 0o700 })
    return { NODE_COMPILE_CACHE: join(cache, 'compiled') }
  } catch {
    // Without a place for it, every start compiles anew; nothing else changes.
    return {}
  }
}

/** A killed npm tells nobody; that this process got another parent is what shows. */
function stopWithNpm(child) {
  if (process.env['npm_lifecycle_event'] === undefined) return undefined
  const parent = process.ppid
  return setInterval(() => {
    if (process.ppid !== parent) child.kill('SIGTERM')
  }, 1_000)
}

/**
 * True when other accounts cannot reach the checkout, or not from everywhere: some tests start programs of it under another account,
 * and isolated builds have a /tmp of their own.
 */
function isClosedToOthers() {
  if (root.startsWith('/tmp/')) return true
  for (let folder = root; ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return true
    if (folder === dirname(folder)) return false
  }
}

/** Runs the same command in a mount namespace of its own, where the checkout is also seen below a folder that all can enter. */
function runInOpenView(words) {
  const view = join('/run/slipway-checkouts', createHash('sha256').update(root).digest('hex').slice(0, 16))
  mkdirSync(view, { recursive: true, mode: 0o755 })
  const bindAndRun = 'mount --bind "$1" "$2" && cd "$2" && shift 2 && exec "$@"'
  const args = ['--mount', '--propagation', 'private', 'sh', '-c', bindAndRun, 'sh', root, view]
  const result = spawnSync('unshare', [...args, process.execPath, join(view, 'tools/run.mjs'), ...words], {
    stdio: 'inherit',
    env: { ...process.env, [IN_VIEW]: '1' },
  })
  // Without the right to mount, the tests that need it say so themselves.
  return result.error || result.status === 32 ? undefined : (result.status ?? 1)
}

function fail(message, code = 1) {
  console.error(`slipway: ${message}`)
  process.exit(code)
}

if (Number(process.versions.node.split('.')[0]) < 20)
  fail(`Node 20 or newer is needed; this is ${process.version}`)
const [command, ...rest] = process.argv.slice(2)
const steps = commands[command]?.()
if (!steps) fail(`usage: node tools/run.mjs ${Object.keys(commands).join('|')} [arguments]`, 2)
installWhatIsMissing()
if (
  ['check', 'test'].includes(command) &&
  process.platform === 'linux' &&
  process.getuid() === 0 &&
  isClosedToOthers()
) {
  const status = runInOpenView(process.argv.slice(2))
  if (status !== undefined) process.exit(status)
}
const node = node24()
steps.at(-1).push(...rest)
for (const step of steps) {
  const code = await run(node, step, command === 'start')
  if (code !== 0) process.exit(code)
}
