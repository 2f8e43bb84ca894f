import { Parser, parseDocument, type CST } from 'yaml'

import { refuseKubeconfig } from './kubeconfig-errors.ts'

const SIZE_MAX_BYTES = 1024 * 1024
const DEPTH_MAX = 64
/** Some hundred clusters; beyond that the search for duplicate keys, which is quadratic, would take seconds. */
const NODES_MAX = 20_000

/**
 * Reads YAML (or JSON) from outside as plain data.
 * The token tree is measured before anything recursive sees it; aliases, tags and further documents are refused.
 * @throws {AppError} `kubeconfig_invalid`
 */
export function parseBoundedYaml(text: string): unknown {
  if (Buffer.byteLength(text) > SIZE_MAX_BYTES) throw refuseKubeconfig('it is larger than 1 MiB')
  measure(text)
  const document = parseDocument(text, { schema: 'core', merge: false, uniqueKeys: true, logLevel: 'silent' })
  const [error] = document.errors
  if (error) throw refuseKubeconfig(`it is not valid YAML: ${firstLine(error.message)}`)
  return document.toJS({ maxAliasCount: 0 })
}

function measure(text: string): void {
  const pending: { readonly token: CST.Token; readonly depth: number }[] = []
  let nodes = 0
  let documents = 0
  for (const token of new Parser().parse(text)) {
    if (token.type === 'document') documents += 1
    if (documents > 1) throw refuseKubeconfig('it holds more than one document')
    pending.push({ token, depth: 0 })
    for (let next = pending.pop(); next; next = pending.pop()) {
      nodes += 1
      if (nodes > NODES_MAX) throw refuseKubeconfig(`it has more than ${NODES_MAX} entries`)
      if (next.depth > DEPTH_MAX) throw refuseKubeconfig(`it is nested more than ${DEPTH_MAX} levels`)
      for (const child of childrenOf(next.token)) pending.push({ token: child, depth: next.depth + 1 })
    }
  }
}

function childrenOf(token: CST.Token): CST.Token[] {
  if (token.type === 'alias') throw refuseKubeconfig('it uses YAML aliases')
  if (token.type === 'document') {
    refuseProperties(token.start)
    return token.value ? [token.value] : []
  }
  if (!('items' in token)) return []
  return token.items.flatMap((item) => {
    refuseProperties(item.start)
    refuseProperties(item.sep ?? [])
    return [item.key, item.value].filter((child) => child !== null && child !== undefined)
  })
}

/** An anchor has no use without an alias, and a tag could make anything of a value. */
function refuseProperties(tokens: readonly CST.SourceToken[]): void {
  for (const token of tokens)
    if (token.type === 'anchor' || token.type === 'tag')
      throw refuseKubeconfig(`it uses a YAML ${token.type}: ${token.source.slice(0, 40)}`)
}

function firstLine(message: string): string {
  return (message.split('\n')[0] ?? '').slice(0, 200)
}
