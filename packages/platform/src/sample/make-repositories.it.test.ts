import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { AppManifest } from '@slipway/contract'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parse } from 'yaml'

import { isolatedGit, makeRepositories, type SampleRepository } from './index.ts'

const examples = fileURLToPath(new URL('../../../../examples', import.meta.url))
const git = isolatedGit(process.env['PATH'] ?? '')
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-samples-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const make = (into: string, examplesFolder = examples): Promise<readonly SampleRepository[]> =>
  makeRepositories({ examplesFolder, into: join(folder, into), git })

function repository(made: readonly SampleRepository[], name: string): SampleRepository {
  const found = made.find((one) => one.name === name)
  if (!found) throw new Error(`there is no ${name}`)
  return found
}

const idsOf = (made: readonly SampleRepository[]): unknown =>
  made.map(({ name, commits }) => [name, commits.map(({ id }) => id)])

test('two makings give the same commits, whatever the mode of the files and the settings of the person', async () => {
  const copy = join(folder, 'copy')
  await cp(examples, copy, { recursive: true })
  await promisify(execFile)('chmod', ['-R', 'a=rwX,o=', copy])
  await writeFile(join(folder, '.gitconfig'), '[core]\n\tautocrlf = true\n[commit]\n\tgpgsign = true\n')
  expect(idsOf(await make('second', copy))).toEqual(idsOf(await make('first')))
})

test('every application has a build description that the contract takes, and commits that differ', async () => {
  const made = await make('samples')
  expect(made.map(({ name }) => name)).toEqual(['java-web', 'node-web', 'python-web', 'static-site'])
  for (const { path, branch, commits } of made) {
    expect(AppManifest.safeParse(parse(await readFile(join(path, 'slipway.yaml'), 'utf8'))).error).toBe(
      undefined,
    )
    expect(await git(['rev-parse', branch], { folder: path })).toBe(commits.at(-1)?.id)
    const trees = await git(['log', '--format=%T'], { folder: path })
    expect(new Set(trees.split('\n')).size).toBe(commits.length)
    expect(commits.length).toBeGreaterThan(1)
  }
  const { path } = repository(made, 'node-web')
  expect((await stat(join(path, 'build.sh'))).mode & 0o777).toBe(0o755)
})

test('a repository that is there is left alone', async () => {
  const { path } = repository(await make('samples'), 'node-web')
  const before = await stat(path)
  await writeFile(join(path, 'mine.txt'), 'mine')
  const again = repository(await make('samples'), 'node-web')
  expect((await stat(path)).ino).toBe(before.ino)
  expect(again.commits).toHaveLength(2)
  expect((await readdir(join(folder, 'samples'))).toSorted()).toEqual([
    'java-web',
    'node-web',
    'python-web',
    'static-site',
  ])
})

test('a changed sample replaces its repository, unless somebody has worked in it', async () => {
  const copy = join(folder, 'copy')
  await cp(examples, copy, { recursive: true })
  const before = await make('samples', copy)
  const touched = repository(before, 'python-web')
  await writeFile(join(touched.path, 'greeting.py'), 'VERSION = "mine"\n')
  await writeFile(join(copy, 'node-web', 'one', 'README.md'), 'another text\n')
  await writeFile(join(copy, 'python-web', 'first', 'README.md'), 'another text\n')
  const after = await make('samples', copy)
  const { path, commits } = repository(after, 'node-web')
  expect(commits).not.toEqual(repository(before, 'node-web').commits)
  expect(await readFile(join(path, 'README.md'), 'utf8')).toBe('another text\n')
  expect(repository(after, 'python-web').commits).toEqual(touched.commits)
  expect(await readFile(join(touched.path, 'greeting.py'), 'utf8')).toBe('VERSION = "mine"\n')
})

test('a damaged repository is made anew, and what was there is kept aside', async () => {
  const { path, commits } = repository(await make('samples'), 'static-site')
  await rm(join(path, '.git', 'objects'), { recursive: true })
  await writeFile(join(path, 'mine.txt'), 'mine')
  expect(repository(await make('samples'), 'static-site').commits).toEqual(commits)
  expect(await git(['status', '--porcelain'], { folder: path })).toBe('')
  const aside = (await readdir(join(folder, 'samples'))).find((name) => name.startsWith('.replaced-'))
  expect(await readFile(join(folder, 'samples', aside ?? '', 'mine.txt'), 'utf8')).toBe('mine')
})

test('a history that names no folder is refused by its path, and nothing is left', async () => {
  const copy = join(folder, 'copy')
  await cp(examples, copy, { recursive: true })
  const broken = join(copy, 'node-web', 'history.json')
  await writeFile(broken, '{"commits":[{"folder":"../../etc","message":"x"}]}')
  await expect(make('samples', copy)).rejects.toThrow(broken)
  await expect(readdir(join(folder, 'samples'))).rejects.toThrow('ENOENT')
})
