/* A git repository with two commits of the sample Node application, as a developer has it on disk. */
import { execFile } from 'node:child_process'
import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { checkout } from './product.ts'

const run = promisify(execFile)

export type Repository = { readonly path: string; readonly commits: readonly [one: string, two: string] }

/** @param home - gets the repository as `repository` */
export async function makeRepository(home: string): Promise<Repository> {
  const path = join(home, 'repository')
  await mkdir(path)
  const git = async (...args: readonly string[]): Promise<string> => {
    const author = ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.com', '-c', 'commit.gpgsign=false']
    const { stdout } = await run('git', [...author, ...args], { cwd: path })
    return stdout.trim()
  }
  await git('init', '--quiet', '--initial-branch=main')
  const commit = async (folder: string): Promise<string> => {
    await cp(join(checkout, 'examples/node-web', folder), path, { recursive: true })
    await git('add', '--all')
    await git('commit', '--quiet', '--message', `Show ${folder}`)
    return git('rev-parse', 'HEAD')
  }
  return { path, commits: [await commit('one'), await commit('two')] }
}
