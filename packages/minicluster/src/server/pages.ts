import type { IncomingMessage, ServerResponse } from 'node:http'
import { arch, platform } from 'node:os'

import { statusErrors } from '../errors.ts'
import { discoveryAt, groupVersions } from './discovery.ts'
import { sendJson, sendText } from './exchange.ts'
import { openApiDocument, openApiIndex } from './openapi.ts'

/** The pages of the server that are no resources: version, health, discovery, OpenAPI, metrics. */
const GO_ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' }
const VERSION = {
  major: '1',
  minor: '35',
  gitVersion: 'v1.35.4+embedded',
  gitCommit: '',
  gitTreeState: '',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: `${platform()}/${GO_ARCHITECTURES[arch()] ?? arch()}`,
}
const HEALTH = new Set(['healthz', 'livez', 'readyz'])

/** Pages that need no credentials. */
export function isPublicPage(page: readonly string[]): boolean {
  return page.length === 1 && (page[0] === 'version' || HEALTH.has(page[0] ?? ''))
}

export function sendPage(
  request: IncomingMessage,
  response: ServerResponse,
  page: readonly string[],
  metrics: () => string,
): void {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    throw statusErrors.notFound('pages', '', `/${page.join('/')}`)
  const [root = ''] = page
  if (page.length === 0) return sendJson(response, 200, { paths: allPaths() })
  if (root === 'openapi') return sendOpenApi(request, response, page)
  if (root === 'api' || root === 'apis') return sendDiscovery(request, response, page)
  if (page.length > 1) return sendText(response, 404, '404 page not found\n')
  if (root === 'version') return sendJson(response, 200, VERSION)
  if (root === 'metrics') return sendText(response, 200, metrics())
  if (HEALTH.has(root)) return sendText(response, 200, 'ok')
  sendText(response, 404, '404 page not found\n')
}

function allPaths(): string[] {
  const groups = groupVersions().map(({ group, version }) =>
    group === '' ? `/api/${version}` : `/apis/${group}/${version}`,
  )
  return ['/api', '/apis', ...groups, '/healthz', '/livez', '/metrics', '/openapi/v3', '/readyz', '/version']
}

function sendDiscovery(request: IncomingMessage, response: ServerResponse, page: readonly string[]): void {
  const answer = discoveryAt(page, request.headers.accept)
  if (!answer) return sendText(response, 404, '404 page not found\n')
  const bytes = Buffer.from(JSON.stringify(answer.body))
  response.setHeader('Vary', 'Accept')
  if (answer.etag !== undefined) {
    response.setHeader('ETag', answer.etag)
    if (request.headers['if-none-match'] === answer.etag) {
      response.writeHead(304).end()
      return
    }
  }
  response.writeHead(200, { 'Content-Type': answer.contentType, 'Content-Length': bytes.length })
  response.end(request.method === 'HEAD' ? undefined : bytes)
}

function sendOpenApi(request: IncomingMessage, response: ServerResponse, page: readonly string[]): void {
  if (page[1] !== 'v3') return sendText(response, 404, '404 page not found\n')
  if (page.length === 2) return sendJson(response, 200, openApiIndex())
  const document = openApiDocument(page.slice(2).join('/'))
  if (!document) return sendText(response, 404, '404 page not found\n')
  const etag = `"${document.hash.toUpperCase()}"`
  const hashed = new URL(request.url ?? '/', 'https://localhost').searchParams.has('hash')
  response.setHeader('ETag', etag)
  response.setHeader('Vary', 'Accept')
  response.setHeader('Cache-Control', hashed ? 'public, immutable' : 'no-cache, private')
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304).end()
    return
  }
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': document.bytes.length })
  response.end(request.method === 'HEAD' ? undefined : document.bytes)
}
