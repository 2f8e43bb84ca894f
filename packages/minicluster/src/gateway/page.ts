import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'

export type Answer = { readonly status: number; readonly why: string }

/** A small answer of the gateway itself; the body says what happened in one sentence, as HTML only for browsers. */
export function answer(request: IncomingMessage, response: ServerResponse, { status, why }: Answer): void {
  if (response.headersSent || response.destroyed) return
  const title = `${status} ${STATUS_CODES[status] ?? ''}`
  const isBrowser = request.headers.accept?.includes('text/html') === true
  const body = isBrowser
    ? `<!doctype html><meta charset="utf-8"><title>${title}</title><h1>${title}</h1><p>${why}</p>\n`
    : `${title}: ${why}\n`
  response.writeHead(status, {
    'content-type': `text/${isBrowser ? 'html' : 'plain'}; charset=utf-8`,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 503 ? { 'retry-after': '1' } : {}),
  })
  response.end(request.method === 'HEAD' ? undefined : body)
  // An unread body would be taken for the next request.
  if (!request.complete) request.resume()
}
