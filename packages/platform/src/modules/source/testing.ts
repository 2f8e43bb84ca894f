import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const WHO = ['-c', 'user.name=Test', '-c', 'user.email=test@example.test']

/** A real repository in a folder of its own, for tests. */
export type TestRepository = AsyncDisposable & {
  readonly folder: string
  /** Writes the files, commits them, and gives the commit's id. */
  readonly commit: (files: Readonly<Record<string, string>>, message?: string) => Promise<string>
  readonly git: (...args: readonly string[]) => Promise<string>
}

export async function testRepository(): Promise<TestRepository> {
  const parent = await mkdtemp(join(tmpdir(), 'slipway-git-'))
  const folder = join(parent, 'repository')
  const git = async (...args: readonly string[]): Promise<string> =>
    (await run('git', [...WHO, ...args], { cwd: folder })).stdout.trim()
  await mkdir(folder)
  await git('init', '--quiet', '--initial-branch=main')
  return {
    folder,
    git,
    async commit(files, message = 'a commit') {
      for (const [name, text] of Object.entries(files)) {
        await mkdir(dirname(join(folder, name)), { recursive: true })
        await writeFile(join(folder, name), text, { mode: name.endsWith('.sh') ? 0o755 : 0o644 })
      }
      await git('add', '--all')
      await git('commit', '--quiet', '--allow-empty', '-m', message)
      return git('rev-parse', 'HEAD')
    },
    [Symbol.asyncDispose]: () => rm(parent, { recursive: true, force: true }),
  }
}

export type GitServer = AsyncDisposable & { readonly url: string; readonly requests: () => number }

/** Serves repositories over http by git's own CGI program. With a token it asks everybody for it. */
export async function gitServer(folder: string, token?: string): Promise<GitServer> {
  let requests = 0
  const server = createServer((request, response) => {
    requests += 1
    const isLeft = request.url?.startsWith('/elsewhere/') === true
    const right = `Basic ${Buffer.from(`ci:${token ?? ''}`).toString('base64')}`
    if (isLeft) response.writeHead(302, { location: 'http://169.254.169.254/' }).end()
    else if (token !== undefined && request.headers.authorization !== right)
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end()
    else serveCgi(folder, request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function serveCgi(folder: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://localhost')
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env['PATH'],
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      REMOTE_ADDR: '127.0.0.1',
    },
  })
  request.pipe(child.stdin)
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.on('close', () => {
    const all = Buffer.concat(chunks)
    const end = all.indexOf('\r\n\r\n')
    const head = all.subarray(0, end).toString('latin1').split('\r\n')
    let status = 200
    for (const line of head) {
      const colon = line.indexOf(':')
      const [name, value] = [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
      if (name === 'status') status = Number(value.slice(0, 3))
      else response.setHeader(name, value)
    }
    response.writeHead(status).end(all.subarray(end + 4))
  })
}
