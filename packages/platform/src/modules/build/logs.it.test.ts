import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'

import { openDatabase } from '@slipway/db'
import { testDatabase } from '@slipway/db/testing'
import { systemClock, systemRandom } from '@slipway/kit'
import type { Kube } from '@slipway/kube'
import { Client } from 'pg'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { migrations } from '../../migrations/index.ts'
import type { Tables } from '../../tables.ts'
import { buildLogs, type BuildLogs } from './logs.ts'

const SECOND = '2026-01-01T00:00:07'
const POD = { namespace: 'shop', name: 'build-1' }

const resources = new AsyncDisposableStack()
let open: () => BuildLogs
let builds = 0
let newBuild: () => Promise<string>

beforeAll(async () => {
  const own = resources.use(await testDatabase({ migrations }))
  const log = pino({ level: 'silent' })
  const { appUrl } = own
  const database = resources.use(
    await openDatabase<Tables>({ appUrl, clock: systemClock, random: systemRandom, log }),
  )
  const writer = new Client({ connectionString: own.superuserUrl })
  await writer.connect()
  resources.defer(() => writer.end())
  // A build alone, without what it belongs to.
  await writer.query('set session_replication_role = replica')
  newBuild = async () => {
    const id = `bld_${(builds += 1)}`
    await writer.query(
      `insert into build_build (id, organization_id, project_id, application_id, number, ref, commit_id, is_default_branch,
         cluster_id, namespace, state, attempt, job_made, source_taken, progress, cancel_requested, cleaned, generation,
         created_by, created_at)
       values ($1, 'org_1', 'prj_1', 'app_1', $2, 'main', '', true, 'cls_1', 'shop', 'Running', 1, true, true, '', false, false,
         1, 'usr_1', now())`,
      [id, builds],
    )
    return id
  }
  open = () => buildLogs(database, systemClock)
}, 120_000)
afterAll(() => resources.disposeAsync(), 60_000)

/** A Cluster that gives these lines from the second that is asked for on, and breaks off if it is to. */
function clusterWith(batches: readonly (readonly string[])[], breaks = false) {
  const asked: (Date | undefined)[] = []
  const kube: Pick<Kube, 'logs'> = {
    logs(_pod, options) {
      asked.push(options?.sinceTime)
      const since = options?.sinceTime?.toISOString().slice(0, 19) ?? ''
      async function* chunks(): AsyncGenerator<Buffer> {
        for (const batch of batches) {
          const lines = batch.filter((line) => !line.startsWith('20') || line.slice(0, 19) >= since)
          yield Buffer.from(lines.map((line) => `${line}\n`).join(''))
        }
        if (breaks) throw Object.assign(new Error('cut off'), { code: 'ECONNRESET' })
      }
      return Promise.resolve(Readable.from(chunks(), { highWaterMark: 1 }))
    },
  }
  // Only logs are asked for.
  return { kube: kube as Kube, asked }
}

async function textsOf(logs: BuildLogs, build: string): Promise<string[]> {
  const stream = await logs.open(build)
  const whole = stream ? await text(stream) : ''
  return whole
    .trimEnd()
    .split('\n')
    .map((line) => line.slice(line.indexOf(' ') + 1))
}

const signal = new AbortController().signal

test('lines of one and the same time are all kept, wherever the pieces of the log end', async () => {
  const build = await newBuild()
  const logs = open()
  const same = `${SECOND}.123456789Z`
  const { kube } = clusterWith([[`${same} one`, `${same} two`], [`${same} three`], [`${SECOND}.2Z four`]])
  await logs.follow(kube, build, POD, signal)
  expect(await textsOf(logs, build)).toEqual(['one', 'two', 'three', 'four'])
})

test('a follower that begins again among lines of one time doubles none and misses none', async () => {
  const build = await newBuild()
  const [a, b] = [`${SECOND}.1Z`, `${SECOND}.100000001Z`]
  const first = clusterWith([[`${a} one`, `${b} two`], [`${b} three`]], true)
  await expect(open().follow(first.kube, build, POD, signal)).rejects.toThrow('cut off')
  const logs = open()
  await logs.note(build, 'a note between')
  const second = clusterWith([[`${a} one`], [`${b} two`, `${b} three`, `${b} four`], [`${b} five`]])
  await logs.follow(second.kube, build, POD, signal)
  expect(await textsOf(logs, build)).toEqual([
    'one',
    'two',
    'three',
    'slipway: a note between',
    'four',
    'five',
  ])
  expect(second.asked).toEqual([new Date(`${SECOND}Z`)])
})

test('two followers at once keep every line once', async () => {
  const build = await newBuild()
  const lines = Array.from(
    { length: 60 },
    (_, index) => `${SECOND}.00000000${Math.trunc(index / 7)}Z ${index}`,
  )
  const batches = (size: number): string[][] =>
    Array.from({ length: Math.ceil(lines.length / size) }, (_, index) =>
      lines.slice(index * size, (index + 1) * size),
    )
  await Promise.all([3, 4].map((size) => open().follow(clusterWith(batches(size)).kube, build, POD, signal)))
  expect(await textsOf(open(), build)).toEqual(lines.map((_, index) => `${index}`))
})

test('a clock that is set back hides nothing, and a node in another zone is understood', async () => {
  const build = await newBuild()
  const logs = open()
  const { kube } = clusterWith([
    [`${SECOND}.5Z before`],
    ['2025-12-31T23:00:00Z after'],
    ['rpc error: the log is gone'],
    ['2026-01-01T08:00:08.25+08:00 elsewhere'],
  ])
  await logs.follow(kube, build, POD, signal)
  const read = await logs.read(build, 0)
  expect(read?.lines.map(({ at, text }) => `${at} ${text}`)).toEqual([
    `${SECOND}.500000000Z before`,
    '2025-12-31T23:00:00.000000000Z after',
    ' rpc error: the log is gone',
    '2026-01-01T00:00:08.250000000Z elsewhere',
  ])
})
