import type { Deps } from '../deps.ts'
import type { Format } from '../globals.ts'
import { compileQuery } from './query.ts'
import { renderObject, renderTable, type Style, type View } from './table.ts'
import { printable } from './width.ts'

export type Printing = {
  readonly io: Deps['io']
  readonly style: Style
  readonly output: Format | undefined
  readonly query: string | undefined
}

/**
 * Prints a result: a list as rows or an array, a single object as lines or an object. JSON and YAML hold what the API
 * answered, the same in every language. With a query, single values are printed as they are unless a format is named.
 */
export async function printResult<Item>(
  printing: Printing,
  value: Item | readonly Item[],
  view: View<Item>,
): Promise<void> {
  const { io, output, style } = printing
  if (printing.query !== undefined) {
    await io.out(await queryText(compileQuery(printing.query)(value), output))
    return
  }
  const isList = Array.isArray(value)
  // A list and a single object are told apart by the value itself; the compiler cannot follow that through a generic.
  const items = (isList ? value : [value]) as readonly Item[]
  switch (output ?? 'table') {
    case 'json':
      return io.out(JSON.stringify(value, null, 2))
    case 'yaml':
      return io.out(await yamlOf(value))
    case 'name':
      return io.out(items.map((item) => printable(view.name(item))).join('\n'))
    case 'table':
    case 'wide': {
      if (items.length === 0) return io.note(style.text('output.none'))
      const [first] = items
      if (!isList && first !== undefined) return io.out(renderObject(first, view, style))
      return io.out(renderTable(items, view, { ...style, wide: output === 'wide' }))
    }
  }
}

async function queryText(value: unknown, output: Format | undefined): Promise<string> {
  if (output === 'yaml') return yamlOf(value ?? null)
  if (output === 'json') return JSON.stringify(value ?? null, null, 2)
  const plain = Array.isArray(value) && value.every(isPlain) ? value : isPlain(value) ? [value] : undefined
  return plain === undefined
    ? JSON.stringify(value ?? null, null, 2)
    : plain.map((one) => printable(String(one))).join('\n')
}

function isPlain(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

/** Loaded only here, because most commands never need it. */
async function yamlOf(value: unknown): Promise<string> {
  const { stringify } = await import('yaml')
  return stringify(value, { lineWidth: 0 }).trimEnd()
}
