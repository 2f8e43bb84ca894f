import { cp, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { testDatabase } from '@slipway/db/testing'
import { newMasterKey, systemClock, waitFor } from '@slipway/kit'
import { testCluster, testPlatform, type TestPlatform } from '@slipway/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { migrations } from '../migrations/index.ts'
import type { SampleWord } from './index.ts'

const examples = fileURLToPath(new URL('../../../../examples', import.meta.url))
const cleanup = new AsyncDisposableStack()
let cluster: Awaited<ReturnType<typeof testCluster>>

type Place = {
  /** @param folder - of its data, when it is another one than before */
  readonly start: (sample: boolean, folder?: string) => Promise<Started>
  readonly cleanup: AsyncDisposableStack
}
type Started = TestPlatform & {
  readonly urls: readonly (string | null)[]
  readonly words: readonly SampleWord[]
}

beforeAll(async () => {
  cluster = cleanup.use(await testCluster())
})
afterAll(() => cleanup.disposeAsync())

/** One installation that can be started several times. */
async function installation(sampleFolder = examples): Promise<Place> {
  const own = new AsyncDisposableStack()
  const database = own.use(await testDatabase({ migrations }))
  const ownFolder = await mkdtemp(join(tmpdir(), 'slipway-sample-'))
  own.defer(() => rm(ownFolder, { recursive: true, force: true }))
  const masterKey = newMasterKey().toString('base64')
  return {
    cleanup: own,
    async start(sample, dataFolder = ownFolder) {
      const urls: (string | null)[] = []
      const words: SampleWord[] = []
      const platform = await testPlatform(
        {
          databaseUrl: database.appUrl,
          databaseOwnerUrl: database.ownerUrl,
          masterKey,
          dataFolder,
          localKubeconfig: cluster.kubeconfigPath,
          localSourceRoots: join(dataFolder, 'samples'),
          ...(sample ? { sampleFolder } : {}),
        },
        {
          onSample(word) {
            words.push(word)
            urls.push(word.url)
          },
        },
      )
      return { ...platform, urls, words }
    },
  }
}

function itemsOf(body: Readonly<Record<string, unknown>>): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(body['items']) ? (body['items'] as Record<string, unknown>[]) : []
}

const until = <T>(what: string, condition: () => Promise<T | undefined> | T | undefined) =>
  waitFor(systemClock, what, condition, { timeoutMs: 120_000, everyMs: 200 })

test('the sample is made, built and released by the system, and once a person deleted it, never again', async () => {
  const place = await installation()
  await using _ = place.cleanup
  const first = await place.start(true)
  const url = await until('the address', () => first.urls.find((one) => one !== null) ?? undefined)
  const page = await until('the sample', async () => {
    const answer = await fetch(url ?? '').catch(() => undefined)
    return answer?.status === 200 ? answer.text() : undefined
  })
  expect(page).toContain('node-web one')

  const secret = await first.becomeOperator()
  const [workload] = itemsOf((await first.call('GET', '/v1/workloads', { secret })).body)
  expect(workload?.['name']).toBe('sample/hello/production')
  const events = itemsOf((await first.call('GET', '/v1/audit-events?limit=200', { secret })).body)
  const bySystem = events
    .filter((event) => event['actor'] === 'system')
    .map((event) => String(event['action']))
  expect(bySystem.toSorted()).toEqual([
    'application.create',
    'build.start',
    'environment.create',
    'organization.create',
    'project.create',
    'release.start',
    'source.set',
    'workload.create',
  ])

  const path = `/v1/workloads/${String(workload?.['id'])}`
  await first.call('DELETE', path, { secret })
  await until('its end', async () =>
    (await first.call('GET', path, { secret })).status === 404 ? true : undefined,
  )
  await first[Symbol.asyncDispose]()

  await using second = await place.start(true)
  await until('the word that there is none', () => (second.urls.includes(null) ? true : undefined))
  expect(itemsOf((await second.call('GET', '/v1/workloads', { secret })).body)).toEqual([])
})

test('a person who has a Project of that name keeps it', async () => {
  const place = await installation()
  await using _ = place.cleanup
  const first = await place.start(false)
  const secret = await first.becomeOperator()
  const made = await first.call('POST', '/v1/organizations', { secret, body: { slug: 'mine', name: 'Mine' } })
  await first.call('POST', `/v1/organizations/${String(made.body['id'])}/projects`, {
    secret,
    body: { slug: 'sample', name: 'My own' },
  })
  expect(first.urls).toEqual([])
  await first[Symbol.asyncDispose]()

  await using second = await place.start(true)
  await until('the word that there is none', () => (second.urls.includes(null) ? true : undefined))
  const projects = itemsOf((await second.call('GET', '/v1/projects', { secret })).body)
  expect(projects.map((project) => project['name'])).toEqual(['My own'])
})

test('a build of the sample that failed is told; when a person builds a better commit, the release follows', async () => {
  const broken = await mkdtemp(join(tmpdir(), 'slipway-broken-'))
  await cp(examples, broken, { recursive: true })
  const application = join(broken, 'node-web')
  await cp(join(application, 'one', 'build.sh'), join(application, 'two', 'build.sh'))
  await writeFile(join(application, 'one', 'build.sh'), 'echo no such thing >&2; exit 3\n')
  const place = await installation(broken)
  await using _ = place.cleanup
  place.cleanup.defer(() => rm(broken, { recursive: true, force: true }))
  await using started = await place.start(true)
  const trouble = await until('the trouble', () => started.words.at(-1)?.trouble ?? undefined)
  expect(trouble).toMatchObject({
    part: 'build',
    subject: 'sample/hello#1',
    code: 'build_command_failed',
    params: { exitCode: 3 },
  })

  const secret = await started.becomeOperator()
  const [workload] = itemsOf((await started.call('GET', '/v1/workloads', { secret })).body)
  const again = await started.call('POST', `/v1/applications/${String(workload?.['applicationId'])}/builds`, {
    secret,
    body: { ref: 'main' },
  })
  expect(again.status).toBeLessThan(300)
  const url = await until('no trouble', () => {
    const word = started.words.at(-1)
    return word?.trouble === null ? (word.url ?? undefined) : undefined
  })
  await until('the sample', async () => {
    const answer = await fetch(url).catch(() => undefined)
    return answer?.status === 200 && (await answer.text()).includes('node-web two') ? true : undefined
  })
})

test('a data folder that is elsewhere at the next start takes the sources of the sample along', async () => {
  const place = await installation()
  await using _ = place.cleanup
  const first = await place.start(true)
  await until('the address', () => first.urls.find((one) => one !== null) ?? undefined)
  const secret = await first.becomeOperator()
  const [workload] = itemsOf((await first.call('GET', '/v1/workloads', { secret })).body)
  const source = `/v1/applications/${String(workload?.['applicationId'])}/source`
  const before = String((await first.call('GET', source, { secret })).body['url'])
  await first[Symbol.asyncDispose]()

  const elsewhere = await mkdtemp(join(tmpdir(), 'slipway-sample-'))
  place.cleanup.defer(() => rm(elsewhere, { recursive: true, force: true }))
  await rename(dirname(before), join(elsewhere, 'samples'))
  await using second = await place.start(true, elsewhere)
  const moved = await until('the new address', async () => {
    const { body } = await second.call('GET', source, { secret })
    return body['url'] === before ? undefined : body['url']
  })
  expect(moved).toBe(join(elsewhere, 'samples', 'node-web'))
  const commits = await second.call('GET', `${source}/commits`, { secret })
  expect(itemsOf(commits.body).length).toBeGreaterThan(1)
})
