import { bodyFields, fieldNames, type Contract, type Endpoint, type Stream } from '@slipway/contract'

type Operation = Endpoint | Stream
const RESERVED = new Set(['pages', 'call', 'then'])

/**
 * Source text of the sdk's table: what a client must know of each operation to send it. No schema, so that loading it
 * costs nothing.
 * @throws {Error} naming the operation whose parts cannot be given flat, because a field stands in two of them
 */
export function operationTable(contract: Contract): string {
  const lines: string[] = []
  for (const [name, operation] of Object.entries(contract) as [string, Operation | { kind: 'protocol' }][]) {
    if (operation.kind === 'protocol') continue
    if (RESERVED.has(name)) throw new Error(`an operation cannot be called ${name}`)
    lines.push(`  ${name}: ${JSON.stringify(entryOf(name, operation))},`)
  }
  return `${HEAD}${lines.join('\n')}\n} as const satisfies Readonly<Record<string, EndpointEntry>>\n`
}

const HEAD = `// Made by tools/generate.ts from the contract; do not edit.

/** What a client must know of an operation to send it. */
export type EndpointEntry = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly transport: 'json' | 'sse' | 'websocket' | 'download' | 'upload'
  /** Names that travel in the query. */
  readonly query: readonly string[]
  /** Names that travel in the body; undefined when there is none. */
  readonly body?: readonly string[] | undefined
}

/** Every operation of the platform by its name. */
export const endpoints = {
`

function entryOf(name: string, operation: Operation): Readonly<Record<string, unknown>> {
  const params = [...operation.path.matchAll(/:([a-zA-Z]+)/gu)].map((match) => match[1] ?? '')
  const declared = fieldNames(operation.params)
  if ([...declared].sort().join() !== [...params].sort().join())
    throw new Error(`${name}: its path has [${params.join()}], its params declare [${declared.join()}]`)
  const query = fieldNames(operation.query)
  const body = operation.kind === 'endpoint' ? bodyFields(operation.body) : undefined
  const all = [...params, ...query, ...(body ?? [])]
  const twice = all.find((field, index) => all.indexOf(field) !== index)
  if (twice !== undefined) throw new Error(`${name}: "${twice}" stands in two of parameters, query and body`)
  return {
    method: operation.method,
    path: operation.path,
    transport: operation.kind === 'endpoint' ? 'json' : operation.transport,
    query,
    ...(body && { body }),
  }
}
