/* What is appended to the base: the platform as one file, what it reads beside itself, and the console. */
import { execFile } from 'node:child_process'
import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { bundleProgram } from '../bundle.ts'

const run = promisify(execFile)
const checkout = fileURLToPath(new URL('../../', import.meta.url))

/** Where the files are in the Image, for its settings. */
export const PLATFORM_FILE = 'platform/main.mjs'
export const CONSOLE_FOLDER = 'console'

/** Fills an empty folder with what becomes /app. */
export async function writePackage(folder: string): Promise<void> {
  const source = join(checkout, 'packages/platform/')
  const at = join(folder, 'platform')
  await bundleProgram({ source, folder: at, file: 'main.mjs' })
  await bundleProgram({ source, folder: at, file: 'job.js', entry: 'src/modules/build/job.ts' })
  // The agent is read from where it lies beside the package that carries it.
  const generated = 'generated/slipway-agent.mjs'
  await mkdir(join(folder, 'generated'))
  await cp(join(checkout, 'packages/agent', generated), join(folder, generated))
  await cp(await builtConsole(), join(folder, CONSOLE_FOLDER), { recursive: true })
}

/** Builds the console where its sources have changed since. */
async function builtConsole(): Promise<string> {
  const script = join(checkout, 'packages/console/src/build/main.ts')
  const { stdout } = await run(process.execPath, ['--conditions=source', script], { cwd: checkout })
  return stdout.trim()
}
