/** Serves a static site where the base brings no server; put into the Image as one small file that Node runs. */
export const staticServer = `import { createReadStream } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, resolve, sep } from 'node:path'
import { pipeline } from 'node:stream'

const root = resolve('.')
const types = { '.html': 'text/html; charset=utf-8', '.css': 'text/css; charset=utf-8', '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8', '.json': 'application/json', '.svg': 'image/svg+xml', '.png': 'image/png',
  '.jpg': 'image/jpeg', '.jpeg': 'image/jpeg', '.gif': 'image/gif', '.webp': 'image/webp', '.ico': 'image/x-icon',
  '.txt': 'text/plain; charset=utf-8', '.xml': 'application/xml', '.wasm': 'application/wasm', '.woff2': 'font/woff2',
  '.woff': 'font/woff', '.pdf': 'application/pdf', '.map': 'application/json' }

async function find(path) {
  const file = join(root, path)
  const real = await realpath(file).catch(() => undefined)
  if (real === undefined || (real !== root && !real.startsWith(root + sep))) return undefined
  if (real.slice(root.length).split(sep).some((part) => part.startsWith('.'))) return undefined
  const found = await stat(real)
  if (found.isDirectory()) return path.endsWith('/index.html') ? undefined : find(join(path, 'index.html'))
  return found.isFile() ? { real, size: found.size, modified: found.mtime } : undefined
}

const server = createServer(async (request, response) => {
  try {
    if (request.method !== 'GET' && request.method !== 'HEAD') return response.writeHead(405, { allow: 'GET, HEAD' }).end()
    const path = decodeURIComponent(new URL(request.url, 'http://localhost').pathname)
    const found = path.includes('\\0') ? undefined : await find(path)
    if (!found) return response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\\n')
    const modified = found.modified.toUTCString()
    if (request.headers['if-modified-since'] === modified) return response.writeHead(304).end()
    response.writeHead(200, { 'content-type': types[extname(found.real).toLowerCase()] ?? 'application/octet-stream',
      'content-length': found.size, 'last-modified': modified, 'x-content-type-options': 'nosniff' })
    if (request.method === 'HEAD') return response.end()
    pipeline(createReadStream(found.real), response, () => undefined)
  } catch {
    if (!response.headersSent) response.writeHead(400)
    response.end()
  }
})
server.listen(Number(process.env.PORT ?? 8080), process.env.HOST ?? '0.0.0.0')
process.on('SIGTERM', () => server.close(() => process.exit(0)))
`
