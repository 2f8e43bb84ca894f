import { createHash, randomUUID } from 'node:crypto'
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { isRecord, must, systemCodeOf } from '@slipway/kit'

import type { Git } from './git.ts'
import { readSamples, type SampleSource } from './history.ts'

/*
 * The sample applications lie in the checkout as plain files; a platform builds from git. So real repositories are made of them
 * at the start. Author, times and everything else that enters a commit are fixed: the same files give the same ids everywhere.
 * A repository is made under another name and renamed when it is whole. From then on it belongs to the person who tries things
 * in it: it is made anew only when the sample has changed and nobody has touched it.
 */
export type SampleRepositoriesOptions = {
  /** With one folder per application. */
  readonly examplesFolder: string
  /** Gets one repository per application, under its name. Made if missing. */
  readonly into: string
  readonly git: Git
}

export type SampleCommit = { readonly id: string; readonly message: string }

export type SampleRepository = {
  readonly name: string
  readonly path: string
  readonly branch: string
  /** Oldest first. */
  readonly commits: readonly SampleCommit[]
}

type Mark = { readonly content: string; readonly commits: readonly SampleCommit[] }

const BRANCH = 'main'
const MARK = 'slipway-sample.json'
const FIRST_COMMIT_MS = Date.UTC(2026, 0, 1)
const BETWEEN_COMMITS_MS = 24 * 3_600_000

/**
 * Makes the repositories of all sample applications; idempotent, and safe to interrupt anywhere.
 * @throws {Error} when a sample's files cannot be read, git is missing, or the disk is full
 */
export async function makeRepositories(
  options: SampleRepositoriesOptions,
): Promise<readonly SampleRepository[]> {
  const samples = await readSamples(options.examplesFolder)
  await mkdir(options.into, { recursive: true })
  const made: SampleRepository[] = []
  for (const sample of samples) made.push(await makeRepository(sample, options))
  return made
}

async function makeRepository(
  sample: SampleSource,
  { into, git }: SampleRepositoriesOptions,
): Promise<SampleRepository> {
  const path = join(into, sample.name)
  const content = contentOf(sample)
  const known = await readMark(path)
  const isCurrent = known !== undefined && known.content === content && (await holds(git, path, known))
  if (isCurrent || (known && (await isTouched(git, path, known)))) return repositoryOf(sample, path, known)

  const unfinished = join(into, `.${sample.name}-${randomUUID()}`)
  try {
    const commits = await build(sample, unfinished, git)
    const mark: Mark = { content, commits }
    await writeFile(join(unfinished, '.git', MARK), `${JSON.stringify(mark)}\n`)
    // What lies here without our mark, or damaged, is put aside rather than destroyed.
    await moveAside(path, known === undefined || known.content === content)
    await rename(unfinished, path)
    return repositoryOf(sample, path, mark)
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
}

async function build(sample: SampleSource, folder: string, git: Git): Promise<readonly SampleCommit[]> {
  await mkdir(folder)
  await git(['init', '--quiet', '--template=', `--initial-branch=${BRANCH}`], { folder })
  const commits: SampleCommit[] = []
  for (const [index, { message, files }] of sample.steps.entries()) {
    for (const file of files) {
      const target = join(folder, file.path)
      await mkdir(dirname(target), { recursive: true })
      await writeFile(target, file.content)
      await chmod(target, file.isExecutable ? 0o755 : 0o644)
    }
    await git(['add', '--all', '--force', '.'], { folder })
    const date = new Date(FIRST_COMMIT_MS + index * BETWEEN_COMMITS_MS)
    await git(['commit', '--quiet', '--no-gpg-sign', `--message=${message}`], { folder, date })
    commits.push({ id: await git(['rev-parse', 'HEAD'], { folder }), message })
  }
  return commits
}

/** Changes with every file, mode and message of the sample. */
function contentOf(sample: SampleSource): string {
  const hash = createHash('sha256')
  for (const { message, files } of sample.steps) {
    hash.update(JSON.stringify([message, files.length]))
    for (const { path, content, isExecutable } of files)
      hash.update(JSON.stringify([path, isExecutable, content.length])).update(content)
  }
  return hash.digest('hex')
}

async function readMark(path: string): Promise<Mark | undefined> {
  let text: string
  try {
    text = await readFile(join(path, '.git', MARK), 'utf8')
  } catch (thrown) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCodeOf(thrown) ?? '')) return undefined
    throw thrown
  }
  try {
    return markOf(JSON.parse(text))
  } catch {
    return undefined // not written by us; the same as none
  }
}

function markOf(value: unknown): Mark | undefined {
  if (!isRecord(value) || typeof value['content'] !== 'string' || !Array.isArray(value['commits']))
    return undefined
  const commits = value['commits'].flatMap((commit: unknown): SampleCommit[] =>
    isRecord(commit) && typeof commit['id'] === 'string' && typeof commit['message'] === 'string'
      ? [{ id: commit['id'], message: commit['message'] }]
      : [],
  )
  return commits.length === value['commits'].length && commits.length > 0
    ? { content: value['content'], commits }
    : undefined
}

/** Whether every commit is still there. */
async function holds(git: Git, path: string, { commits }: Mark): Promise<boolean> {
  try {
    for (const { id } of commits) await git(['cat-file', '-e', `${id}^{commit}`], { folder: path })
    return true
  } catch {
    return false // git says so by its exit code
  }
}

/** Whether somebody has committed or changed something since we made it. */
async function isTouched(git: Git, path: string, mark: Mark): Promise<boolean> {
  if (!(await holds(git, path, mark))) return false
  const refs = await git(['for-each-ref', '--format=%(objectname)'], { folder: path })
  const changes = await git(['status', '--porcelain'], { folder: path })
  return refs !== must(mark.commits.at(-1), 'a sample has a commit').id || changes !== ''
}

async function moveAside(path: string, keep: boolean): Promise<void> {
  const aside = join(dirname(path), `.replaced-${randomUUID()}`)
  try {
    await rename(path, aside)
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return
    throw thrown
  }
  if (!keep) await rm(aside, { recursive: true, force: true })
}

function repositoryOf({ name }: SampleSource, path: string, { commits }: Mark): SampleRepository {
  return { name, path, branch: BRANCH, commits }
}
