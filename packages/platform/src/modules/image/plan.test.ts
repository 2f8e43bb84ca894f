import { expect, test } from 'vitest'

import { needsRotation, parseNamedImage, templateOfConfig } from './plan.ts'

const DIGEST = `sha256:${'a'.repeat(64)}` as const

const names: [text: string, expected: unknown][] = [
  [DIGEST, { kind: 'digest', repository: undefined, digest: DIGEST }],
  [`shop/web@${DIGEST}`, { kind: 'digest', repository: 'shop/web', digest: DIGEST }],
  [`shop/web:v1@${DIGEST}`, { kind: 'digest', repository: 'shop/web', digest: DIGEST }],
  ['shop/web:v1', { kind: 'tag', repository: 'shop/web', tag: 'v1' }],
  ['build-7', { kind: 'tag', repository: undefined, tag: 'build-7' }],
  [`bld_${'0'.repeat(26)}`, { kind: 'build', buildId: `bld_${'0'.repeat(26)}` }],
  [`img_${'0'.repeat(26)}`, { kind: 'image', imageId: `img_${'0'.repeat(26)}` }],
  ['', undefined],
  ['a b', undefined],
  ['shop/web@sha256:short', undefined],
  ['x'.repeat(200), undefined],
]
test.each(names)('reads the name %s', (text, expected) => expect(parseNamedImage(text)).toEqual(expected))

const plain = {
  user: undefined,
  env: [],
  workingDir: undefined,
  labels: {},
  stopSignal: undefined,
  volumes: [],
}

test('a pushed Image runs its own command at its first port', () => {
  const template = templateOfConfig({
    ...plain,
    exposedPorts: ['9000/udp', '3000/tcp'],
    entrypoint: ['tini', '--'],
    cmd: ['node', 'a.js'],
  })
  expect(template.processes['web']).toMatchObject({
    kind: 'web',
    port: 3000,
    command: ['tini', '--', 'node', 'a.js'],
  })
})

test('a pushed Image without ports or command gets the default port and keeps its own command', () => {
  const template = templateOfConfig({ ...plain, exposedPorts: [], entrypoint: [], cmd: [] })
  expect(template.processes['web']).toMatchObject({ port: 8080 })
  expect(template.processes['web']?.command).toBeUndefined()
})

test('a robot gets a new secret after 30 days', () => {
  const now = new Date('2026-03-31T00:00:00Z')
  expect(needsRotation({ rotatedAt: new Date('2026-03-02T00:00:00Z') }, now)).toBe(false)
  expect(needsRotation({ rotatedAt: new Date('2026-03-01T00:00:00Z') }, now)).toBe(true)
})
