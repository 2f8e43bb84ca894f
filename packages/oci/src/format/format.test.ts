import { describe, expect, test } from 'vitest'

import { churnGroupOf, type PackageLayout } from '../builder/churn.ts'
import { parseChallenges } from '../client/authorization.ts'
import { planReview, type ReviewFacts } from '../registry/review-plan.ts'
import { digestOf, isDigest, parseDigest } from './digest.ts'
import { parseManifest } from './manifest.ts'
import { mediaTypes } from './media-types.ts'
import { formatImageReference, isRepositoryName, isTag, parseImageReference } from './names.ts'
import { selectPlatform } from './platform.ts'

const DIGEST = digestOf('x')

test('digests: known vectors, and what is none', () => {
  expect(digestOf('{}')).toBe('sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a')
  expect(isDigest(digestOf('', 'sha512'))).toBe(true)
  for (const text of ['', 'sha256:', DIGEST.slice(0, -1), `${DIGEST}0`, DIGEST.toUpperCase(), `${DIGEST}\n`])
    expect(() => parseDigest(text)).toThrow('digest_invalid')
})

const references: [text: string, expected: (string | undefined)[]][] = [
  ['nginx', [undefined, 'nginx', 'latest', undefined]],
  ['team/app:v1', [undefined, 'team/app', 'v1', undefined]],
  ['localhost/app', ['localhost', 'app', 'latest', undefined]],
  ['127.0.0.1:7447/team/app:v1', ['127.0.0.1:7447', 'team/app', 'v1', undefined]],
  ['registry.example.com/a/b/c', ['registry.example.com', 'a/b/c', 'latest', undefined]],
  [`r.io/a@${DIGEST}`, ['r.io', 'a', undefined, DIGEST]],
  [`r.io/a:v1@${DIGEST}`, ['r.io', 'a', 'v1', DIGEST]],
  ['[::1]:5000/a', ['[::1]:5000', 'a', 'latest', undefined]],
]
test.each(references)('the reference %s is read', (text, [registry, repository, tag, digest]) => {
  const parsed = parseImageReference(text)
  expect(parsed).toEqual({ registry, repository, tag, digest })
  expect(parseImageReference(formatImageReference(parsed))).toEqual(parsed)
})

test.each([
  '',
  ':v1',
  'a:',
  'a@',
  'A/b',
  'a//b',
  '/a',
  'a/',
  'a b',
  'a:v 1',
  'a@sha256:abc',
  `a@${DIGEST}@${DIGEST}`,
  'a:b:c',
  'a..b',
  '-a',
  'http://r.io/a',
  '../a',
  'r.io/../a',
  'a'.repeat(300),
  'r.io:99999999/a',
  'é',
])('the reference %j is refused', (text) => {
  expect(() => parseImageReference(text)).toThrow('image_reference_invalid')
})

test('names and tags at their limits', () => {
  expect(isRepositoryName('a'.repeat(255))).toBe(true)
  expect(isRepositoryName('a'.repeat(256))).toBe(false)
  for (const name of ['a', 'a/b', 'a__b', 'a--b', 'a.b-c_d', '0/1']) expect(isRepositoryName(name)).toBe(true)
  for (const name of ['a___b', 'a..b', 'a-', '_a', 'a/_b', 'a.-b']) expect(isRepositoryName(name)).toBe(false)
  expect(isTag('t'.repeat(128))).toBe(true)
  for (const tag of ['t'.repeat(129), '', '.a', '-a', 'a/b', 'a:b']) expect(isTag(tag)).toBe(false)
})

test('a hostile name costs no time', () => {
  expect(isRepositoryName(`${'a-'.repeat(120)}!`)).toBe(false)
  expect(isRepositoryName(`${'a'.repeat(254)}!`)).toBe(false)
})

describe('platforms', () => {
  const child = (architecture: string, variant?: string, os = 'linux') => ({
    mediaType: mediaTypes.manifest,
    digest: digestOf(`${os} ${architecture} ${variant ?? ''}`),
    size: 1,
    platform: { os, architecture, ...(variant === undefined ? {} : { variant }) },
  })
  const index = parseManifest(
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        manifests: [
          child('unknown', undefined, 'unknown'),
          child('arm', 'v6'),
          child('arm', 'v7'),
          child('arm64', 'v8'),
          child('amd64'),
          { mediaType: 'a/b', digest: DIGEST, size: 1 },
        ],
      }),
    ),
  )
  const cases: [architecture: string, variant: string | undefined, expected: ReturnType<typeof child>][] = [
    ['amd64', undefined, child('amd64')],
    ['x64', undefined, child('amd64')],
    ['arm64', undefined, child('arm64', 'v8')],
    ['aarch64', 'v8', child('arm64', 'v8')],
    ['arm', 'v7', child('arm', 'v7')],
  ]
  test.each(cases)('%s %s is found', (architecture, variant, expected) => {
    if (index.kind !== 'index') throw new Error('an index was written')
    expect(selectPlatform(index, { os: 'linux', architecture, variant }).digest).toBe(expected.digest)
  })
  test('a missing one is refused and says what there is', () => {
    if (index.kind !== 'index') throw new Error('an index was written')
    expect(() => selectPlatform(index, { os: 'linux', architecture: 's390x' })).toThrow(
      'image_platform_missing',
    )
    expect(() => selectPlatform(index, { os: 'windows', architecture: 'amd64' })).toThrow(
      'image_platform_missing',
    )
  })
})

const groups: [layout: PackageLayout, path: string, group: string][] = [
  ['node', 'node_modules/a/index.js', 'dependencies'],
  ['node', 'packages/x/node_modules/a.js', 'dependencies'],
  ['node', 'my_node_modules/a.js', 'application'],
  ['node', 'server.js', 'application'],
  ['python', 'lib/python3.11/site-packages/a.py', 'dependencies'],
  ['python', '.venv/bin/python', 'dependencies'],
  ['python', 'app.py', 'application'],
  ['php', 'vendor/autoload.php', 'dependencies'],
  ['java', 'WEB-INF/lib/a-1.jar', 'dependencies'],
  ['java', 'BOOT-INF/lib/a-1-SNAPSHOT.jar', 'snapshots'],
  ['java', 'WEB-INF/classes/app.properties', 'application'],
  ['java', 'com/example/Main.class', 'application'],
  ['java', 'index.html', 'resources'],
  ['static', 'vendor/jquery.js', 'application'],
]
test.each(groups)('in a %s package %s belongs to %s', (layout, path, group) => {
  expect(churnGroupOf(path, layout)).toBe(group)
})

test('challenges are read, also several at once, quoted and bare', () => {
  const [bearer, basic] = parseChallenges(
    'Bearer realm="https://a/t?x=1,2",service="s", scope="a:b:c,d", Basic realm=x',
  )
  expect(bearer?.scheme).toBe('bearer')
  expect(bearer?.params.get('realm')).toBe('https://a/t?x=1,2')
  expect(bearer?.params.get('scope')).toBe('a:b:c,d')
  expect(basic?.scheme).toBe('basic')
  expect(parseChallenges('x'.repeat(10_000))).toEqual([])
  expect(parseChallenges('')).toEqual([])
})

describe('review plan', () => {
  const now = new Date('2026-01-02T00:00:00Z')
  const past = new Date('2026-01-01T00:00:00Z')
  const soon = new Date('2026-01-02T00:30:00Z')
  const policy = { graceMs: 3_600_000, removalMs: 60_000 }
  const manifest = {
    kind: 'manifest',
    present: true,
    reviewAfter: past,
    tagged: false,
    hasParent: false,
    hasSubject: false,
    pinned: false,
  } as const
  const blob = {
    kind: 'blob',
    state: 'absent',
    reviewAfter: past,
    linked: false,
    protectedUntil: undefined,
    absentSince: past,
  } as const
  const link = { kind: 'link', present: true, reviewAfter: past, referenced: false } as const
  const cases: [when: string, facts: ReviewFacts, expected: string][] = [
    ['nothing holds a manifest', manifest, 'removeManifest'],
    ['a tag holds it', { ...manifest, tagged: true }, 'keep'],
    ['an index holds it', { ...manifest, hasParent: true }, 'keep'],
    ['its subject holds it', { ...manifest, hasSubject: true }, 'keep'],
    ['it runs', { ...manifest, pinned: true }, 'keep'],
    ['it is gone', { ...manifest, present: false }, 'keep'],
    ['it was touched meanwhile', { ...manifest, reviewAfter: soon }, 'postpone'],
    ['nothing needs a link', link, 'removeLink'],
    ['a manifest needs the link', { ...link, referenced: true }, 'keep'],
    ['a blob has lost its last link', { ...blob, state: 'live', absentSince: undefined }, 'hideBlob'],
    ['a blob is linked', { ...blob, state: 'live', linked: true }, 'keep'],
    ['a hidden blob is linked again', { ...blob, linked: true }, 'keep'],
    ['the grace has passed', blob, 'removeBlob'],
    ['the grace has not passed', { ...blob, absentSince: now }, 'postpone'],
    ['somebody is pushing it', { ...blob, protectedUntil: soon }, 'postpone'],
    ['a removal was cut short', { ...blob, state: 'removing' }, 'removeBlob'],
    ['the blob is gone', { ...blob, state: 'gone' }, 'keep'],
  ]
  test.each(cases)('%s', (_, facts, expected) => expect(planReview(facts, now, policy).kind).toBe(expected))
})
