/*
 * Registries of packages on loopback that speak their real protocols: npm's, Python's simple index (PEP 503) and a Maven
 * repository. What they serve is packed here from `sources`, so that builds with dependencies need no network.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const sources = fileURLToPath(new URL('sources', import.meta.url))

export type Registries = AsyncDisposable & {
  readonly url: string
  /** Paths of packages (not of their descriptions) that were fetched. */
  readonly fetched: () => readonly string[]
  /** What the lock file of npm says about a package. */
  readonly npmLock: (name: string) => { readonly resolved: string; readonly integrity: string }
}

type File = { readonly path: string; readonly content: Buffer; readonly isPackage: boolean }

export const hasMaven = existsSync('/usr/share/maven/lib') && onPath('mvn') && onPath('javac')
export const hasPython = onPath('python3')

function onPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, program)))
}

export async function startRegistries(): Promise<Registries> {
  await using parts = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'slipway-registries-'))
  parts.defer(() => rm(folder, { recursive: true, force: true }))
  const fetched: string[] = []
  const files = new Map<string, File>()
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname)
    const file = files.get(path)
    if (file?.isPackage === true && request.method === 'GET') fetched.push(path)
    answer(response, file)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  parts.defer(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  // A server that listens on TCP has such an address.
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const packed = [
    ...(await npmPackage(folder, url, 'greeting')),
    ...(await npmPackage(folder, url, 'shout')),
    ...(hasPython ? await wheel(folder) : []),
    ...(hasMaven ? await mavenPackages(folder) : []),
  ]
  for (const file of packed) files.set(file.path, file)
  const owned = parts.move()
  return {
    url,
    fetched: () => fetched,
    npmLock(name) {
      const file = files.get(tarballPath(name))
      if (!file) throw new Error(`no package ${name}`)
      return { resolved: `${url}${file.path}`, integrity: integrityOf(file.content) }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function answer(response: ServerResponse, file: File | undefined): void {
  if (!file) return void response.writeHead(404).end()
  const type = file.path.startsWith('/npm/') && !file.isPackage ? 'application/json' : undefined
  const isPage = file.path.startsWith('/simple/') && !file.isPackage
  response
    .writeHead(200, {
      'content-type': type ?? (isPage ? 'text/html' : 'application/octet-stream'),
      'content-length': file.content.length,
      // Packages never change, and clients may keep them.
      ...(file.isPackage ? { 'cache-control': 'public, max-age=31536000, immutable' } : {}),
    })
    .end(file.content)
}

const tarballPath = (name: string): string => `/npm/${name}/-/${name}-1.0.0.tgz`
const integrityOf = (content: Buffer): string =>
  `sha512-${createHash('sha512').update(content).digest('base64')}`

async function npmPackage(folder: string, url: string, short: string): Promise<File[]> {
  const name = `harbour-${short}`
  const parent = join(folder, name)
  await cp(join(sources, 'node-packages', short), join(parent, 'package'), { recursive: true })
  const file = join(folder, `${name}.tgz`)
  await run('tar', ['-czf', file, '-C', parent, 'package'])
  const content = await readFile(file)
  // What npm wrote into package.json.
  const manifest = JSON.parse(await readFile(join(parent, 'package/package.json'), 'utf8')) as object
  const version = {
    ...manifest,
    dist: { tarball: `${url}${tarballPath(name)}`, integrity: integrityOf(content) },
  }
  const description = { name, 'dist-tags': { latest: '1.0.0' }, versions: { '1.0.0': version } }
  return [
    { path: `/npm/${name}`, content: Buffer.from(JSON.stringify(description)), isPackage: false },
    { path: tarballPath(name), content, isPackage: true },
  ]
}

async function wheel(folder: string): Promise<File[]> {
  const name = 'harbour_greeting-1.0-py3-none-any.whl'
  const file = join(folder, name)
  const from = join(sources, 'python-package')
  await run('python3', ['-m', 'zipfile', '-c', file, ...(await readdir(from))], { cwd: from })
  const content = await readFile(file)
  const hash = createHash('sha256').update(content).digest('hex')
  const path = `/wheels/${name}`
  return [
    {
      path: '/simple/harbour-greeting/',
      content: Buffer.from(
        `<!DOCTYPE html><html><body><a href="${path}#sha256=${hash}">${name}</a></body></html>`,
      ),
      isPackage: false,
    },
    { path, content, isPackage: true },
  ]
}

async function mavenPackages(folder: string): Promise<File[]> {
  const maven = '/usr/share/maven/lib'
  const api = (await readdir(maven)).filter((name) =>
    /^maven-(?:plugin-api|core|artifact|model)-/u.test(name),
  )
  const classPath = api.map((name) => join(maven, name))
  const plugin = join(folder, 'packer')
  await compile('greeting', join(folder, 'greeting'), [])
  await compile('packer', plugin, classPath)
  await cp(join(sources, 'java-packages/packer/META-INF'), join(plugin, 'META-INF'), { recursive: true })
  // Maven gives it to every plugin that does not name one of its own; ours uses nothing of it.
  await mkdir(join(folder, 'plexus-utils'))
  return [
    ...(await mavenPackage(join(folder, 'greeting'), 'harbour:greeting:jar:1.0')),
    ...(await mavenPackage(plugin, 'harbour:packer-maven-plugin:maven-plugin:1.0')),
    ...(await mavenPackage(join(folder, 'plexus-utils'), 'org.codehaus.plexus:plexus-utils:jar:1.1')),
  ]
}

async function compile(name: string, classes: string, classPath: readonly string[]): Promise<void> {
  const from = join(sources, 'java-packages', name, 'harbour')
  const java = (await readdir(from)).map((file) => join(from, file))
  await mkdir(classes)
  const path = classPath.length === 0 ? [] : ['-cp', classPath.join(':')]
  await run('javac', ['-nowarn', '-d', classes, ...path, ...java])
}

/** @param coordinates - group:artifact:packaging:version */
async function mavenPackage(classes: string, coordinates: string): Promise<File[]> {
  const [group = '', artifact = '', packaging = '', version = ''] = coordinates.split(':')
  const jar = `${classes}.jar`
  await run('jar', ['--create', '--file', jar, '-C', classes, '.'])
  const at = `/maven/${group.replaceAll('.', '/')}/${artifact}/${version}/${artifact}-${version}`
  const pom = `<project><modelVersion>4.0.0</modelVersion><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version><packaging>${packaging}</packaging></project>`
  return [
    ...withHash({ path: `${at}.jar`, content: await readFile(jar), isPackage: true }),
    ...withHash({ path: `${at}.pom`, content: Buffer.from(pom), isPackage: false }),
  ]
}

function withHash(file: File): File[] {
  const hash = createHash('sha1').update(file.content).digest('hex')
  return [file, { path: `${file.path}.sha1`, content: Buffer.from(hash), isPackage: false }]
}
