import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { z } from 'zod'

/** `history.json` of a sample application: its commits, each laying its folder over the one before. */
const History = z.strictObject({
  commits: z
    .array(
      z.strictObject({
        folder: z.string().regex(/^[a-z0-9][a-z0-9-]{0,38}$/u),
        message: z.string().min(1).max(200),
      }),
    )
    .min(1)
    .max(100),
})

export type SampleFile = { readonly path: string; readonly content: Buffer; readonly isExecutable: boolean }
export type SampleStep = { readonly message: string; readonly files: readonly SampleFile[] }
export type SampleSource = { readonly name: string; readonly steps: readonly SampleStep[] }

const FILES_MAX = 1_000
const DEPTH_MAX = 16

/**
 * Reads every sample application of the folder, by name.
 * @throws {Error} naming the folder whose history cannot be read
 */
export async function readSamples(folder: string): Promise<readonly SampleSource[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  return await Promise.all(names.toSorted().map((name) => readSample(join(folder, name), name)))
}

async function readSample(folder: string, name: string): Promise<SampleSource> {
  const { commits } = await readHistory(folder)
  const steps: SampleStep[] = []
  for (const { folder: part, message } of commits) {
    const files = await readFiles(join(folder, part), '', 0)
    if (files.length === 0 || files.length > FILES_MAX)
      throw new Error(`${join(folder, part)} has ${files.length} files; a commit has 1 to ${FILES_MAX}`)
    steps.push({ message, files })
  }
  return { name, steps }
}

async function readHistory(folder: string): Promise<z.infer<typeof History>> {
  const path = join(folder, 'history.json')
  try {
    return History.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (cause) {
    throw new Error(`the sample application's history ${path} cannot be read`, { cause })
  }
}

/** Files in order of their bytes. Links and special files are no part of an application here. */
async function readFiles(folder: string, prefix: string, depth: number): Promise<readonly SampleFile[]> {
  if (depth > DEPTH_MAX) throw new Error(`${folder} is nested deeper than ${DEPTH_MAX} folders`)
  const entries = await readdir(folder, { withFileTypes: true })
  const found: SampleFile[] = []
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = `${prefix}${entry.name}`
    if (entry.isDirectory()) found.push(...(await readFiles(join(folder, entry.name), `${path}/`, depth + 1)))
    else if (entry.isFile())
      found.push({
        path,
        content: await readFile(join(folder, entry.name)),
        // By name: the mode of a file in a checkout depends on who made the checkout.
        isExecutable: entry.name.endsWith('.sh'),
      })
  }
  return found
}
