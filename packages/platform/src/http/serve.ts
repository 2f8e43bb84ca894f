import { createHmac } from 'node:crypto'

import type { Endpoint } from '@slipway/contract'
import { assert, canonicalJson } from '@slipway/kit'
import type { FastifyReply, FastifyRequest } from 'fastify'

import type { Account, AuditNote, Ctx, Platform, RequestContext } from '../context.ts'
import { appendEvent, INSTALLATION_CHAIN } from '../modules/audit/index.ts'
import type { Db } from '../tables.ts'
import { authenticate, countOwnHit, presentedOf } from './authenticate.ts'
import { authorize, nowhere, scopeOf, type PlaceFinders, type Target } from './authorize.ts'
import { clearedSessionCookie, sessionCookie } from './browser.ts'
import { httpErrors } from './errors.ts'
import { parsePart, refusalOf, takeDryRun } from './parse.ts'
import { claimKey, findKept, keepResult } from './queries.ts'
import { callRecord, recordRefusal, type CallRecord } from './refusal.ts'
import { isAnswer, type Handler, type OutsideHandler } from './routes.ts'

/*
 * One request, in this order: who calls (and how often) → the path's parameters → may they → query and body → use case →
 * audit event → commit → answer. Everything from "may they" to the commit is one transaction; handlers that compute long or
 * talk to the network get the decision first and the transaction when they ask for it.
 * A refusal rolls back and is then recorded in a transaction of its own.
 */

export type HttpDeps = {
  readonly platform: Platform
  readonly finders: PlaceFinders
  /** Aborted when the server begins to close. */
  readonly closing: AbortSignal
}

type Call = {
  readonly deps: HttpDeps
  readonly endpoint: Endpoint
  readonly request: FastifyRequest
  readonly account: Account
  readonly context: RequestContext
  readonly dryRun: boolean
  readonly params: unknown
  readonly rawQuery: unknown
}

/** Result of a use case, ready to be sent. */
type Result = {
  readonly reply: unknown
  readonly replayed: { readonly status: number; readonly body: unknown } | undefined
}

/** Makes the Fastify handler of an endpoint. */
export function serveEndpoint(
  deps: HttpDeps,
  endpoint: Endpoint,
  handler: OutsideHandler<Endpoint> | { readonly inside: Handler<Endpoint> },
): (request: FastifyRequest, reply: FastifyReply) => Promise<unknown> {
  return async (request, reply) => {
    const call = await enter(deps, endpoint, request, signalOf(reply.raw))
    let target: Target = { target: '', place: nowhere }
    try {
      const { reply: body, replayed } = await run(call, handler, (found) => (target = found))
      return replayed === undefined
        ? send(call, reply, body)
        : reply.code(replayed.status).send(replayed.body)
    } catch (thrown) {
      if (!call.dryRun)
        await recordRefusal(deps.platform, {
          operation: endpoint,
          params: call.params,
          target,
          refusal: refusalOf(thrown),
          account: call.account,
          request,
        })
      throw thrown
    }
  }
}

async function enter(
  deps: HttpDeps,
  endpoint: Endpoint,
  request: FastifyRequest,
  signal: AbortSignal,
): Promise<Call> {
  const { platform } = deps
  const now = platform.clock.now()
  const account = await authenticate(platform, {
    presented: presentedOf(platform, request.headers),
    headers: request.headers,
    method: request.method,
    address: request.ip,
    rate: endpoint.rate,
    needsAccount: endpoint.auth === 'account',
    now,
  })
  const params = parsePart('path', endpoint.params, request.params)
  const { dryRun, query } =
    endpoint.method === 'GET' ? { dryRun: false, query: request.query } : takeDryRun(request.query)
  return {
    deps,
    endpoint,
    request,
    account,
    context: contextOf(platform, request, { account, now, dryRun, signal }),
    dryRun,
    params,
    rawQuery: query,
  }
}

/** The context of a request outside of a transaction. @param signal - aborted when the caller goes away */
export function contextOf(
  platform: Platform,
  request: Pick<FastifyRequest, 'id' | 'ip'>,
  about: {
    readonly account: Account
    readonly now: Date
    readonly dryRun: boolean
    readonly signal: AbortSignal
  },
): RequestContext {
  const { account, now, dryRun, signal } = about
  return {
    ...platform,
    requestId: request.id,
    address: request.ip,
    account,
    now,
    dryRun,
    signal,
    read: (run) => platform.database.transact(scopeOf(account), run, { readOnly: true }),
    countHit: (key, maxPerMinute) => countOwnHit(platform, key, maxPerMinute, now),
  }
}

/** Aborted when a response or socket closes, which it also does at its ordinary end. */
export function signalOf(closing: NodeJS.EventEmitter): AbortSignal {
  const gone = new AbortController()
  closing.once('close', () => gone.abort(httpErrors.caller_gone()))
  return gone.signal
}

async function run(
  call: Call,
  handler: OutsideHandler<Endpoint> | { readonly inside: Handler<Endpoint> },
  found: (target: Target) => void,
): Promise<Result> {
  const { deps, account, endpoint } = call
  const ask = async (db: Db): Promise<Target> => {
    const target = await authorize(db, deps.finders, account, { operation: endpoint, params: call.params })
    found(target)
    return target
  }
  if ('inside' in handler)
    return inTransaction(call, async (ctx) => {
      const target = await ask(ctx.db)
      return { target, reply: await handler.inside(inputOf(call), ctx) }
    })

  const target = await deps.platform.database.transact(scopeOf(account), ask)
  let committed: Result | undefined
  const reply = await handler(inputOf(call), call.context, async (useCase) => {
    assert(committed === undefined, 'a request commits once')
    committed = await inTransaction(call, async (ctx) => ({ target, reply: await useCase(ctx) }))
    return committed.reply
  })
  assert(endpoint.method === 'GET' || committed !== undefined, `${endpoint.path} did not commit`)
  return committed?.replayed === undefined ? { reply, replayed: undefined } : committed
}

function inputOf(call: Call): never {
  const { endpoint, request, params } = call
  // The schemas are those the handler was typed by; the compiler has lost them on the way through Fastify.
  return {
    params,
    query: parsePart('query', endpoint.query, call.rawQuery),
    body: parsePart('body', endpoint.body, request.body === null ? undefined : request.body),
  } as never
}

async function inTransaction(
  call: Call,
  useCase: (ctx: Ctx) => Promise<{ readonly target: Target; readonly reply: unknown }>,
): Promise<Result> {
  const { deps, endpoint, account } = call
  const key = idempotencyKeyOf(call)
  return deps.platform.database.transact(
    scopeOf(account),
    async (db) => {
      if (key !== undefined && !(await claimKey(db, account.id, key.key, key.hash, call.context.now)))
        return { reply: undefined, replayed: await replay(db, call, key) }
      const notes: AuditNote[] = []
      const { target, reply } = await useCase({ ...call.context, db, note: (note) => notes.push(note) })
      const body = checkedBody(endpoint, isAnswer(reply) ? reply.body : reply)
      if (key !== undefined)
        await keepResult(db, account.id, key.key, endpoint.status, endpoint.secretResponse ? undefined : body)
      if (endpoint.audit !== undefined) await appendSuccess(db, call, target, notes)
      return { reply, replayed: undefined }
    },
    { dryRun: call.dryRun, readOnly: endpoint.method === 'GET' && endpoint.audit === undefined },
  )
}

/** Answers are checked by their schema too: a field that was not declared, a secret perhaps, never leaves. */
function checkedBody(endpoint: Endpoint, body: unknown): unknown {
  const result = endpoint.response.safeParse(body)
  assert(result.success, `the answer of ${endpoint.path} is not as declared: ${result.error?.message ?? ''}`)
  return result.data
}

type Key = { readonly key: string; readonly hash: string }

function idempotencyKeyOf(call: Call): Key | undefined {
  const { request, account, endpoint } = call
  const key = request.headers['idempotency-key']
  if (key === undefined || endpoint.method !== 'POST' || account.via === 'none' || call.dryRun)
    return undefined
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,128}$/u.test(key))
    throw httpErrors.idempotency_key_invalid()
  // Keyed, because a body may hold a password that could be guessed from a plain hash.
  const hash = createHmac('sha256', call.deps.platform.envelope.deriveKey('idempotency'))
    .update(`${request.method}\n${request.url}\n${canonicalJson(request.body ?? null)}`)
    .digest('hex')
  return { key, hash }
}

async function replay(db: Db, call: Call, key: Key): Promise<{ status: number; body: unknown }> {
  const kept = await findKept(db, call.account.id, key.key)
  if (kept?.requestHash !== key.hash) throw httpErrors.idempotency_key_reused()
  if (call.endpoint.secretResponse) throw httpErrors.idempotency_result_secret()
  return { status: kept.status, body: kept.body ?? undefined }
}

async function appendSuccess(db: Db, call: Call, target: Target, notes: readonly AuditNote[]): Promise<void> {
  const note: AuditNote = Object.assign({}, ...notes)
  if (note.unremarkable) return
  await appendEvent(call.context, db, {
    ...recordOf(call),
    chain: note.organizationId ?? target.place.organizationId ?? INSTALLATION_CHAIN,
    target: note.target ?? target.target,
    projectId: note.projectId ?? target.place.projectId,
    outcome: 'success',
    code: null,
    detail: note.detail ?? {},
  })
}

function recordOf(call: Call): CallRecord {
  const { account, context, endpoint } = call
  return callRecord(endpoint.audit ?? '', {
    id: context.newId('aud'),
    at: context.now,
    account,
    requestId: context.requestId,
    address: context.address,
  })
}

function send(call: Call, reply: FastifyReply, result: unknown): FastifyReply {
  const { settings } = call.deps.platform
  const { body, session, clearSession } = isAnswer(result)
    ? result
    : { body: result, session: undefined, clearSession: false }
  if (session !== undefined)
    reply.header('set-cookie', sessionCookie(settings, session.secret, session.expiresAt))
  if (clearSession === true) reply.header('set-cookie', clearedSessionCookie(settings))
  if (call.dryRun) reply.header('slipway-dry-run', 'true')
  reply.code(call.endpoint.status)
  return call.endpoint.status === 204 ? reply.send() : reply.send(body)
}
