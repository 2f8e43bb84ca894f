import { objectOf, type JsonObject } from '../schema/json.ts'
import { structureNamed, structureOf, type Field } from '../schema/types.ts'
import { groupVersions, hashOf, served } from './discovery.ts'

/*
 * OpenAPI v3, one document per group version: for each kind the patch operation, by which clients learn that the server
 * knows dryRun, fieldManager and fieldValidation, and the schemas of the kinds, by which `kubectl explain` reads. The
 * index names each document by its hash, so that clients keep it until it changes.
 */
const PARAMETERS = ['dryRun', 'fieldManager', 'fieldValidation', 'force', 'pretty'].map((name) => ({
  name,
  in: 'query',
  schema: { type: name === 'force' ? 'boolean' : 'string', uniqueItems: true },
}))
const SCALARS: Readonly<Record<string, JsonObject>> = {
  string: { type: 'string' },
  boolean: { type: 'boolean' },
  bool: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  bytes: { type: 'string', format: 'byte' },
  time: { type: 'string', format: 'date-time' },
  microTime: { type: 'string', format: 'date-time' },
  quantity: { type: 'string' },
  double: { type: 'number', format: 'double' },
  intOrString: { 'x-kubernetes-int-or-string': true },
}

type Document = { readonly bytes: Buffer; readonly hash: string }
const documents = new Map<string, Document>()

function pathOf(group: string, version: string): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`
}

/** The list of documents with their hashed addresses. */
export function openApiIndex(): JsonObject {
  const entries = groupVersions().map(({ group, version }) => {
    const path = pathOf(group, version)
    const serverRelativeURL = `/openapi/v3/${path}?hash=${openApiDocument(path)?.hash.toUpperCase() ?? ''}`
    return [path, { serverRelativeURL }]
  })
  return { paths: Object.fromEntries(entries) as JsonObject }
}

/** The document of a path such as `apis/apps/v1`, made once. */
export function openApiDocument(path: string): Document | undefined {
  const known = documents.get(path)
  if (known) return known
  const found = groupVersions().find(({ group, version }) => pathOf(group, version) === path)
  if (!found) return undefined
  const body = makeDocument(found.group, found.version)
  const document = { bytes: Buffer.from(JSON.stringify(body)), hash: hashOf(body) }
  documents.set(path, document)
  return document
}

function makeDocument(group: string, version: string): JsonObject {
  const schemas: Record<string, JsonObject> = {}
  const paths: Record<string, JsonObject> = {}
  for (const one of served) {
    if (one.group !== group || one.version !== version) continue
    const type = { group, version, kind: one.kind }
    const base = `/${pathOf(group, version)}${one.namespaced ? '/namespaces/{namespace}' : ''}/${one.plural}`
    const structure = structureOf(group === '' ? version : `${group}/${version}`, one.kind)
    if (structure) addSchema(schemas, structure.name, type)
    const methods = one.verbs.includes('patch')
      ? { get: operation(one, type, 'get'), patch: operation(one, type, 'patch') }
      : { get: operation(one, type, 'get') }
    paths[one.verbs.includes('get') ? `${base}/{name}` : base] = one.verbs.includes('get')
      ? methods
      : { post: operation(one, type, 'post') }
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.35.4+embedded' },
    paths,
    components: { schemas },
  }
}

function operation(
  one: (typeof served)[number],
  type: JsonObject,
  method: 'get' | 'patch' | 'post',
): JsonObject {
  return {
    tags: [one.group === '' ? 'core_v1' : one.group],
    operationId: `${method}${one.namespaced ? 'Namespaced' : ''}${one.kind}`,
    'x-kubernetes-action': method === 'post' ? 'create' : method,
    'x-kubernetes-group-version-kind': type,
    ...(method === 'get' ? {} : { parameters: PARAMETERS }),
    responses: { '200': { description: 'OK' } },
  }
}

/** Adds the schema of a structure and all that it reaches. `type` marks the schema of a kind. */
function addSchema(schemas: Record<string, JsonObject>, name: string, type?: JsonObject): void {
  const key = schemaName(name)
  if (schemas[key]) return
  const structure = structureNamed(name)
  if (!structure) return
  const properties: Record<string, JsonObject> = {}
  // Entered before its fields are, since structures may contain themselves.
  schemas[key] = {
    type: 'object',
    properties,
    ...(type ? { 'x-kubernetes-group-version-kind': [type] } : {}),
  }
  for (const [field, definition] of structure.fields) properties[field] = fieldSchema(schemas, definition)
}

function fieldSchema(schemas: Record<string, JsonObject>, field: Field): JsonObject {
  const single = typeSchema(schemas, field.type)
  const merge = {
    ...(field.patchStrategy === undefined ? {} : { 'x-kubernetes-patch-strategy': field.patchStrategy }),
    ...(field.patchMergeKey === undefined ? {} : { 'x-kubernetes-patch-merge-key': field.patchMergeKey }),
    ...(field.keys === undefined
      ? {}
      : { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': field.keys }),
  }
  if (field.shape === 'list') return { type: 'array', items: single, ...merge }
  if (field.shape === 'map') return { type: 'object', additionalProperties: single }
  return Object.keys(merge).length === 0 ? single : { ...objectOf(single), ...merge }
}

function typeSchema(schemas: Record<string, JsonObject>, type: string): JsonObject {
  const scalar = SCALARS[type]
  if (scalar) return scalar
  if (!structureNamed(type)) return { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  addSchema(schemas, type)
  return { allOf: [{ $ref: `#/components/schemas/${schemaName(type)}` }] }
}

function schemaName(name: string): string {
  return `io.k8s.api.${name.replaceAll('/', '.')}`
}
