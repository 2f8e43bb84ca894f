import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { endpoint, protocol, stream, type Endpoint } from './endpoint.ts'
import * as exported from './index.ts'
import { bodyFields, fieldNames } from './json-schema.ts'
import { exampleOf } from './openapi-example.ts'
import { nounOf } from './openapi-noun.ts'
import { openApiDocument } from './openapi.ts'

const { contract } = exported
const document = openApiDocument(contract, '1.2.3', exported)
const operations = Object.values(document.paths).flatMap((ofPath) => Object.values(ofPath))

describe('the document of the whole contract', () => {
  test('holds every endpoint and stream once, by its name', () => {
    const names = Object.entries(contract as Readonly<Record<string, { readonly kind: string }>>)
      .filter(([, declared]) => declared.kind !== 'protocol')
      .map(([name]) => name)
    const ids = operations.map((operation) => operation.operationId)
    expect(ids).toEqual(expect.arrayContaining(names))
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('every reference leads to a component', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/([^"]+)"/gu)].map(
      (match) => match[1] ?? '',
    )
    expect(references.length).toBeGreaterThan(0)
    for (const reference of references) {
      const [kind = '', name = ''] = reference.split('/')
      expect(document.components, reference).toHaveProperty([kind, name])
    }
  })

  test('every example of a body is what the endpoint accepts', () => {
    const refused: string[] = []
    for (const [name, declared] of Object.entries(
      contract as Readonly<Record<string, Endpoint | { kind: 'stream' | 'protocol' }>>,
    )) {
      if (declared.kind !== 'endpoint') continue
      const example = operations.find(({ operationId }) => operationId === name)?.requestBody?.content[
        'application/json'
      ]?.example
      if (example !== undefined && !declared.body.safeParse(example).success) refused.push(name)
    }
    expect(refused).toEqual([])
  })

  test('who may, and what a change takes, stands with each operation', () => {
    const made = document.paths['/v1/organizations/{organization}/projects']?.['post']
    expect(made?.['x-slipway']).toMatchObject({
      permission: 'project:create',
      scope: 'organization',
      audit: 'project.create',
    })
    expect(made?.parameters.map(({ name }) => name)).toEqual(['organization', 'dryRun', 'Idempotency-Key'])
    expect(made?.responses).toHaveProperty('201')
    expect(document.paths['/v1/version']?.['get']?.security).toEqual([])
  })
})

describe('single declarations', () => {
  const account = { auth: 'account', permission: 'self', rate: 'read', summary: 's' } as const
  const one = (declared: Parameters<typeof openApiDocument>[0][string]): string =>
    JSON.stringify(openApiDocument({ one: declared }, '1', {}).paths)

  test('streams and protocols are told as what they are', () => {
    expect(one(stream({ ...account, transport: 'sse', method: 'GET', path: '/v1/e' }))).toContain(
      'text/event-stream',
    )
    expect(one(stream({ ...account, transport: 'websocket', method: 'GET', path: '/v1/e' }))).toContain(
      '"101"',
    )
    expect(
      one(stream({ ...account, transport: 'upload', method: 'PUT', path: '/v1/e', audit: 'e.put' })),
    ).toContain('application/octet-stream')
    const registry = protocol({
      prefix: '/v2/',
      summary: 'Registry',
      operations: [
        {
          methods: ['GET', 'HEAD'],
          pattern: '<name>/manifests/<reference>',
          permission: 'image:pull',
          audit: undefined,
        },
      ],
    })
    expect(one(registry)).toContain('/v2/{name}/manifests/{reference}')
  })

  test('two operations cannot share method and path', () => {
    const same = endpoint({
      ...account,
      method: 'GET',
      path: '/v1/same',
      status: 204,
      response: z.undefined(),
    })
    expect(() => openApiDocument({ one: same, two: same }, '1', {})).toThrow('declared twice')
  })

  test('a schema with a default has a form for reading and one for writing', () => {
    const Named = z.strictObject({ size: z.number().default(1) })
    const declared = endpoint({
      ...account,
      method: 'PUT',
      path: '/v1/x',
      audit: 'x.put',
      body: Named,
      status: 200,
      response: Named,
    })
    const { schemas } = openApiDocument({ one: declared }, '1', { Named }).components
    expect(Object.keys(schemas)).toEqual(expect.arrayContaining(['Named', 'NamedInput']))
    expect(schemas['Named']).toMatchObject({ required: ['size'] })
    expect(schemas['NamedInput']).not.toHaveProperty('required')
  })

  test('fields of unions and optional bodies are found', () => {
    const union = z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('a'), left: z.string() }),
      z.strictObject({ kind: z.literal('b'), right: z.string() }),
    ])
    expect(fieldNames(union)).toEqual(['kind', 'left', 'right'])
    expect(bodyFields(z.strictObject({ a: z.string() }).optional())).toEqual(['a'])
    expect(bodyFields(z.strictObject({}).optional())).toBeUndefined()
  })
})

test.each([
  ['/v1/organizations/:organization/projects', 'project'],
  ['/v1/audit-chains/:chain/verification', 'audit'],
  ['/v1/releases/:release/pauses', 'release'],
  ['/v1/first-run', 'installation'],
  ['/v1/categories/:category', 'category'],
])('%s belongs to %s', (path, noun) => expect(nounOf(path)).toBe(noun))

test('an example of a recursive schema ends', () => {
  const schema = { type: 'object', properties: { child: { $ref: '#/components/schemas/Tree' } } }
  expect(JSON.stringify(exampleOf(schema, { Tree: schema }))).toContain('null')
})
