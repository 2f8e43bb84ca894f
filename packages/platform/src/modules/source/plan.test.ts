import { describe, expect, test } from 'vitest'

import { parseAppManifest } from './app-manifest.ts'
import {
  findRef,
  isBrokenMirror,
  isRefName,
  mirrorsToRemove,
  parseLog,
  parseRemoteRefs,
  readGitProblem,
} from './plan.ts'

const A = 'a'.repeat(40)
const B = 'b'.repeat(40)

test('remote refs know the default branch and what annotated tags point to', () => {
  const remote = parseRemoteRefs(
    [
      'ref: refs/heads/main\tHEAD',
      `${A}\tHEAD`,
      `${A}\trefs/heads/main`,
      `${A}\trefs/heads/feature/x`,
      `${A}\trefs/tags/v1`,
      `${B}\trefs/tags/v1^{}`,
      `${A}\trefs/pull/1/head`,
      'nonsense',
    ].join('\n'),
  )
  expect(remote.defaultBranch).toBe('main')
  expect(remote.refs).toEqual([
    { kind: 'branch', name: 'main', commit: A },
    { kind: 'branch', name: 'feature/x', commit: A },
    { kind: 'tag', name: 'v1', commit: B },
  ])
})

test('a branch goes before a tag of the same name, unless the tag is meant', () => {
  const remote = parseRemoteRefs(`${A}\trefs/tags/x\n${B}\trefs/heads/x`)
  expect(findRef(remote, 'x')?.commit).toBe(B)
  expect(findRef(remote, 'refs/tags/x')?.commit).toBe(A)
  expect(findRef(remote, 'y')).toBeUndefined()
})

const refs: [string, boolean][] = [
  ['main', true],
  ['feature/x-1', true],
  ['v1.2.3', true],
  ['功能', true],
  ['-x', false],
  ['--upload-pack=id', false],
  ['a..b', false],
  ['a b', false],
  ['a^', false],
  ['a~1', false],
  ['a:b', false],
  ['@{u}', false],
  ['HEAD@{1}', false],
  ['a.lock', false],
  ['a/', false],
  ['a//b', false],
  ['.a', false],
  ['a/.b', false],
  ['a\nb', false],
  ['', false],
]
test.each(refs)('the ref name %j: %s', (name, expected) => expect(isRefName(name)).toBe(expected))

test('a log is read with its odd subjects, and dates that are none', () => {
  const text = `${A}\0${B}\0Ann\x002026-01-02T03:04:05+02:00\0one\x1e\n${B}\0\0B\0nonsense\0two "quoted"\x1e\n`
  expect(parseLog(text)).toEqual([
    { id: A, parents: [B], author: 'Ann', authoredAt: '2026-01-02T01:04:05.000Z', subject: 'one' },
    { id: B, parents: [], author: 'B', authoredAt: '1970-01-01T00:00:00.000Z', subject: 'two "quoted"' },
  ])
})

const said: [stderr: string, kind: string][] = [
  ["fatal: could not read Username for 'https://x': terminal prompts disabled", 'login'],
  ["fatal: Authentication failed for 'https://x/'", 'login'],
  ['fatal: unable to access: The requested URL returned error: 403', 'login'],
  ['git@x: Permission denied (publickey).\nfatal: Could not read from remote repository.', 'login'],
  ["fatal: repository 'https://x/' not found", 'missing'],
  ["fatal: '/srv/x' does not appear to be a git repository", 'missing'],
  ['fatal: unable to access: Could not resolve host: x', 'unreachable'],
  ['ssh: connect to host x port 22: Connection refused', 'unreachable'],
  ['Host key verification failed.\nfatal: Could not read', 'hostKey'],
  ['fatal: remote error: upload-pack: not our ref abc', 'unknownRef'],
  ['fatal: unable to update url base from redirection:', 'other'],
  ['fatal: \u001b[31mcolour', 'other'],
  ['/x/ssh: 2: exec: ssh: not found\nfatal: Could not read from remote repository.', 'other'],
  ['', 'other'],
]
test.each(said)('what git says is understood: %j', (stderr, kind) => {
  const problem = readGitProblem(stderr)
  expect(problem.kind).toBe(kind)
  expect(JSON.stringify(problem)).not.toContain('\\u001b')
})

describe('slipway.yaml', () => {
  test('everything has a default', () => {
    expect(parseAppManifest('version: 1').processes).toMatchObject({ web: { kind: 'web', port: 8080 } })
  })

  const wrong: [name: string, text: string, problem: RegExp][] = [
    ['an unknown key is named', 'version: 1\nbuild:\n  langage: node', /langage/u],
    ['a wrong version', 'version: 2', /version/u],
    ['no YAML', 'a: [', /./u],
    ['two keys of the same name', 'version: 1\nversion: 1', /unique/u],
    ['a list', '- 1', /./u],
    ['a prototype key', 'version: 1\n__proto__: {}', /__proto__/u],
    ['too deep in brackets', `version: ${'['.repeat(100)}`, /deeper/u],
    ['too deep in dashes', '- '.repeat(20_000), /deeper/u],
    [
      'too deep in indentation',
      Array.from({ length: 200 }, (_, index) => `${' '.repeat(index)}a:`).join('\n'),
      /deeper/u,
    ],
    [
      'aliases that multiply',
      [
        'a: &a [x,x,x,x,x,x,x,x,x]',
        ...'bcdefghi'.split('').map((name, index) => {
          const before = 'abcdefgh'.charAt(index)
          return `${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`).join(',')}]`
        }),
      ].join('\n'),
      /alias/u,
    ],
    ['too large', `version: 1 # ${'x'.repeat(1_100_000)}`, /larger/u],
    ['two web processes', 'version: 1\nprocesses: {a: {kind: web}, b: {kind: web}}', /one web/u],
    ['an output that leaves', 'version: 1\nbuild: {output: /etc}', /output/u],
  ]
  test.each(wrong)('%s', (_, text, problem) => {
    try {
      parseAppManifest(text)
      expect.unreachable()
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: 'app_manifest_invalid' })
      expect((thrown as { params: { problem: string } }).params.problem).toMatch(problem)
    }
  })
})

describe('which mirrors are removed', () => {
  const now = new Date('2026-03-31T00:00:00Z')
  const mirror = (name: string, sizeBytes: number, daysAgo: number) => ({
    name,
    sizeBytes,
    packs: 1,
    usedAt: new Date(now.getTime() - daysAgo * 86_400_000),
  })
  const cases: [name: string, mirrors: ReturnType<typeof mirror>[], removed: string[]][] = [
    ['none that fit', [mirror('a', 40, 1), mirror('b', 60, 2)], []],
    ['those used least lately when all are too large', [mirror('a', 60, 3), mirror('b', 60, 1)], ['a']],
    ['those not used for a month', [mirror('a', 1, 31), mirror('b', 1, 29)], ['a']],
    ['one that alone is too large', [mirror('a', 101, 0)], ['a']],
  ]
  test.each(cases)('%s', (_, mirrors, removed) => {
    expect([...mirrorsToRemove(mirrors, now, 100)]).toEqual(removed)
  })
})

test('a damaged mirror is told from a repository that refuses', () => {
  for (const text of [
    "fatal: Unable to create '/x/shallow.lock': File exists.",
    'error: packfile ./objects/pack/pack-1.pack is truncated',
    `fatal: bad object ${A}`,
    "fatal: not a git repository (or any of the parent directories): '/x'",
    'fatal: bad config line 1 in file config',
  ])
    expect([text, isBrokenMirror(text)]).toEqual([text, true])
  for (const text of [
    "fatal: '/x' does not appear to be a git repository",
    "fatal: repository 'https://g/x/' not found",
    'fatal: remote error: upload-pack: not our ref',
    'git@g: Permission denied (publickey).',
  ])
    expect([text, isBrokenMirror(text)]).toEqual([text, false])
})
