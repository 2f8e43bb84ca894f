/*
 * Makes the agent one file, `packages/agent/generated/slipway-agent.mjs`, which travels inside of the manifest that an operator
 * applies. Run after a change of the agent: node --conditions=source tools/bundle-agent.ts [folder]
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { bundleProgram } from './bundle.ts'

const source = fileURLToPath(new URL('../packages/agent/', import.meta.url))
const FILE = 'slipway-agent.mjs'
const NOTICE = '// Slipway agent, Apache-2.0. Contains ws, MIT, (c) Einar Otto Stangvik and contributors.\n'

/** @returns path of the file */
export async function bundleAgent(folder: string): Promise<string> {
  const file = await bundleProgram({ source, folder, file: FILE })
  await writeFile(file, NOTICE + (await readFile(file, 'utf8')))
  return file
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  console.log(`wrote ${await bundleAgent(process.argv[2] ?? join(source, 'generated'))}`)
