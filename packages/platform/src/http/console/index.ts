import { contract } from '@slipway/contract'
import { isRecord, KIB, MINUTE_MS, newSecret, parseJson, SECOND_MS } from '@slipway/kit'

import type { Platform } from '../../context.ts'
import { httpErrors } from '../errors.ts'
import { errorBody } from '../error-reply.ts'
import type { Routes } from '../routes.ts'
import { encodingFor, readSite, type SiteState } from './site.ts'
import { ICON, ICON_PATH, waitingPage } from './waiting.ts'

const REPORT_BYTES_MAX = 32 * KIB
const REPORTS_PER_MINUTE = 60
const NONCE_BYTES = 18
/** A console that is not there is looked for again after this time. */
const LOOK_AGAIN_MS = SECOND_MS / 2
const BELOW = '/console/'
/** A worker obeys the policy of its own script, not the one of the page that starts it. */
const FILE_POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'"

/** What a browser gets for an address of the console. */
export type ConsolePage = { readonly html: string; readonly headers: Readonly<Record<string, string>> }

export type ConsoleSite = {
  readonly addRoutes: (routes: Routes) => void
  /** The page behind every address that is neither the API's, the registry's nor the reference's; undefined without a console. */
  readonly page: (() => Promise<ConsolePage>) | undefined
}

/** True for addresses that belong to programs; a page never stands in their place. Pure. */
export function isForPrograms(path: string): boolean {
  return /^\/(?:v1|v2|docs|console)(?:[/?#]|$)/u.test(path)
}

/**
 * Serves the built console from a folder, which may appear later. The page is made anew for each request, with a nonce for
 * the style sheets that the interface library writes; the files beside it are named by their content and never change.
 */
export function consoleSite(platform: Platform, folder: string | undefined): ConsoleSite {
  let known: SiteState = { kind: 'missing' }
  let lookedAtMs = -LOOK_AGAIN_MS
  let looking: Promise<SiteState> | undefined

  async function state(): Promise<SiteState> {
    const nowMs = platform.clock.monotonicMs()
    if (folder === undefined || known.kind === 'ready' || nowMs - lookedAtMs < LOOK_AGAIN_MS) return known
    looking ??= readSite(folder).finally(() => (looking = undefined))
    known = await looking
    lookedAtMs = nowMs
    return known
  }

  async function page(): Promise<ConsolePage> {
    const nonce = newSecret(NONCE_BYTES)
    const now = await state()
    const html =
      now.kind === 'ready'
        ? now.site.page(nonce)
        : waitingPage(nonce, now.kind === 'failed' ? now.problem : undefined)
    return { html, headers: pageHeaders(nonce) }
  }

  return {
    page: folder === undefined ? undefined : page,
    addRoutes(routes) {
      const reports = reportsOf(platform)
      routes.onProtocol(contract.console, async (request) => {
        const path = new URL(request.url).pathname.slice(BELOW.length)
        if (request.method === 'POST') return path === 'reports' ? reports(request) : notFound(platform)
        if (path === 'terminal') return terminalAnswer(await state()) ?? notFound(platform)
        if (BELOW + path === ICON_PATH)
          return new Response(ICON, { headers: { 'content-type': 'image/svg+xml' } })
        return fileAnswer(await state(), path, request) ?? notFound(platform)
      })
    },
  }
}

function pageHeaders(nonce: string): Readonly<Record<string, string>> {
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policyOf(`'nonce-${nonce}'`, "'none'"),
    'cross-origin-opener-policy': 'same-origin',
    'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
  }
}

function policyOf(styles: string, ancestors: string): string {
  return [
    "default-src 'self'",
    "script-src 'self'",
    `style-src 'self' ${styles}`,
    "object-src 'none'",
    "base-uri 'none'",
    `frame-ancestors ${ancestors}`,
    "form-action 'self'",
    "connect-src 'self'",
    `report-uri ${BELOW}reports`,
  ].join('; ')
}

/** The terminal writes styles without a nonce, so it has a page of its own, which only our own pages may frame. */
function terminalAnswer(state: SiteState): Response | undefined {
  if (state.kind !== 'ready') return undefined
  return new Response(state.site.terminal, {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policyOf("'unsafe-inline'", "'self'"),
      'cache-control': 'no-store',
    },
  })
}

function fileAnswer(state: SiteState, path: string, request: Request): Response | undefined {
  const file = state.kind === 'ready' ? state.site.files.get(path) : undefined
  if (!file) return undefined
  const encoding = encodingFor(file, request.headers.get('accept-encoding') ?? '')
  const content = (encoding === undefined ? undefined : file.packed[encoding]) ?? file.content
  return new Response(request.method === 'HEAD' ? null : content, {
    headers: {
      'content-type': file.contentType,
      'content-security-policy': FILE_POLICY,
      'content-length': String(content.length),
      'cache-control': 'public, max-age=31536000, immutable',
      vary: 'accept-encoding',
      ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
    },
  })
}

function notFound(platform: Platform): Response {
  const refusal = httpErrors.not_found()
  return Response.json(errorBody(refusal, platform.newId('req')), { status: refusal.status })
}

/** Takes reports of browsers about what a page's policy stopped, and logs what an operator can act on. */
function reportsOf({ log, clock }: Platform): (request: Request) => Promise<Response> {
  let minute = 0
  let count = 0
  return async (request) => {
    const now = Math.floor(clock.now().getTime() / MINUTE_MS)
    count = now === minute ? count + 1 : 1
    minute = now
    const text = await textUpTo(request, REPORT_BYTES_MAX)
    // Anybody can send these, so a flood of them must not fill the log.
    if (text !== undefined && count <= REPORTS_PER_MINUTE)
      log.warn({ report: reportOf(text) }, 'a page broke its content security policy')
    return new Response(null, { status: 204 })
  }
}

async function textUpTo(request: Request, maxBytes: number): Promise<string | undefined> {
  if (!request.body) return undefined
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of request.body) {
    sizeBytes += chunk.byteLength
    if (sizeBytes > maxBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const REPORTED = ['document-uri', 'effective-directive', 'blocked-uri', 'source-file', 'line-number']
const REPORTED_LENGTH_MAX = 200

/** The known fields of a report, cut to a length. */
function reportOf(text: string): Readonly<Record<string, string>> {
  try {
    const value = parseJson(text)
    const report = isRecord(value) && isRecord(value['csp-report']) ? value['csp-report'] : {}
    return Object.fromEntries(
      REPORTED.filter((name) => ['string', 'number'].includes(typeof report[name])).map((name) => [
        name,
        String(report[name]).slice(0, REPORTED_LENGTH_MAX),
      ]),
    )
  } catch {
    return {} // what is no JSON tells nothing
  }
}
