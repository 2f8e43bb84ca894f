import type { Readable } from 'node:stream'

import type { Endpoint, InputOf, OutputOf, Protocol, Stream } from '@slipway/contract'
import type { WebSocket } from 'ws'

import type { Account, Ctx, Platform, RequestContext } from '../context.ts'
import type { Db } from '../tables.ts'

const answerMark: unique symbol = Symbol('answer')

/** A body with something beside it. Made by `answer`. */
export type Answer<T> = {
  readonly [answerMark]: true
  readonly body: T
  /** A new session, which the browser gets as a cookie. */
  readonly session?: { readonly secret: string; readonly expiresAt: Date }
  readonly clearSession?: boolean
}

export function answer<T>(body: T, extras: Omit<Answer<T>, 'body' | typeof answerMark>): Answer<T> {
  return { [answerMark]: true, body, ...extras }
}

export function isAnswer(value: unknown): value is Answer<unknown> {
  return typeof value === 'object' && value !== null && answerMark in value
}

type Reply<E> = OutputOf<E> | Answer<OutputOf<E>>

/** Runs inside the one transaction of the request. It may run again after a deadlock: it touches nothing but the database. */
export type Handler<E> = (input: InputOf<E>, ctx: Ctx) => Promise<Reply<E>>

/** Runs the one transaction of a mutation: use case, audit event, idempotent result, commit. Called once. */
export type Commit<E> = (run: (ctx: Ctx) => Promise<Reply<E>>) => Promise<Reply<E>>

/** For use cases that also compute long or talk to the network, which no transaction may wait for. */
export type OutsideHandler<E> = (
  input: InputOf<E>,
  ctx: RequestContext,
  commit: Commit<E>,
) => Promise<Reply<E>>

export type SseEvent = { readonly id?: string; readonly event?: string; readonly data: unknown }

/** What a stream's handler is given; one of the ends is set, by the stream's transport. */
export type StreamCall<S> = {
  readonly input: InputOf<S>
  readonly ctx: RequestContext
  /** SSE: sends one event; resolves when the reader can take more. */
  readonly send: (event: SseEvent) => Promise<void>
  readonly lastEventId: string | undefined
  /** Calls `listener` every few seconds, when the caller has been found to be allowed still, with what they are allowed now. */
  readonly onRecheck: (listener: (account: Account) => void) => void
  /** WebSocket: completes the handshake; call it once the other end is known to be there. */
  readonly accept: () => Promise<WebSocket>
  /** Upload: the raw bytes. */
  readonly upload: Readable
  /** Download: sends the headers and pipes the bytes. */
  readonly download: (content: Download) => Promise<void>
}

export type Download = {
  readonly contentType: string
  readonly headers?: Readonly<Record<string, string>>
  readonly fileName?: string
  readonly sizeBytes?: number
  readonly body: Readable
}

export type StreamHandler<S> = ((call: StreamCall<S>) => Promise<void>) & {
  readonly describe?: Describe<S> | undefined
}

/** What the audit event of a stream that is opened says; never a secret value. Runs in the transaction that permits it. */
export type Describe<S> = (
  input: InputOf<S>,
  at: { readonly db: Db; readonly platform: Platform; readonly requestId: string },
) => Promise<Readonly<Record<string, unknown>>>

/** Answers every request below a protocol's prefix. `address` is the caller's. */
export type ProtocolHandler = (request: Request, caller: { readonly address: string }) => Promise<Response>

/** Where modules put their handlers; the route layer takes them from here. */
export type Routes = {
  readonly on: <E extends Endpoint>(endpoint: E, handler: Handler<E>) => void
  readonly onOutside: <E extends Endpoint>(endpoint: E, handler: OutsideHandler<E>) => void
  readonly onStream: <S extends Stream>(
    stream: S,
    handler: (call: StreamCall<S>) => Promise<void>,
    describe?: Describe<S>,
  ) => void
  readonly onProtocol: (protocol: Protocol, handler: ProtocolHandler) => void
}

export type Registered = {
  readonly endpoints: ReadonlyMap<Endpoint, OutsideHandler<Endpoint> | { readonly inside: Handler<Endpoint> }>
  readonly streams: ReadonlyMap<Stream, StreamHandler<Stream>>
  readonly protocols: ReadonlyMap<Protocol, ProtocolHandler>
}

/** @throws {Error} when two handlers claim the same operation */
export function collectRoutes(): Routes & { readonly registered: Registered } {
  const endpoints = new Map<Endpoint, OutsideHandler<Endpoint> | { readonly inside: Handler<Endpoint> }>()
  const streams = new Map<Stream, StreamHandler<Stream>>()
  const protocols = new Map<Protocol, ProtocolHandler>()
  function add<K, V>(map: Map<K, V>, key: K, value: V, name: string): void {
    if (map.has(key)) throw new Error(`two handlers for ${name}`)
    map.set(key, value)
  }
  // A handler is kept for exactly the operation it was typed for, so widening its input here is safe.
  return {
    on: (endpoint, handler) =>
      add(endpoints, endpoint, { inside: handler as unknown as Handler<Endpoint> }, endpoint.path),
    onOutside: (endpoint, handler) =>
      add(endpoints, endpoint, handler as unknown as OutsideHandler<Endpoint>, endpoint.path),
    onStream: (stream, handler, describe) =>
      add(
        streams,
        stream,
        Object.assign(handler, { describe }) as unknown as StreamHandler<Stream>,
        stream.path,
      ),
    onProtocol: (protocol, handler) => add(protocols, protocol, handler, protocol.prefix),
    registered: { endpoints, streams, protocols },
  }
}
