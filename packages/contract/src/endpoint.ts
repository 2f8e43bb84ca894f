import { z } from 'zod'

import type { Permission } from './permissions.ts'

/*
 * Every way into the platform is declared here, once: method, path, who may, what is recorded, how often, how much.
 * The route layer enforces the declaration, the sdk and the OpenAPI document are made from it, and a route that is not
 * declared stops the start. Three kinds: `endpoint` (JSON in and out), `stream` (SSE or WebSocket) and `protocol`
 * (a prefix with rules of its own, such as the registry's `/v2/`).
 */

/**
 * The object a permission is asked for. The path parameter of the same name holds its id; a body or query never does.
 * `installation`: the platform as a whole. `visible`: a list that the query itself narrows to what the caller may see.
 */
export type Scope =
  | 'installation'
  | 'visible'
  | 'organization'
  | 'project'
  | 'environment'
  | 'application'
  | 'workload'
  | 'source'
  | 'build'
  | 'image'
  | 'release'
  | 'instance'
  | 'cluster'

/** How a request proves itself: not at all, by session or API token, or by a signed one-time address. */
export type Auth = 'none' | 'account' | 'signed-url'

/** The allowance a request counts against; the numbers stand in `limits.ts`. */
export type RateClass = 'read' | 'write' | 'login' | 'stream' | 'transfer'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/**
 * Who may: `public` (no account), `self` (any account, about itself), or a permission asked for the object of `scope`.
 */
type Guard =
  | { readonly auth: 'none' | 'signed-url'; readonly permission: 'public'; readonly scope?: undefined }
  | { readonly auth: 'account'; readonly permission: 'self'; readonly scope?: undefined }
  | { readonly auth: 'account'; readonly permission: Permission; readonly scope: Scope }

/** The audit event's action (`release.start`); reads have none, unless they reveal something worth recording. */
type Audited =
  | { readonly method: 'GET'; readonly audit?: string }
  | { readonly method: Exclude<Method, 'GET'>; readonly audit: string }

type Common = Guard & {
  readonly path: `/${string}`
  readonly rate: RateClass
  readonly summary: string
  readonly description?: string
}

export type Endpoint<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Response extends z.ZodType = z.ZodType,
> = {
  readonly kind: 'endpoint'
  readonly method: Method
  readonly path: string
  readonly auth: Auth
  readonly permission: Permission | 'public' | 'self'
  readonly scope: Scope | undefined
  readonly rate: RateClass
  readonly audit: string | undefined
  readonly summary: string
  readonly description: string | undefined
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly status: 200 | 201 | 202 | 204
  readonly response: Response
  readonly bodyLimitBytes: number | undefined
  readonly secretResponse: boolean
}

type EndpointInput<P, Q, B, R> = Common &
  Audited & {
    readonly params?: P
    readonly query?: Q
    readonly body?: B
    readonly status: 200 | 201 | 202 | 204
    readonly response: R
    /** Overrides the limit of `limits.ts`, in bytes. */
    readonly bodyLimitBytes?: number
    /** The answer holds a secret that is shown once: it is never kept for an Idempotency-Key. */
    readonly secretResponse?: boolean
  }

const nothing = z.strictObject({})
const noBody = z.strictObject({}).optional()

/** Declares a JSON endpoint. Left-out parts are empty and refuse any field. */
export function endpoint<
  P extends z.ZodType = typeof nothing,
  Q extends z.ZodType = typeof nothing,
  B extends z.ZodType = typeof noBody,
  R extends z.ZodType = z.ZodType,
>(definition: EndpointInput<P, Q, B, R>): Endpoint<P, Q, B, R> {
  return {
    kind: 'endpoint',
    method: definition.method,
    path: definition.path,
    auth: definition.auth,
    permission: definition.permission,
    scope: definition.scope,
    rate: definition.rate,
    audit: definition.audit,
    summary: definition.summary,
    description: definition.description,
    // The defaults are what an omitted part means; the compiler cannot see that P is then their type.
    params: definition.params ?? (nothing as unknown as P),
    query: definition.query ?? (nothing as unknown as Q),
    body: definition.body ?? (noBody as unknown as B),
    status: definition.status,
    response: definition.response,
    bodyLimitBytes: definition.bodyLimitBytes,
    secretResponse: definition.secretResponse ?? false,
  }
}

/** `sse`: events from us. `websocket`: both ways. `download` and `upload`: raw bytes one way. */
type Transport = 'sse' | 'websocket' | 'download' | 'upload'

export type Stream<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Way extends Transport = Transport,
> = {
  readonly kind: 'stream'
  readonly transport: Way
  readonly method: Method
  readonly path: string
  readonly auth: Auth
  readonly permission: Permission | 'public' | 'self'
  readonly scope: Scope | undefined
  readonly rate: RateClass
  readonly audit: string | undefined
  readonly summary: string
  readonly description: string | undefined
  readonly params: Params
  readonly query: Query
}

type StreamInput<P, Q, W> = Common &
  Audited & { readonly transport: W; readonly params?: P; readonly query?: Q }

/** Declares a stream. Its permission is checked again every few seconds while it is open. */
export function stream<
  const W extends Transport,
  P extends z.ZodType = typeof nothing,
  Q extends z.ZodType = typeof nothing,
>(definition: StreamInput<P, Q, W>): Stream<P, Q, W> {
  return {
    kind: 'stream',
    transport: definition.transport,
    method: definition.method,
    path: definition.path,
    auth: definition.auth,
    permission: definition.permission,
    scope: definition.scope,
    rate: definition.rate,
    audit: definition.audit,
    summary: definition.summary,
    description: definition.description,
    params: definition.params ?? (nothing as unknown as P),
    query: definition.query ?? (nothing as unknown as Q),
  }
}

/** One kind of request below a protocol's prefix. */
export type ProtocolOperation = {
  readonly methods: readonly string[]
  /** Path pattern below the prefix, for people to read. */
  readonly pattern: string
  readonly permission: Permission | 'public'
  readonly audit: string | undefined
}
export type Protocol = {
  readonly kind: 'protocol'
  readonly prefix: `/${string}/`
  readonly summary: string
  readonly operations: readonly ProtocolOperation[]
}

/** Declares a prefix that follows a protocol of its own; its handler authenticates by that protocol's rules. */
export function protocol(definition: Omit<Protocol, 'kind'>): Protocol {
  return { kind: 'protocol', ...definition }
}

export type InputOf<E> = E extends { params: infer P extends z.ZodType; query: infer Q extends z.ZodType }
  ? {
      readonly params: z.output<P>
      readonly query: z.output<Q>
      readonly body: E extends { body: infer B extends z.ZodType } ? z.output<B> : undefined
    }
  : never
/** The same data, given as readonly. */
type Given<T> = T extends readonly (infer Item)[]
  ? readonly Given<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Given<T[Key]> }
    : T
/** What a handler returns for an operation. */
export type OutputOf<E> =
  E extends Endpoint<z.ZodType, z.ZodType, z.ZodType, infer R>
    ? z.input<R> extends undefined
      ? void
      : Given<z.input<R>>
    : never
