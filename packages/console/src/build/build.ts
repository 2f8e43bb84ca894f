import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

import { messageOf, systemCodeOf } from '@slipway/kit'
import react from '@vitejs/plugin-react'
import { build, type Plugin } from 'vite'

import { builtFolder, consolePackage } from './folder.ts'

const packBrotli = promisify(brotliCompress)
const packGzip = promisify(gzip)
/** Smaller files gain nothing worth a second copy. */
const PACK_MIN_BYTES = 1_024
/** Built consoles of other sources that are kept, for going back and forth between two versions. */
const KEPT = 2

/** Suffix of the file beside the folder that says why a build failed. */
const FAILED = '.failed'

/**
 * Builds the console into `folder`, which appears whole or not at all. Nothing happens when it is there.
 * @throws {Error} what the bundler says; the same text stands in `<folder>.failed`
 */
export async function buildConsole(folder: string): Promise<void> {
  if (existsSync(folder)) return
  await mkdir(builtFolder, { recursive: true })
  const unfinished = `${folder}.${process.pid}`
  try {
    await bundleConsole(unfinished)
    await packFiles(unfinished)
    await rename(unfinished, folder).catch(async (thrown: unknown) => {
      // Another start was quicker with the same result.
      if (!['ENOTEMPTY', 'EEXIST'].includes(systemCodeOf(thrown) ?? '')) throw thrown
      await rm(unfinished, { recursive: true })
    })
    await rm(folder + FAILED, { force: true })
  } catch (thrown) {
    await rm(unfinished, { recursive: true, force: true })
    await writeFile(folder + FAILED, messageOf(thrown))
    throw thrown
  }
  await removeOthers(folder)
}

/** Bundles the console. @param more - plugins for a console that differs from the shipped one */
export async function bundleConsole(outDir: string, more: readonly Plugin[] = []): Promise<void> {
  await build({
    root: consolePackage,
    configFile: false,
    mode: 'production',
    logLevel: 'warn',
    base: '/console/',
    plugins: [...more, react()],
    resolve: { conditions: ['source', 'module', 'browser', 'production'] },
    // The page is rendered by the platform, which puts a fresh nonce in this place on every request.
    html: { cspNonce: '__NONCE__' },
    build: {
      outDir,
      emptyOutDir: true,
      target: 'es2022',
      modulePreload: { polyfill: false },
      // Everything is a file of its own: `data:` addresses are not allowed by the page's policy.
      assetsInlineLimit: 0,
      chunkSizeWarningLimit: 2_000,
      rolldownOptions: {
        // The page, and the one in the frame of a terminal.
        input: ['index.html', 'terminal.html'].map((name) => join(consolePackage, name)),
        // Our own modules do nothing when they are loaded, so what is not used of them is left out.
        treeshake: { moduleSideEffects: (id) => !/\/packages\/(?:kit|contract|messages|sdk)\//u.test(id) },
      },
    },
  })
}

async function packFiles(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name)
    if (!entry.isFile() || !/\.(js|css|svg|json)$/u.test(entry.name)) continue
    const content = await readFile(path)
    if (content.length < PACK_MIN_BYTES) continue
    const quality = { [constants.BROTLI_PARAM_QUALITY]: 9 }
    await writeFile(`${path}.br`, await packBrotli(content, { params: quality }))
    await writeFile(`${path}.gz`, await packGzip(content, { level: 9 }))
  }
}

async function removeOthers(folder: string): Promise<void> {
  const names = (await readdir(dirname(folder))).filter((name) => /^[0-9a-f]+$/u.test(name))
  const others = await Promise.all(
    names
      .filter((name) => name !== basename(folder))
      .map(async (name) => ({ name, at: (await stat(join(builtFolder, name))).mtimeMs })),
  )
  for (const { name } of others.sort((a, b) => b.at - a.at).slice(KEPT))
    await rm(join(builtFolder, name), { recursive: true, force: true })
}
