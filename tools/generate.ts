/*
 * Everything that is made from the contract and committed: the sdk's table of operations and the OpenAPI document.
 * Run `node --conditions=source tools/generate.ts` after a change of the contract; a test fails while a file is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import * as exported from '@slipway/contract'
import { contract, openApiDocument } from '@slipway/contract'

import { operationTable } from './operation-table.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Path below the checkout → content, for every generated file. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const document = openApiDocument(contract, versionOf(), exported)
  return new Map([
    ['packages/sdk/src/generated/endpoints.ts', operationTable(contract)],
    ['docs/api/openapi.json', `${JSON.stringify(document, null, 2)}\n`],
  ])
}

function versionOf(): string {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  return manifest.version
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, content] of generatedFiles()) {
    writeFileSync(join(root, path), content)
    console.log(`wrote ${path}`)
  }
}
