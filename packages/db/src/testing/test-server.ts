import { execFile } from 'node:child_process'
import { chmod, lstat, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { newSecret, systemClock, systemCodeOf, systemRandom } from '@slipway/kit'
import { absent } from '@slipway/kit/files'

import { findBinaries } from '../embedded/binaries.ts'
import { isKnown } from '../embedded/postmaster.ts'
import { DISPOSABLE_SETTINGS } from '../embedded/settings.ts'
import { startEmbeddedPostgres } from '../embedded/start.ts'
import type { EmbeddedPostgres } from '../embedded/start.ts'
import { silentLog } from '../log.ts'

const run = promisify(execFile)

/** Where a test server is and how to reach it with each role; the database's name is left out. */
export type TestServer = { readonly superuser: string; readonly owner: string; readonly app: string }

export type RunningTestServer = AsyncDisposable & { readonly server: TestServer }

/** Changes when what lies in the kept template must be made anew. */
const TEMPLATE_VERSION = 1

/**
 * A server for tests: nothing it writes survives a crash, and its folder is deleted with it. It starts from a copy of an
 * initialised data folder, which is kept in the system's folder for temporary files.
 */
export async function startTestServer(): Promise<RunningTestServer> {
  await sweepLeftovers()
  const folder = await mkdtemp(join(tmpdir(), `slipway-test-${process.pid}-`))
  await chmod(folder, 0o711)
  try {
    const kept = await keptFolder()
    const template = join(kept, `template-${TEMPLATE_VERSION}`)
    if (!(await isPresent(template))) await makeTemplate(kept, template)
    // cp keeps the account that owns the files, and is faster than a thousand copies one by one.
    await run('cp', ['-a', `${template}/.`, folder])
    const postgres = await start(folder, kept)
    return {
      server: {
        superuser: withoutDatabase(postgres.superuserUrl),
        owner: withoutDatabase(postgres.ownerUrl),
        app: withoutDatabase(postgres.appUrl),
      },
      async [Symbol.asyncDispose]() {
        await postgres.stop()
        await rm(folder, { recursive: true, force: true })
      },
    }
  } catch (thrown) {
    await rm(folder, { recursive: true, force: true })
    throw thrown
  }
}

/** Folders of processes that crashed; their servers have ended with them. */
async function sweepLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(/^slipway-test-([0-9]+)-/.exec(name)?.[1] ?? Number.NaN)
    if (Number.isNaN(pid) || isKnown(pid)) continue
    const path = join(tmpdir(), name)
    const entry = await lstat(path).catch(() => undefined) // another run may sweep too
    if (entry?.isDirectory() === true && entry.uid === process.getuid?.())
      await rm(path, { recursive: true, force: true })
  }
}

function start(dataFolder: string, kept: string): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({
    dataFolder,
    runtimesFolder: join(kept, 'runtimes'),
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    mayCreateAccount: false,
    settings: DISPOSABLE_SETTINGS,
  })
}

async function makeTemplate(kept: string, template: string): Promise<void> {
  const unfinished = await mkdtemp(join(kept, 'new-'))
  try {
    await chmod(unfinished, 0o711)
    const postgres = await start(unfinished, kept)
    await postgres.stop()
    await rename(unfinished, template)
  } catch (thrown) {
    await rm(unfinished, { recursive: true, force: true })
    // Another run was faster; its template is as good.
    if (!['ENOTEMPTY', 'EEXIST'].includes(systemCodeOf(thrown) ?? '')) throw thrown
  }
}

/** The folder that outlives a run, if it is ours and nobody else can write it; otherwise a fresh one. */
async function keptFolder(): Promise<string> {
  const { version } = await findBinaries()
  const folder = join(tmpdir(), `slipway-test-postgres-${version}-${process.getuid?.() ?? 0}`)
  await mkdir(folder, { recursive: true, mode: 0o711 })
  const entry = await lstat(folder)
  const isOurs = entry.isDirectory() && entry.uid === (process.getuid?.() ?? 0) && (entry.mode & 0o022) === 0
  return isOurs ? folder : join(tmpdir(), `slipway-test-postgres-${newSecret(9)}`)
}

async function isPresent(path: string): Promise<boolean> {
  return (await lstat(path).catch(absent)) !== undefined
}

function withoutDatabase(url: string): string {
  return url.slice(0, url.lastIndexOf('/'))
}
