/*
 * Makes the command line one file, `packages/cli/dist/slipway.mjs`, that runs wherever Node 24 is: nothing beside it is read, and
 * a command's module is compiled whole only when it is chosen. Run: node --conditions=source tools/bundle-cli.ts [folder]
 */
import { chmod, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { bundleProgram } from './bundle.ts'

const source = fileURLToPath(new URL('../packages/cli/', import.meta.url))
const FILE = 'slipway.mjs'

/** @returns path and size of the file */
export async function bundleCli(
  folder: string,
): Promise<{ readonly file: string; readonly sizeBytes: number }> {
  const file = await bundleProgram({ source, folder, file: FILE, banner: '#!/usr/bin/env node' })
  await chmod(file, 0o755)
  return { file, sizeBytes: (await stat(file)).size }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { file, sizeBytes } = await bundleCli(process.argv[2] ?? join(source, 'dist'))
  console.log(`wrote ${file}: ${Math.round(sizeBytes / 1_024)} KiB`)
}
