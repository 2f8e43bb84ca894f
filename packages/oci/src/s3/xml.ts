/*
 * The few flat documents that S3 answers with. What is read from them are codes, numbers and names of our own making, so this is
 * no XML parser: it finds elements by name, decodes the five entities, and finds nothing in what is not such a document.
 */

/** The text of the first element of this name, or undefined. */
export function textOf(document: string, name: string): string | undefined {
  const [open, close] = [`<${name}>`, `</${name}>`]
  const start = document.indexOf(open)
  const end = document.indexOf(close, start)
  return start < 0 || end < 0 ? undefined : decoded(document.slice(start + open.length, end))
}

/** The content of every element of this name, to be looked into. */
export function elementsOf(document: string, name: string): readonly string[] {
  return document
    .split(`<${name}>`)
    .slice(1)
    .map((rest) => rest.split(`</${name}>`, 1)[0] ?? '')
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }

function decoded(text: string): string {
  return text.replaceAll(/&(?:#(34|39)|(lt|gt|quot|apos|amp));/gu, (_, code?: string, name?: string) =>
    code === undefined ? (entities[name ?? ''] ?? '') : String.fromCharCode(Number(code)),
  )
}

/** Text for an element's content. */
export function encoded(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
