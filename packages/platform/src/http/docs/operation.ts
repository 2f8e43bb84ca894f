import type { JsonSchema, OpenApiOperation } from '@slipway/contract'

import { markup, type Html } from './html.ts'

export type Shown = { readonly path: string; readonly method: string; readonly operation: OpenApiOperation }

const SERVER = 'http://localhost:7447'

/**
 * Everything about one operation, folded away under its summary line. The id stands inside the fold: browsers open what
 * hides the target of a link.
 */
export function operationHtml({ path, method, operation }: Shown): Html {
  const { operationId } = operation
  return markup`<details class="operation">
    <summary>
      <span class="method ${method}">${method.toUpperCase()}</span>
      <h3><code>${path}</code></h3>
      <span class="said">${operation.summary}</span>
    </summary>
    <div class="inside" id="${operationId}">
      ${descriptionHtml(operation)}${factsHtml(operation)}${parametersHtml(operation)}${bodyHtml(operation)}${answersHtml(operation)}${callsHtml({ path, method, operation })}
      <p class="dim"><a href="#${operationId}">#${operationId}</a></p>
    </div>
  </details>`
}

function descriptionHtml({ description }: OpenApiOperation): Html[] {
  return (description ?? '')
    .split('\n\n')
    .filter((text) => text !== '')
    .map((text) => markup`<p>${codeSpans(text)}</p>`)
}

/** Text with its `code` between backticks shown as such. */
export function codeSpans(text: string): Html[] {
  return text
    .split('`')
    .map((part, index) => (index % 2 === 1 ? markup`<code>${part}</code>` : markup`${part}`))
}

function factsHtml(operation: OpenApiOperation): Html {
  const facts = operation['x-slipway']
  const rows: [string, string | null][] = [
    ['Name', operation.operationId],
    ['Permission', facts.permission],
    ['Asked for', facts.scope],
    ['Rate class', facts.rate],
    ['Audit', facts.audit],
    ['Transport', facts.transport],
  ]
  return markup`<dl class="facts">
    ${rows
      .filter(([, value]) => value !== null)
      .map(
        ([name, value]) =>
          markup`<dt>${name}</dt>
            <dd><code>${value ?? ''}</code></dd>`,
      )}
  </dl>`
}

function parametersHtml({ parameters }: OpenApiOperation): Html | undefined {
  if (parameters.length === 0) return undefined
  const rows = parameters.map(
    (one) =>
      markup`<tr>
        <td>
          <code>${one.name}</code>${one.required ? markup` <span class="required">required</span>` : undefined}
        </td>
        <td>${one.in}</td>
        <td>${schemaHtml(one.schema)}</td>
        <td>${one.description ?? ''}</td>
      </tr>`,
  )
  return markup`<h4>Parameters</h4>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>Name</th>
            <th>In</th>
            <th>Type</th>
            <th>Meaning</th>
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>`
}

function bodyHtml({ requestBody }: OpenApiOperation): Html | undefined {
  const [mediaType, content] = Object.entries(requestBody?.content ?? {})[0] ?? []
  if (mediaType === undefined || content === undefined) return undefined
  return markup`<h4>
      Body <span class="dim">${mediaType}${requestBody?.required === true ? '' : ', optional'}</span>
    </h4>
    ${fieldsHtml(content.schema)}`
}

/** The fields of an object schema as rows; any other schema as one line. */
export function fieldsHtml(schema: JsonSchema): Html {
  const properties = objectOf(schema['properties'])
  if (properties === undefined) return markup`<p>${schemaHtml(schema)}</p>`
  const required = new Set(Array.isArray(schema['required']) ? schema['required'] : [])
  const rows = Object.entries(properties).map(([name, value]) => {
    const field = objectOf(value) ?? {}
    const description = typeof field['description'] === 'string' ? field['description'] : ''
    return markup`<tr>
      <td>
        <code>${name}</code>${required.has(name) ? markup` <span class="required">required</span>` : undefined}
      </td>
      <td>${schemaHtml(field)}</td>
      <td>${description}</td>
    </tr>`
  })
  return markup`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th>Field</th>
          <th>Type</th>
          <th>Meaning</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`
}

/** A schema in one line: a link to a named one, else its type and its limits. */
function schemaHtml(schema: JsonSchema): Html {
  if (typeof schema['$ref'] === 'string') {
    const name = schema['$ref'].split('/').at(-1) ?? ''
    return markup`<a href="#schema-${name}">${name}</a>`
  }
  const alternatives = [schema['anyOf'], schema['oneOf']].find(Array.isArray)
  if (alternatives !== undefined)
    return markup`${alternatives.map((one, index) => markup`${index === 0 ? '' : ' or '}${schemaHtml(objectOf(one) ?? {})}`)}`
  if (schema['type'] === 'array')
    return markup`list of ${schemaHtml(objectOf(schema['items']) ?? {})}${limitsHtml(schema)}`
  if (Array.isArray(schema['enum']))
    return markup`${schema['enum'].map((value, index) => markup`${index === 0 ? '' : ', '}<code>${String(value)}</code>`)}${limitsHtml(schema)}`
  if ('const' in schema) return markup`<code>${JSON.stringify(schema['const'])}</code>`
  const type = typeof schema['type'] === 'string' ? schema['type'] : 'anything'
  const format = typeof schema['format'] === 'string' ? ` (${schema['format']})` : ''
  return markup`${type}${format}${limitsHtml(schema)}`
}

const LIMITS: readonly (readonly [keyword: string, text: string])[] = [
  ['minimum', '≥ '],
  ['maximum', '≤ '],
  ['minLength', 'length ≥ '],
  ['maxLength', 'length ≤ '],
  ['maxItems', 'items ≤ '],
  ['default', 'default '],
]

function limitsHtml(schema: JsonSchema): Html | undefined {
  const texts = LIMITS.filter(([keyword]) => {
    const value = schema[keyword]
    return value !== undefined && Math.abs(Number(value)) !== Number.MAX_SAFE_INTEGER
  }).map(([keyword, text]) => `${text}${JSON.stringify(schema[keyword])}`)
  return texts.length === 0 ? undefined : markup`<span class="dim">, ${texts.join(', ')}</span>`
}

function answersHtml({ responses }: OpenApiOperation): Html {
  const refusals: string[] = []
  const parts: Html[] = []
  for (const [status, value] of Object.entries(responses)) {
    const response = objectOf(value) ?? {}
    if (typeof response['$ref'] === 'string') {
      refusals.push(status)
      continue
    }
    const content = objectOf(objectOf(response['content'])?.['application/json'])
    const schema = objectOf(content?.['schema'])
    parts.push(
      markup`<h4>Answer ${status} <span class="dim">${textOf(response['description'])}</span></h4>
        ${schema === undefined ? undefined : answerHtml(schema)}${content?.['example'] === undefined ? undefined : markup`<pre>${JSON.stringify(content['example'], null, 2)}</pre>`}`,
    )
  }
  const refused =
    refusals.length === 0
      ? undefined
      : markup`<p class="dim">Refusals: ${refusals.join(', ')}; see <a href="#errors">errors</a>.</p>`
  return markup`${parts}${refused}`
}

function callsHtml(shown: Shown): Html {
  const { command } = shown.operation['x-slipway']
  const line =
    command === null
      ? undefined
      : markup`<h4>Command line</h4>
          <pre>slipway ${command}</pre>`
  return markup`${line}
    <h4>curl</h4>
    <pre>${curlOf(shown)}</pre>`
}

/** A page tells what it is a page of; any other object its fields. */
function answerHtml(schema: JsonSchema): Html {
  const properties = objectOf(schema['properties'])
  const items = objectOf(objectOf(properties?.['items'])?.['items'])
  if (items !== undefined && properties?.['cursor'] !== undefined)
    return markup`<p>page of ${schemaHtml(items)}, with a <code>cursor</code> while there is more</p>`
  return fieldsHtml(schema)
}

/** The request as a curl line that can be pasted into a shell. Pure. */
export function curlOf({ path, method, operation }: Shown): string {
  const json = operation.requestBody?.content['application/json']
  const isUpload = operation.requestBody !== undefined && json === undefined
  const url = SERVER + path.replaceAll(/\{([a-zA-Z]+)\}/gu, (_, name: string) => `$${name.toUpperCase()}`)
  const parts = [
    `curl --fail-with-body${method === 'get' ? '' : ` -X ${method.toUpperCase()}`} "${url}"`,
    ...(operation.security.length > 0 ? ['-H "Authorization: Bearer $SLIPWAY_TOKEN"'] : []),
    ...(operation['x-slipway'].transport === 'sse' ? ['-N -H "Accept: text/event-stream"'] : []),
    ...(json === undefined
      ? []
      : [
          `-H 'Content-Type: application/json'`,
          `-d '${JSON.stringify(json.example ?? {}).replaceAll("'", String.raw`'\''`)}'`,
        ]),
    ...(isUpload ? [`-H 'Content-Type: application/octet-stream'`, '--data-binary @file'] : []),
  ]
  return parts.join(' \\\n  ')
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function objectOf(value: unknown): JsonSchema | undefined {
  // Narrowed by the test before it: an object that is not a list.
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonSchema)
    : undefined
}
