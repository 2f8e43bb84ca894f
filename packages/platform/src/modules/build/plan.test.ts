import { AppManifest } from '@slipway/contract'
import { describe, expect, test } from 'vitest'

import {
  cachesToRemove,
  exampleBase,
  judge,
  mayBegin,
  settle,
  STATIC_SERVER,
  type JobFacts,
  type TreeFacts,
} from './plan.ts'
import { tarOfFile } from './tar.ts'

const manifest = (more: object = {}) => AppManifest.parse({ version: 1, ...more })
const tree = (names: readonly string[], more: Partial<TreeFacts> = {}): TreeFacts => ({
  manifest: manifest(),
  names,
  packageJson: undefined,
  ...more,
})

describe('what a repository is', () => {
  const cases: [name: string, facts: TreeFacts, language: string, command: string[]][] = [
    [
      'a plain npm start',
      tree(['package.json'], {
        packageJson: '{"scripts":{"start":"node --enable-source-maps dist/main.js"}}',
      }),
      'node',
      ['node', '--enable-source-maps', 'dist/main.js'],
    ],
    [
      'an npm start with a shell in it',
      tree(['package.json'], { packageJson: '{"scripts":{"start":"FOO=1 node a.js && b"}}' }),
      'node',
      ['npm', 'start'],
    ],
    [
      'main of package.json',
      tree(['package.json'], { packageJson: '{"main":"lib/x.js"}' }),
      'node',
      ['node', 'lib/x.js'],
    ],
    [
      'a file of the usual name',
      tree(['package.json', 'index.js'], { packageJson: '{}' }),
      'node',
      ['node', 'index.js'],
    ],
    ['start.sh goes first', tree(['package.json', 'index.js', 'start.sh']), 'node', ['sh', 'start.sh']],
    ['Python', tree(['requirements.txt', 'app.py']), 'python', ['python3', 'app.py']],
    ['Java', tree(['pom.xml']), 'java', ['java', '-jar', 'app.jar']],
    ['a static site', tree(['index.html']), 'static', ['node', '.slipway/static-server.mjs']],
    [
      'what slipway.yaml says',
      tree(['index.html', 'main.py'], { manifest: manifest({ build: { language: 'python' } }) }),
      'python',
      ['python3', 'main.py'],
    ],
  ]
  test.each(cases)('%s', (_, facts, language, command) => {
    const settled = settle(facts, true)
    expect(settled).toMatchObject({ ok: true, language, base: `host/${language}` })
    expect(settled.ok && settled.template.processes['web']?.command).toEqual(command)
  })

  test('stop.sh becomes the stop command, unless slipway.yaml names one', () => {
    const settled = settle(tree(['index.html', 'stop.sh']), true)
    expect(settled.ok && settled.template.processes['web']?.stop).toEqual(['sh', 'stop.sh'])
  })

  const refusals: [name: string, facts: TreeFacts, processRuntime: boolean, code: string][] = [
    ['nothing known', tree(['README.md']), true, 'build_nothing_detected'],
    ['no way to start', tree(['package.json']), true, 'build_command_missing'],
    ['broken package.json', tree(['package.json'], { packageJson: '{' }), true, 'build_command_missing'],
    [
      'a worker without a command beside a web process',
      tree(['index.html'], {
        manifest: manifest({ processes: { web: { kind: 'web' }, jobs: { kind: 'worker' } } }),
      }),
      true,
      'build_command_missing',
    ],
    [
      'a base of the host where containers run',
      tree(['pom.xml'], { manifest: manifest({ build: { base: 'host/java' } }) }),
      false,
      'build_host_base',
    ],
  ]
  test.each(refusals)('%s is refused', (_, facts, processRuntime, code) => {
    expect(settle(facts, processRuntime)).toMatchObject({ ok: false, reason: { code } })
  })

  test('on a Cluster with containers the base is one that was pushed', () => {
    expect(settle(tree(['pom.xml']), false)).toMatchObject({ ok: true, base: 'base/java:latest' })
    // A static site is served by a program of ours, on the base of Node.
    expect(settle(tree(['index.html']), false)).toMatchObject({
      ok: true,
      base: 'base/node:latest',
      template: { processes: { web: { command: ['node', STATIC_SERVER] } } },
    })
  })
})

describe('the queue', () => {
  const one = (id: string, projectId: string, state: 'Queued' | 'Running') => ({ id, projectId, state })
  test('older builds go first, up to the places of a Project', () => {
    const open = [one('1', 'a', 'Running'), one('2', 'a', 'Queued'), one('3', 'a', 'Queued')]
    expect(mayBegin({ id: '2', projectId: 'a' }, open)).toBe(true)
    expect(mayBegin({ id: '3', projectId: 'a' }, open)).toBe(false)
  })
  test('a full Project does not hold up another one', () => {
    const open = [
      one('1', 'a', 'Running'),
      one('2', 'a', 'Running'),
      one('3', 'a', 'Queued'),
      one('4', 'b', 'Queued'),
    ]
    expect(mayBegin({ id: '3', projectId: 'a' }, open)).toBe(false)
    expect(mayBegin({ id: '4', projectId: 'b' }, open)).toBe(true)
  })
  test('the places of the whole installation are an end of it', () => {
    const open = ['a', 'b', 'c', 'd'].map((project, index) => one(String(index), project, 'Running'))
    expect(mayBegin({ id: 'x', projectId: 'x' }, [...open, one('x', 'x', 'Queued')])).toBe(false)
  })
  test('a build that waits no longer does not begin', () => {
    expect(mayBegin({ id: '1', projectId: 'a' }, [])).toBe(false)
  })
})

describe('the end of a Job', () => {
  const base = { jobMade: true, attempt: 1, report: null, manifest: manifest() }
  const failed = (more: Partial<JobFacts & { kind: 'failed' }> = {}): JobFacts => ({
    kind: 'failed',
    jobReason: 'BackoffLimitExceeded',
    podReason: '',
    podMessage: '',
    exitCode: undefined,
    ...more,
  })
  const report = { phase: 'command', exitCode: 7, message: 'sh ended with 7' }
  const cases: [
    name: string,
    build: Partial<Omit<typeof base, 'report'>> & { report?: typeof report },
    facts: JobFacts,
    receiving: boolean,
    expected: unknown,
  ][] = [
    ['there is none yet', { jobMade: false }, { kind: 'absent' }, false, { kind: 'makeJob' }],
    ['it vanished', {}, { kind: 'absent' }, false, { kind: 'again' }],
    [
      'it vanished a second time',
      { attempt: 2 },
      { kind: 'absent' },
      false,
      { kind: 'fail', reason: { code: 'build_lost' } },
    ],
    ['it runs', {}, { kind: 'running', progress: 'running' }, false, { kind: 'wait', progress: 'running' }],
    ['its package comes in', {}, { kind: 'complete' }, true, { kind: 'wait', progress: 'publishing' }],
    [
      'it ended well without a package',
      {},
      { kind: 'complete' },
      false,
      { kind: 'fail', reason: { code: 'build_no_package' } },
    ],
    [
      'too slow',
      {},
      failed({ jobReason: 'DeadlineExceeded' }),
      false,
      { kind: 'fail', reason: { code: 'build_timeout', params: { seconds: 900 } } },
    ],
    [
      'out of memory',
      {},
      failed({ podReason: 'OOMKilled', exitCode: 137 }),
      false,
      { kind: 'fail', reason: { code: 'build_out_of_memory', params: { limit: '2Gi' } } },
    ],
    [
      'out of disk',
      {},
      failed({ podReason: 'Evicted', podMessage: 'ephemeral local storage usage' }),
      false,
      { kind: 'fail', reason: { code: 'build_out_of_disk', params: { limit: '8Gi' } } },
    ],
    [
      'evicted for another reason',
      {},
      failed({ podReason: 'Evicted', podMessage: 'node pressure' }),
      false,
      { kind: 'again' },
    ],
    [
      'the command failed',
      { report },
      failed({ exitCode: 7 }),
      false,
      { kind: 'fail', reason: { code: 'build_command_failed', params: { exitCode: 7 } } },
    ],
    [
      'ended without a word',
      {},
      failed({ exitCode: 1 }),
      false,
      { kind: 'fail', reason: { code: 'build_command_failed' } },
    ],
    [
      'the transfer broke off, the first time',
      { report: { ...report, phase: 'fetch' } },
      failed({ exitCode: 1 }),
      false,
      { kind: 'again' },
    ],
    [
      'the transfer broke off again',
      { report: { ...report, phase: 'transfer' }, attempt: 2 },
      failed({ exitCode: 1 }),
      false,
      { kind: 'fail', reason: { code: 'build_transfer_failed' } },
    ],
    ['the node was lost', {}, failed(), false, { kind: 'again' }],
    [
      'the node was shut down under the command',
      { report: { ...report, exitCode: 143 } },
      failed({ exitCode: 1 }),
      false,
      { kind: 'again' },
    ],
    [
      'the command was ended so twice',
      { report: { ...report, exitCode: 143 }, attempt: 2 },
      failed({ exitCode: 1 }),
      false,
      { kind: 'fail', reason: { code: 'build_command_failed', params: { exitCode: 143 } } },
    ],
  ]
  const limits = { memory: '2Gi', disk: '8Gi', processes: 1_024 }
  test.each(cases)('%s', (_, build, facts, receiving, expected) => {
    expect(judge({ ...base, ...build }, facts, receiving, limits)).toMatchObject(expected as object)
  })
})

test('the base that is missing is told with an image that fits', () => {
  expect(['base/build:latest', 'base/python:latest', 'base/java:21', 'base/own:1'].map(exampleBase)).toEqual([
    'node:24-bookworm',
    'python:3.13-bookworm',
    'eclipse-temurin:21',
    'node:24-bookworm',
  ])
})

describe('which caches are removed', () => {
  const now = new Date('2026-03-31T00:00:00Z')
  const cache = (id: string, sizeBytes: number, daysAgo: number) => ({
    id,
    sizeBytes,
    usedAt: new Date(now.getTime() - daysAgo * 86_400_000),
  })
  const cases: [name: string, caches: ReturnType<typeof cache>[], removed: string[]][] = [
    ['none that fit', [cache('a', 40, 1), cache('b', 60, 2)], []],
    ['of Applications that are no more', [cache('gone', 1, 1), cache('a', 1, 1)], ['gone']],
    ['not used for a month', [cache('a', 1, 31), cache('b', 1, 29)], ['a']],
    ['used least lately when all are too large', [cache('a', 60, 3), cache('b', 60, 1)], ['a']],
    ['only the large one, when the older one fits', [cache('a', 10, 3), cache('b', 101, 1)], ['b']],
  ]
  test.each(cases)('%s', (_, caches, removed) => {
    expect(cachesToRemove(caches, new Set(['a', 'b']), now, 100)).toEqual(removed)
  })
})

test('a tar of one file is whole blocks and carries its checksum', () => {
  const tar = tarOfFile('job.ts', Buffer.from('x'.repeat(600)))
  expect(tar.length).toBe(512 + 1_024 + 1_024)
  expect(tar.subarray(257, 265).toString('latin1')).toBe('ustar\u000000')
})
