import { z } from 'zod'

import { commandLines } from './command-lines.ts'
import { ErrorBody } from './common.ts'
import type { Endpoint, Protocol, Stream } from './endpoint.ts'
import { bodyFields, isObject, schemaWriter, type JsonSchema, type SchemaWriter } from './json-schema.ts'
import { BODY_LIMIT_BYTES, IDEMPOTENCY_HOURS, RATE_LIMITS } from './limits.ts'
import { exampleOf } from './openapi-example.ts'
import { nounOf } from './openapi-noun.ts'

/** An operation of the document, with what OpenAPI has no word for under `x-slipway`. */
export type OpenApiOperation = {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly description?: string
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters: readonly OpenApiParameter[]
  readonly requestBody?: {
    readonly required: boolean
    readonly content: Readonly<Record<string, { readonly schema: JsonSchema; readonly example?: unknown }>>
  }
  readonly responses: Readonly<Record<string, unknown>>
  readonly 'x-slipway': {
    readonly kind: 'endpoint' | 'stream' | 'protocol'
    readonly transport: 'json' | Stream['transport'] | 'protocol'
    readonly permission: string
    readonly scope: string | null
    readonly rate: string | null
    readonly audit: string | null
    readonly command: string | null
  }
}

export type OpenApiParameter = {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required: boolean
  readonly description?: string
  readonly schema: JsonSchema
}

/** An OpenAPI 3.1 document, as far as `openApiDocument` makes one. */
export type OpenApiDocument = {
  readonly openapi: '3.1.0'
  readonly info: {
    readonly title: string
    readonly version: string
    readonly description: string
    readonly license: unknown
  }
  readonly servers: readonly { readonly url: string; readonly description: string }[]
  readonly tags: readonly { readonly name: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>
    readonly securitySchemes: Readonly<Record<string, unknown>>
    readonly responses: Readonly<Record<string, unknown>>
  }
}

type Declared = Readonly<Record<string, Endpoint | Stream | Protocol>>

/**
 * The OpenAPI 3.1 document of a contract: every endpoint, stream and protocol operation, schemas from zod's own JSON Schema.
 * @param exported - the contract's module namespace; the schemas it exports keep their names
 * @throws {Error} when two operations share method and path
 */
export function openApiDocument(
  contract: Declared,
  version: string,
  exported: Readonly<Record<string, unknown>>,
): OpenApiDocument {
  const writer = schemaWriter(exported)
  const errorBody = writer.write(ErrorBody, 'output')
  const paths: Record<string, Record<string, OpenApiOperation>> = {}
  const add = (path: string, method: string, operation: OpenApiOperation): void => {
    const ofPath = (paths[path] ??= {})
    if (ofPath[method] !== undefined) throw new Error(`${method} ${path} is declared twice`)
    ofPath[method] = operation
  }
  for (const [name, declared] of Object.entries(contract)) {
    if (declared.kind === 'protocol') {
      for (const { path, method, operation } of protocolOperations(name, declared))
        add(path, method, operation)
    } else add(templateOf(declared.path), declared.method.toLowerCase(), operationOf(name, declared, writer))
  }
  const schemas = writer.components()
  for (const ofPath of Object.values(paths))
    for (const [method, operation] of Object.entries(ofPath))
      ofPath[method] = withExamples(operation, schemas)
  return {
    openapi: '3.1.0',
    info: {
      title: 'Slipway',
      version,
      description: INTRODUCTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'This installation' }],
    tags: tagsOf(paths),
    paths,
    components: { schemas, securitySchemes: SECURITY_SCHEMES, responses: errorResponses(errorBody) },
  }
}

const INTRODUCTION = [
  'Every operation of the platform; the console, the command line and the sdk use these and no others.',
  `Lists are paged by an opaque \`cursor\`. Every change takes \`?dryRun=true\`, which checks everything and changes nothing. POST takes an \`Idempotency-Key\`, remembered for ${IDEMPOTENCY_HOURS} hours. A JSON body has at most ${BODY_LIMIT_BYTES} bytes.`,
  'A refusal is `{"error": {"code", "message", "params", "requestId"}}`: codes are stable, `message` is English, other languages render `code` and `params`. An object the caller may not see answers like one that does not exist.',
].join('\n\n')

const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', description: 'The secret of a session or of an API token' },
  cookie: { type: 'apiKey', in: 'cookie', name: 'slipway', description: 'The session of a browser' },
}

const REFUSALS = {
  '400': ['Invalid', 'A part of the request is not as declared.'],
  '401': ['NotSignedIn', 'Nobody is signed in, or the session has ended.'],
  '403': ['Denied', 'The caller may see the object but lacks the permission.'],
  '404': ['NotFound', 'There is no such object, or the caller may not know of it.'],
  '409': ['Conflict', 'The state of the object does not allow this now.'],
  '422': ['Refused', 'A rule of the installation refuses this.'],
  '429': ['TooMany', 'Too many requests; `Retry-After` says when to come back.'],
  '503': ['Unavailable', 'The platform cannot serve right now; `Retry-After` says when to come back.'],
} as const

function errorResponses(schema: JsonSchema): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.values(REFUSALS).map(([name, description]) => [
      name,
      { description, content: { 'application/json': { schema } } },
    ]),
  )
}

function refusalsOf(operation: Endpoint | Stream): Readonly<Record<string, unknown>> {
  const hasObject = operation.path.includes('/:')
  const statuses = [
    '400',
    ...(operation.auth === 'account' ? (['401'] as const) : []),
    ...(operation.permission === 'public' || operation.permission === 'self' ? [] : (['403'] as const)),
    ...(hasObject ? (['404'] as const) : []),
    ...(operation.method === 'GET' ? [] : (['409', '422'] as const)),
    '429',
    '503',
  ] as const
  return Object.fromEntries(
    statuses.map((status) => [status, { $ref: `#/components/responses/${REFUSALS[status][0]}` }]),
  )
}

function operationOf(name: string, declared: Endpoint | Stream, writer: SchemaWriter): OpenApiOperation {
  const body = declared.kind === 'endpoint' ? bodyOf(declared, writer) : uploadBodyOf(declared)
  return {
    operationId: name,
    tags: [nounOf(declared.path)],
    summary: declared.summary,
    description: descriptionOf(declared),
    security: declared.auth === 'account' ? [{ bearer: [] }, { cookie: [] }] : [],
    parameters: parametersOf(declared, writer),
    ...(body && { requestBody: body }),
    responses: { ...successOf(declared, writer), ...refusalsOf(declared) },
    'x-slipway': {
      kind: declared.kind,
      transport: declared.kind === 'endpoint' ? 'json' : declared.transport,
      permission: declared.permission,
      scope: declared.scope ?? null,
      rate: declared.rate,
      audit: declared.audit ?? null,
      command: commandLines[name] ?? genericCommandOf(name, declared),
    },
  }
}

function descriptionOf(declared: Endpoint | Stream): string {
  const who = {
    public: 'Anyone may call this.',
    self: 'Any account may call this, for itself.',
  }[declared.permission as string]
  const needed = who ?? `Needs the permission \`${declared.permission}\`${scopeTextOf(declared.scope)}.`
  const rate = `At most ${RATE_LIMITS[declared.rate]} requests of class \`${declared.rate}\` per minute.`
  const recorded = declared.audit === undefined ? [] : [`Recorded in the audit as \`${declared.audit}\`.`]
  return [
    ...(declared.description === undefined ? [] : [declared.description]),
    [needed, rate, ...recorded].join(' '),
  ].join('\n\n')
}

function scopeTextOf(scope: string | undefined): string {
  if (scope === undefined) return ''
  if (scope === 'installation') return ' on the installation'
  return scope === 'visible' ? '; the list holds what the caller may see' : ` on the ${scope} in the path`
}

/** What calls an operation that has no command of its own. */
function genericCommandOf(name: string, declared: Endpoint | Stream): string {
  const params = [...declared.path.matchAll(/:([a-zA-Z]+)/gu)].map((match) => ` ${match[1]}=<${match[1]}>`)
  return `api ${name}${params.join('')}`
}

function parametersOf(declared: Endpoint | Stream, writer: SchemaWriter): readonly OpenApiParameter[] {
  const path = fieldsOf(writer.writeInline(declared.params, 'input')).map(
    ([name, schema]): OpenApiParameter => parameterOf({ name, in: 'path', required: true, schema }),
  )
  const querySchema = writer.writeInline(declared.query, 'input')
  const required = Array.isArray(querySchema['required']) ? querySchema['required'] : []
  const query = fieldsOf(querySchema).map(([name, schema]): OpenApiParameter =>
    parameterOf({ name, in: 'query', required: required.includes(name), schema }),
  )
  const dryRun = declared.method === 'GET' ? [] : [DRY_RUN]
  const key = declared.method === 'POST' ? [IDEMPOTENCY_KEY] : []
  const resume = declared.kind === 'stream' && declared.transport === 'sse' ? [LAST_EVENT_ID] : []
  return [...path, ...query, ...dryRun, ...key, ...resume]
}

function parameterOf(parameter: OpenApiParameter): OpenApiParameter {
  const { description, ...schema } = parameter.schema
  return typeof description === 'string' ? { ...parameter, description, schema } : parameter
}

const DRY_RUN: OpenApiParameter = {
  name: 'dryRun',
  in: 'query',
  required: false,
  description: 'Check everything, change nothing',
  schema: { type: 'boolean', default: false },
}
const IDEMPOTENCY_KEY: OpenApiParameter = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same key with the same request gives the first result again',
  schema: { type: 'string', minLength: 1, maxLength: 128 },
}
const LAST_EVENT_ID: OpenApiParameter = {
  name: 'Last-Event-ID',
  in: 'header',
  required: false,
  description: 'Continues after this event',
  schema: { type: 'string' },
}

function fieldsOf(schema: JsonSchema): readonly (readonly [string, JsonSchema])[] {
  const properties = isObject(schema['properties']) ? schema['properties'] : {}
  return Object.entries(properties).flatMap(([name, child]) =>
    isObject(child) ? [[name, child] as const] : [],
  )
}

function bodyOf(declared: Endpoint, writer: SchemaWriter): OpenApiOperation['requestBody'] {
  const optional = declared.body.safeParse(undefined).success
  const inner = declared.body instanceof z.ZodOptional ? (declared.body.unwrap() as z.ZodType) : declared.body
  if (bodyFields(inner) === undefined) return undefined
  const schema = writer.write(inner, 'input')
  return { required: !optional, content: { 'application/json': { schema } } }
}

function uploadBodyOf(declared: Stream): OpenApiOperation['requestBody'] {
  if (declared.transport !== 'upload') return undefined
  return {
    required: true,
    content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
  }
}

const STREAM_ANSWERS: Readonly<Record<Stream['transport'], readonly [string, string, string | undefined]>> = {
  sse: [
    '200',
    'Server-sent events. The body ends when there is nothing more; a refusal after the first event comes as an event named `error`',
    'text/event-stream',
  ],
  websocket: ['101', 'The connection becomes a WebSocket', undefined],
  download: ['200', 'The bytes', 'application/octet-stream'],
  upload: ['200', 'The bytes were taken', 'application/json'],
}

function successOf(declared: Endpoint | Stream, writer: SchemaWriter): Readonly<Record<string, unknown>> {
  if (declared.kind === 'stream') {
    const [status, description, mediaType] = STREAM_ANSWERS[declared.transport]
    return { [status]: { description, ...(mediaType !== undefined && { content: { [mediaType]: {} } }) } }
  }
  if (declared.status === 204) return { '204': { description: 'Done' } }
  const schema = writer.write(declared.response, 'output')
  const description = { 200: 'The answer', 201: 'Created', 202: 'Accepted; the work continues' }[
    declared.status
  ]
  return { [declared.status]: { description, content: { 'application/json': { schema } } } }
}

function withExamples(
  operation: OpenApiOperation,
  schemas: Readonly<Record<string, JsonSchema>>,
): OpenApiOperation {
  const json = operation.requestBody?.content['application/json']
  const requestBody = operation.requestBody &&
    json && {
      ...operation.requestBody,
      content: { 'application/json': { ...json, example: exampleOf(json.schema, schemas) } },
    }
  const responses = Object.fromEntries(
    Object.entries(operation.responses).map(([status, response]) => [
      status,
      answerWithExample(response, schemas),
    ]),
  )
  return { ...operation, ...(requestBody && { requestBody }), responses }
}

function answerWithExample(response: unknown, schemas: Readonly<Record<string, JsonSchema>>): unknown {
  const content = isObject(response) ? response['content'] : undefined
  const json = isObject(content) ? content['application/json'] : undefined
  if (!isObject(response) || !isObject(json) || json['schema'] === undefined) return response
  return {
    ...response,
    content: { 'application/json': { ...json, example: exampleOf(json['schema'], schemas) } },
  }
}

function templateOf(path: string): string {
  return path.replaceAll(/:([a-zA-Z]+)/gu, '{$1}')
}

function tagsOf(
  paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>,
): readonly { name: string }[] {
  const operations = Object.values(paths).flatMap((ofPath) => Object.values(ofPath))
  return [...new Set(operations.flatMap((operation) => operation.tags))].sort().map((name) => ({ name }))
}

const HTTP_METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'])

/** A protocol's operations: its patterns are for people, so `<name>` and `:name` both become templates. */
function protocolOperations(
  name: string,
  declared: Protocol,
): readonly { readonly path: string; readonly method: string; readonly operation: OpenApiOperation }[] {
  return declared.operations.flatMap(({ methods, pattern, permission, audit }, index) => {
    const below = pattern.replaceAll(/[<:{]([a-zA-Z]+)[>}]?/gu, '{$1}').replace(/^\//u, '')
    const path = `${declared.prefix}${below}`
    const names = [...path.matchAll(/\{([a-zA-Z]+)\}/gu)].map((match) => match[1] ?? '')
    return methods
      .map((method) => method.toLowerCase())
      .filter((method) => HTTP_METHODS.has(method))
      .map((method) => ({
        path,
        method,
        operation: {
          operationId: `${name}-${index}-${method}`,
          tags: [name],
          summary: declared.summary,
          security: permission === 'public' ? [] : [{ bearer: [] }],
          parameters: names.map((parameter) => ({
            name: parameter,
            in: 'path' as const,
            required: true,
            schema: { type: 'string' },
          })),
          responses: { default: { description: 'As the protocol says' } },
          'x-slipway': {
            kind: 'protocol' as const,
            transport: 'protocol' as const,
            permission,
            scope: null,
            rate: null,
            audit: audit ?? null,
            command: null,
          },
        },
      }))
  })
}
