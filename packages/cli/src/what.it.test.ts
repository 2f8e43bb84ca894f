import { execFile } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { testCluster, testPlatform, type TestPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { Exit } from './exit.ts'
import { harness, type Harness, type Outcome } from './testing/harness.ts'

/* From a repository to an Image that runs, and what goes wrong on the way: on the embedded cluster, by the command line alone. */

const PASSWORD = 'a long test password'
const run = promisify(execFile)
const resources = new AsyncDisposableStack()
let platform: TestPlatform
let cli: Harness
let repository: string

beforeAll(async () => {
  // Not below /tmp, which a build has for itself.
  const folder = await mkdtemp('/var/tmp/slipway-what-')
  resources.defer(() => rm(folder, { recursive: true, force: true }))
  await chmod(folder, 0o711)
  repository = join(folder, 'repository')
  await run('git', ['init', '--quiet', '--initial-branch=main', repository])
  const cluster = resources.use(await testCluster({ dataFolder: join(folder, 'cluster') }))
  platform = resources.use(
    await testPlatform({ localKubeconfig: cluster.kubeconfigPath, localSourceRoots: folder }),
  )
  cli = resources.use(await harness())
  await platform.becomeOperator()
  await good(`login --name admin --password-stdin --context-name here --server ${platform.url}`, PASSWORD)
  await good('organization create acme')
  await good('project create shop --organization acme')
  await good('context set here --project shop --environment test')
  await good('environment create shop/test')
  await good('application create site')
}, 120_000)
afterAll(() => resources.disposeAsync(), 60_000)

const call = (line: string, stdin = ''): Promise<Outcome> => cli.call(line.split(' '), { stdin })
async function good(line: string, stdin = ''): Promise<Outcome> {
  const result = await call(line, stdin)
  expect([line, result.exit, result.err]).toEqual([line, Exit.ok, result.err])
  return result
}
async function commit(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(repository, name), text)
  const who = ['-c', 'user.name=Test', '-c', 'user.email=test@example.test']
  await run('git', ['add', '--all'], { cwd: repository })
  await run('git', [...who, 'commit', '--quiet', '-m', 'a commit'], { cwd: repository })
}

test('a repository is set, built, released and its Image kept from deletion', async () => {
  await commit({ 'index.html': '<h1>one</h1>', 'build.sh': 'echo making it\n' })
  expect((await good(`source set site ${repository}`)).out).toContain(repository)
  expect((await good('source branches site')).out).toContain('main')
  expect((await good('source commits site')).out).toContain('a commit')

  const built = await good('build start site -o json')
  expect(built.err).toContain('making it')
  expect(JSON.parse(built.out)).toMatchObject({ number: 1, state: 'Succeeded' })
  expect((await good('build logs site')).out).toContain('making it')
  expect((await good('build list site')).out).toContain('Succeeded')
  expect((await good('image list site')).out).toContain('build-1')

  await good('workload create site')
  await good('release start site --image build-1')
  expect((await good('image show site:build-1 -o wide')).out).toContain('shop/site/test')
  const refused = await call('image delete site:build-1 --yes')
  expect([refused.exit, refused.err]).toEqual([Exit.conflict, expect.stringContaining('shop/site/test')])
}, 180_000)

test('a build that fails ends with its reason and its log', async () => {
  await commit({ 'build.sh': 'echo almost\nexit 7\n' })
  const failed = await call('build start site')
  expect(failed.exit).toBe(Exit.error)
  expect(failed.err).toContain('almost')
  expect(failed.err).toContain('exit code 7')
  const shown = await good('build show site#2')
  expect(shown.err).toContain('exit code 7')
}, 120_000)

test('what is not there is said so, with what to do', async () => {
  const unknown = await call('build start site --ref nothing')
  expect(unknown.err).toContain('slipway source branches')
  expect((await call('build show site#99')).exit).toBe(Exit.notFound)
  expect((await call('image show site:nothing')).exit).toBe(Exit.notFound)
  const elsewhere = await call('source set site /etc')
  expect(elsewhere.err).toContain('SLIPWAY_LOCAL_SOURCE_ROOTS')
  const both = await call('source set site https://git.example/a --token-stdin --key-file x')
  expect(both.exit).toBe(Exit.usage)
})
