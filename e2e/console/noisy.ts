/* A repository of the application that writes what a log view must stand. */
import { execFile } from 'node:child_process'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { checkout } from '../journey/product.ts'

const run = promisify(execFile)

/** @param home - gets the repository as `noisy` @returns its folder */
export async function makeNoisyRepository(home: string): Promise<string> {
  const path = join(home, 'noisy')
  await cp(join(checkout, 'e2e/console/noisy'), path, { recursive: true })
  const author = ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.com', '-c', 'commit.gpgsign=false']
  await run('git', ['init', '--quiet', '--initial-branch=main'], { cwd: path })
  await run('git', ['add', '--all'], { cwd: path })
  await run('git', [...author, 'commit', '--quiet', '--message', 'Make noise'], { cwd: path })
  return path
}
