import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { systemClock, waitFor } from '@slipway/kit'
import { pushProgram, testCluster, testPlatform, type TestPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { Exit } from './exit.ts'
import { harness, type Harness, type Outcome } from './testing/harness.ts'

/* From an Application to a release in steps, a look inside and the way back: on the embedded cluster, by the command line alone. */

const WAIT_MS = 60_000
const PASSWORD = 'a long test password'
let cluster: Awaited<ReturnType<typeof testCluster>>
let platform: TestPlatform
let cli: Harness
let bearer: string

beforeAll(async () => {
  cluster = await testCluster()
  platform = await testPlatform({ localKubeconfig: cluster.kubeconfigPath })
  cli = await harness()
  bearer = await platform.becomeOperator()
  await good(`login --name admin --password-stdin --context-name here --server ${platform.url}`, PASSWORD)
  await good('organization create acme')
  await good('project create shop --organization acme')
  await good('context set here --project shop --environment test')
  await good('environment create shop/test')
})
afterAll(async () => {
  await cli[Symbol.asyncDispose]()
  await platform[Symbol.asyncDispose]()
  await cluster.stop()
})

/** Words are split at spaces; quotes hold them together. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/gu)].map((match) => match[1] ?? match[2] ?? '')
}
const call = (line: string, stdin = ''): Promise<Outcome> => cli.call(wordsOf(line), { stdin })
async function good(line: string, stdin = ''): Promise<Outcome> {
  const result = await call(line, stdin)
  expect([line, result.exit, result.err]).toEqual([line, Exit.ok, result.err])
  return result
}
async function json<T>(line: string): Promise<T> {
  return JSON.parse((await good(`${line} -o json`)).out) as T
}
const program = (version: string): string => `
const { createServer } = require('node:http')
console.log('version ${version}', process.env.GREETING, process.env.SECRET ? 'with' : 'without')
createServer((request, response) => response.end('${version}')).listen(Number(process.env.PORT), process.env.HOST)
process.on('SIGTERM', () => process.exit(0))
`

test('an Application is made, configured, released in steps with an approval, looked into and rolled back', async () => {
  await good('application create api')
  await good('workload create api')
  for (const tag of ['one', 'two'])
    await pushProgram(platform, { secret: bearer, repository: 'shop/api', tag, program: program(tag) })

  const set = await good('workload set api GREETING=hello --secret SECRET=hunter2 -o json')
  expect(set.out + set.err).not.toContain('hunter2')
  expect(await json('workload variables api')).toEqual(
    expect.arrayContaining([
      { name: 'GREETING', secret: false, value: 'hello' },
      { name: 'SECRET', secret: true, value: null },
    ]),
  )

  expect((await call('release start api --image nothing --detach')).exit).toBe(Exit.notFound)
  expect((await good('logs api')).err).toContain('No Instance of api is there')
  const first = await good('release start api --image one --instances web=2 --ci')
  expect(first.err).toMatch(/release 1: .*new 2\/2/u)
  const [workload] = await json<{ name: string; urls: string[] }[]>('workload list')
  expect(workload).toMatchObject({ name: 'shop/api/test' })
  expect(await (await fetch(workload?.urls.at(-1) ?? '')).text()).toBe('one')

  expect(await json('workload status api')).toMatchObject({
    health: 'Healthy',
    instances: { ready: 2, wanted: 2 },
    serving: { number: 1, state: 'Done' },
    active: null,
  })
  const instances = await json<{ id: string; name: string; state: string }[]>('instance list api')
  expect(instances.map(({ state }) => state)).toEqual(['Ready', 'Ready'])
  const [one] = instances
  expect(await json(`instance show shop/api/test/${one?.name}`)).toMatchObject({ id: one?.id })
  expect((await good(`instance events ${one?.id}`)).out).toContain('Scheduled')
  const printed = (await good('logs api')).out.trim().split('\n').sort()
  expect(printed).toEqual(instances.map(({ name }) => `${name} version one hello with`).sort())
  expect((await good(`logs ${one?.id}`)).out).toBe('version one hello with\n')

  const ran = await call(`instance exec ${one?.id} -- sh -c "echo from inside; exit 9"`)
  expect([ran.exit, ran.out]).toEqual([9, 'from inside\n'])
  const piped = await call('instance exec -i api -- cat', 'through\n')
  expect([piped.exit, piped.out]).toEqual([Exit.ok, 'through\n'])

  const second = call('release start api --image two --steps "1,person,rest" --ci --timeout 2m')
  await waitFor(systemClock, 'a gate', async () => (await json<unknown[]>('gate list')).length > 0, {
    timeoutMs: WAIT_MS,
    everyMs: 300,
  })
  await good('gate approve api --comment fine')
  const ended = await second
  expect([ended.exit, ended.err.includes('waits for a person')]).toEqual([Exit.ok, true])
  expect(await (await fetch(workload?.urls.at(-1) ?? '')).text()).toBe('two')
  expect((await good('release diff api')).out).toContain('image')

  const back = await good('release rollback api --ci')
  expect(back.err).toMatch(/release \d/u)
  expect(await (await fetch(workload?.urls.at(-1) ?? '')).text()).toBe('one')
  expect((await good('export api')).out).toContain('kind: Deployment')
})

test('a release that fails ends with 1 and says why; a second answer to a gate is a conflict', async () => {
  await pushProgram(platform, {
    secret: bearer,
    repository: 'shop/api',
    tag: 'broken',
    program: 'process.exit(4)',
  })
  const plan = join(cli.folder, 'hasty.yaml')
  await writeFile(plan, 'batches:\n  - percent: 100\nbatchDeadlineSeconds: 5\n')
  const failed = await call(`release start api --image broken --plan ${plan} --ci`)
  expect(failed.exit).toBe(Exit.error)
  expect(failed.err).toMatch(/after 5 s|crashed/u)
  expect((await call('gate approve api')).exit).toBe(Exit.conflict)
})

test('a plan from a file is checked, and a dry run starts nothing', async () => {
  const plan = join(cli.folder, 'plan.yaml')
  await writeFile(plan, 'batches:\n  - instances: 1\n    approve: true\n')
  const before = (await json<unknown[]>('release list api')).length
  await good(`release start api --image two --plan ${plan} --dry-run`)
  expect((await json<unknown[]>('release list api')).length).toBe(before)
  await writeFile(plan, 'batches:\n  - instances: many\n')
  expect((await call(`release start api --image two --plan ${plan}`)).exit).toBe(Exit.usage)
  expect((await call('release start api --image two --plan no-such-file')).exit).toBe(Exit.usage)
})

test('the Cluster and its nodes are listed', async () => {
  expect(await json('cluster list')).toMatchObject([{ isDefault: true }])
  expect(await json('cluster nodes local')).toMatchObject([{ name: cluster.nodeName, ready: true }])
  expect((await call('cluster remove local --yes')).exit).toBe(Exit.conflict)
})
