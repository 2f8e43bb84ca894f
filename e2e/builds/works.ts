/* An installation with a person who builds: Applications from files, their builds and releases, all by the command line. */
import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { systemClock, waitFor } from '@slipway/kit'

import type { Cli, Ran } from '../journey/cli.ts'

const run = promisify(execFile)
const sources = fileURLToPath(new URL('sources', import.meta.url))
const examples = fileURLToPath(new URL('../../examples', import.meta.url))

/** What `build start` leaves behind. */
export type Built = {
  readonly ran: Ran
  /** As `build show` has it. */
  readonly build: Readonly<Record<string, unknown>>
  readonly log: string
}

export type Repository = {
  readonly name: string
  readonly path: string
  readonly git: (...args: readonly string[]) => Promise<string>
  /** Writes files, commits, and gives the commit's id. */
  readonly commit: (files: Readonly<Record<string, string>>) => Promise<string>
}

export type Works = {
  readonly cli: Cli
  /** An Application `shop/<name>` with a repository as its source and a Workload in production. */
  readonly application: (name: string, files: Readonly<Record<string, string>>) => Promise<Repository>
  /** Builds and follows it to its end, whatever that is. */
  readonly build: (name: string, ...flags: readonly string[]) => Promise<Built>
  /** Releases a build to its end and reads its front page. */
  readonly release: (name: string, build: unknown) => Promise<string>
}

export function worksAt(cli: Cli, home: string): Works {
  return {
    cli,
    async application(name, files) {
      const path = join(home, name)
      const repository = await makeRepository(name, path)
      await repository.commit(files)
      await cli.succeed(['application', 'create', `shop/${name}`])
      await cli.succeed(['workload', 'create', `shop/${name}/production`])
      await cli.succeed(['source', 'set', `shop/${name}`, path])
      return repository
    },
    async build(name, ...flags) {
      const ran = await cli.run('build', 'start', `shop/${name}`, ...flags)
      const build = await cli.json('build', 'show', `shop/${name}`)
      const { out } = await cli.run('build', 'logs', `shop/${name}`)
      return { ran, build, log: out }
    },
    async release(name, build) {
      const workload = `shop/${name}/production`
      await cli.succeed(['release', 'start', workload, '--image', String(build), '--instances', 'web=1'])
      const shown = await cli.json('workload', 'show', workload)
      // A Workload with a routed process has addresses; the last needs no name resolution.
      const address = (shown['urls'] as readonly string[]).at(-1) ?? ''
      return waitFor(
        systemClock,
        `${workload} to answer`,
        async () => {
          const response = await fetch(address)
          return response.ok ? response.text() : undefined
        },
        { timeoutMs: 60_000, everyMs: 200 },
      )
    },
  }
}

export async function makeRepository(name: string, path: string): Promise<Repository> {
  await mkdir(path)
  const git = async (...args: readonly string[]): Promise<string> => {
    const author = ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.com', '-c', 'commit.gpgsign=false']
    return (await run('git', [...author, ...args], { cwd: path })).stdout.trim()
  }
  await git('init', '--quiet', '--initial-branch=main')
  return {
    name,
    path,
    git,
    async commit(files) {
      for (const [file, text] of Object.entries(files)) {
        await mkdir(join(path, file, '..'), { recursive: true })
        await writeFile(join(path, file), text, { mode: file.endsWith('.sh') ? 0o755 : 0o644 })
      }
      await git('add', '--all')
      await git('commit', '--quiet', '--allow-empty', '-m', 'a change')
      return git('rev-parse', 'HEAD')
    },
  }
}

/** Files below `sources/<name>`, the registries' address filled in. */
export async function sourceFiles(name: string, registry: string): Promise<Readonly<Record<string, string>>> {
  return filesOf(join(sources, name), (text) => text.replaceAll('@REGISTRY@', registry))
}

/** Files of one of the sample applications. */
export function exampleFiles(path: string): Promise<Readonly<Record<string, string>>> {
  return filesOf(join(examples, path), (text) => text)
}

async function filesOf(
  folder: string,
  change: (text: string) => string,
): Promise<Readonly<Record<string, string>>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true })
  const files: Record<string, string> = {}
  for (const entry of names) {
    const file = join(entry.parentPath, entry.name)
    if (entry.isFile()) files[file.slice(folder.length + 1)] = change(await readFile(file, 'utf8'))
  }
  return files
}
