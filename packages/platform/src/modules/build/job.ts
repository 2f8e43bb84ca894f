/*
 * Runs inside a build's Job, alone in its folder, with nothing but Node's own modules: fetches the source, runs build.sh or what
 * the language needs, and sends back one tar. It knows only addresses that are signed for this one build.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import * as tls from 'node:tls'

const root = resolve(process.env['SLIPWAY_BUILD_FOLDER'] ?? 'work')
const folders = {
  source: join(root, 'source'),
  cache: join(root, 'cache'),
  home: join(root, 'home'),
  output: join(root, 'output'),
}
const TRIES = 12
const UNPACK_TRIES = 5
const TRY_MAX_MS = 15_000

class Stopped extends Error {
  override readonly name = 'Stopped'
  readonly phase: string
  readonly exitCode: number

  constructor(phase: string, message: string, exitCode = 1) {
    super(message)
    this.phase = phase
    this.exitCode = exitCode
  }
}

function setting(name: string): string {
  const value = process.env[`SLIPWAY_BUILD_${name}`]
  if (value === undefined) throw new Stopped('start', `the setting ${name} is missing`)
  return value
}

/** The platform's certificate may come from an authority that this image does not know. */
function trustPlatform(): void {
  const authority = process.env['SLIPWAY_BUILD_AUTHORITY']
  if (authority === undefined) return
  try {
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), authority])
  } catch (cause) {
    throw new Stopped('start', `the certificate of Slipway's authority cannot be used: ${String(cause)}`)
  }
}

function say(text: string): void {
  process.stdout.write(`slipway: ${text}\n`)
}

/** What the project's own commands get: no address of ours. */
function environment(): Record<string, string | undefined> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('SLIPWAY_BUILD_'))
  return {
    ...Object.fromEntries(inherited),
    CI: 'true',
    HOME: folders.home,
    SLIPWAY_COMMIT: setting('COMMIT'),
    SLIPWAY_CACHE: folders.cache,
    npm_config_cache: join(folders.cache, 'npm'),
    npm_config_update_notifier: 'false',
    npm_config_fund: 'false',
    npm_config_audit: 'false',
    // What went wrong stands in the build's own log; files of npm's would make every cache a new one.
    npm_config_logs_max: '0',
    PIP_CACHE_DIR: join(folders.cache, 'pip'),
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
    PIP_NO_INPUT: '1',
  }
}

function ended(child: ChildProcess): Promise<{ code: number | null; signal: string | null }> {
  return new Promise((accept, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => accept({ code, signal }))
  })
}

/** Runs a command of the project. @throws {Stopped} with its exit code */
async function run(file: string, args: readonly string[]): Promise<void> {
  say(`running ${[file, ...args].join(' ')}`)
  const child = spawn(file, args, {
    cwd: folders.source,
    env: environment(),
    // Both into one, so that the log keeps their order.
    stdio: ['ignore', 1, 1],
  })
  let result
  try {
    result = await ended(child)
  } catch (cause) {
    throw new Stopped('command', `${file} could not be started: ${String(cause)}`, 127)
  }
  const { code, signal } = result
  if (code === 0) return
  throw new Stopped('command', `${file} ended with ${code ?? String(signal)}`, code ?? 137)
}

/** Sends or fetches; a server that is away for a moment is asked again. */
async function call(url: string, init: () => RequestInit): Promise<Response> {
  let problem = ''
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    try {
      const response = await fetch(url, { redirect: 'error', ...init() })
      if (response.status < 500) return response
      problem = `status ${response.status}`
    } catch (cause) {
      problem = String(cause)
    }
    await sleep(Math.min(TRY_MAX_MS, 500 * 2 ** attempt))
  }
  throw new Stopped('transfer', `Slipway could not be reached: ${problem}`)
}

/** Unpacks what an address gives. A transfer that breaks off is begun again; the address holds until one was whole. */
async function unpack(url: string, folder: string): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true })
    const response = await call(url, () => ({}))
    if (response.status !== 200 || response.body === null) return response.status
    const problem = await unpackOnce(Readable.fromWeb(response.body), folder)
    if (problem === undefined) return response.status
    if (attempt === UNPACK_TRIES) throw new Stopped('fetch', `the source could not be unpacked: ${problem}`)
    await sleep(Math.min(TRY_MAX_MS, 500 * 2 ** attempt))
  }
}

async function unpackOnce(body: Readable, folder: string): Promise<string | undefined> {
  const tar = spawn('tar', ['-xf', '-', '-C', folder, '--no-same-owner'], {
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  const end = ended(tar)
  let broken = ''
  await pipeline(body, tar.stdin).catch((cause: unknown) => {
    broken = String(cause)
  })
  const { code } = await end
  return code === 0 && broken === '' ? undefined : `${broken} tar ended with ${code}`.trim()
}

async function send(url: string, folder: string): Promise<Response> {
  let tar: ChildProcess | undefined
  return call(url, () => {
    tar?.kill('SIGKILL')
    tar = spawn('tar', ['-cf', '-', '-C', folder, '.'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const { stdout } = tar
    if (stdout === null) throw new Stopped('transfer', 'tar gave no output')
    // A tar that failed must not end as a shorter but complete transfer.
    tar.once('close', (code) => code !== 0 && stdout.destroy(new Error('tar failed')))
    return { method: 'PUT', body: Readable.toWeb(stdout), duplex: 'half' }
  })
}

async function has(name: string): Promise<boolean> {
  return stat(join(folders.source, name)).then(
    () => true,
    () => false,
  )
}

async function buildWithScript(): Promise<void> {
  const file = join(folders.source, 'build.sh')
  const text = await readFile(file, 'utf8')
  if (text.includes('\r\n')) {
    say('build.sh has Windows line ends; they are taken out')
    await writeFile(file, text.replaceAll('\r\n', '\n'))
  }
  if (text.startsWith('#!')) {
    await chmod(file, 0o755)
    await run('./build.sh', [])
  } else await run('sh', ['build.sh'])
}

async function buildNode(): Promise<void> {
  const text = (await has('package.json'))
    ? await readFile(join(folders.source, 'package.json'), 'utf8')
    : '{}'
  let document: Record<string, Record<string, string> | undefined>
  try {
    document = JSON.parse(text)
  } catch {
    throw new Stopped('command', 'package.json is not JSON')
  }
  const count = (name: string): number => Object.keys(document[name] ?? {}).length
  const needs = count('dependencies') + count('devDependencies') + count('optionalDependencies') > 0
  if (needs) await run('npm', [(await has('package-lock.json')) ? 'ci' : 'install', '--no-progress'])
  if (document['scripts']?.['build'] !== undefined) await run('npm', ['run', 'build'])
  if (needs) await run('npm', ['prune', '--omit=dev', '--no-progress'])
}

async function buildPython(): Promise<void> {
  if (!(await has('requirements.txt'))) return
  await run('python3', ['-m', 'pip', 'install', '--target', 'site-packages', '-r', 'requirements.txt'])
}

/** Leaves the one jar that runs, as app.jar. */
async function buildJava(): Promise<void> {
  const own = await has('mvnw')
  if (own) await chmod(join(folders.source, 'mvnw'), 0o755)
  const repository = `-Dmaven.repo.local=${join(folders.cache, 'maven')}`
  if (await has('pom.xml'))
    await run(own ? './mvnw' : 'mvn', [
      '-B',
      '-q',
      '-Dstyle.color=never',
      '-DskipTests',
      repository,
      'package',
    ])
  const target = join(folders.source, 'target')
  const names = await readdir(target).catch(() => [])
  const jars = names.filter(
    (name) => name.endsWith('.jar') && !/(?:^original-|-sources|-javadoc|-plain)/u.test(name),
  )
  const [jar, ...more] = jars
  if (jar === undefined) throw new Stopped('command', 'the build left no jar in target/; write a build.sh')
  if (more.length > 0)
    throw new Stopped('command', `the build left several jars (${jars.join(', ')}); write a build.sh`)
  await mkdir(folders.output, { recursive: true })
  await copyFile(join(target, jar), join(folders.output, 'app.jar'))
}

/** Builds and says which folder is the package. */
async function build(): Promise<string> {
  const language = setting('LANGUAGE')
  const chosen = setting('OUTPUT')
  const scripted = await has('build.sh')
  if (scripted) await buildWithScript()
  else if (language === 'node') await buildNode()
  else if (language === 'python') await buildPython()
  else if (language === 'java') await buildJava()
  if (chosen !== '') {
    const folder = resolve(folders.source, chosen)
    const there = await stat(folder).then(
      (found) => found.isDirectory(),
      () => false,
    )
    if (!folder.startsWith(folders.source) || !there)
      throw new Stopped('output', `the build left no folder ${chosen}`)
    return folder
  }
  return !scripted && language === 'java' ? folders.output : folders.source
}

async function keepScripts(output: string): Promise<void> {
  if (output === folders.source) return
  for (const name of ['start.sh', 'stop.sh']) {
    const inOutput = await stat(join(output, name)).then(
      () => true,
      () => false,
    )
    if (!inOutput && (await has(name))) await copyFile(join(folders.source, name), join(output, name))
  }
}

async function main(): Promise<void> {
  trustPlatform()
  for (const folder of [folders.cache, folders.home]) await mkdir(folder, { recursive: true })
  const status = await unpack(setting('SOURCE_URL'), folders.source)
  if (status !== 200) throw new Stopped('fetch', `the source was refused (${status})`)
  const cache = process.env['SLIPWAY_BUILD_CACHE_URL']
  if (cache !== undefined && (await unpack(cache, folders.cache)) === 200) say('the cache is there')
  const before = await fingerprint(folders.cache)
  const output = await build()
  await keepScripts(output)
  say('sending the package')
  const answer = await send(setting('PACKAGE_URL'), output)
  if (!answer.ok) throw new Stopped('package', await problemOf(answer), 1)
  const upload = process.env['SLIPWAY_BUILD_CACHE_UPLOAD_URL']
  if (upload === undefined || (await fingerprint(folders.cache)) === before) return
  const kept = await send(upload, folders.cache).catch(() => undefined)
  if (kept?.ok !== true)
    say(`the cache was not kept${kept === undefined ? '' : `: ${await problemOf(kept)}`}`)
}

/** Changes when a file comes, goes or is written. */
async function fingerprint(folder: string): Promise<string> {
  const hash = createHash('sha256')
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  for (const file of files.sort()) {
    const { size, mtimeMs } = await stat(file)
    hash.update(`${file}\0${size}\0${Math.floor(mtimeMs / 1_000)}\n`)
  }
  return hash.digest('hex')
}

async function problemOf(response: Response): Promise<string> {
  const text = await response.text()
  try {
    const body: { readonly error?: { readonly message?: string } } = JSON.parse(text)
    return body.error?.message ?? text
  } catch {
    // Not from Slipway, but from something on the way.
    return text.slice(0, 200)
  }
}

async function report(stopped: Stopped): Promise<void> {
  const body = JSON.stringify({
    phase: stopped.phase,
    exitCode: stopped.exitCode,
    message: stopped.message.slice(0, 1_000),
  })
  await call(setting('REPORT_URL'), () => ({ method: 'PUT', body }))
}

try {
  await main()
} catch (thrown) {
  const stopped = thrown instanceof Stopped ? thrown : new Stopped('start', String(thrown))
  if (stopped.phase !== 'package') say(stopped.message)
  await report(stopped).catch((cause: unknown) => say(String(cause)))
  process.exitCode = stopped.exitCode
} finally {
  await rm(folders.source, { recursive: true, force: true }).catch(() => undefined)
}
