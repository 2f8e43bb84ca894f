import { expect, test } from 'vitest'

import type { AnyObject } from '../model.ts'
import { definitionOf } from './resources.ts'
import { parseFieldSelector, parseLabelSelector } from './selectors.ts'

function labelled(labels: Record<string, string>): AnyObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', uid: 'u', resourceVersion: '1', creationTimestamp: '', labels },
  }
}

const labels = { app: 'web', 'slipway.io/tier': 'front', size: '5', empty: '' }

test.each<[string, boolean]>([
  ['app=web', true],
  ['app==web', true],
  ['app = web', true],
  ['app=other', false],
  ['app!=other', true],
  ['absent!=x', true],
  ['app', true],
  ['absent', false],
  ['!absent', true],
  ['!app', false],
  ['app in (web,db)', true],
  ['app in (db)', false],
  ['absent in (db)', false],
  ['app notin (db)', true],
  ['absent notin (db)', true],
  ['app in (web), size>4', true],
  ['size>5', false],
  ['size<6', true],
  ['absent<6', false],
  ['empty=', true],
  ['slipway.io/tier in (front),app=web', true],
  ['slipway.io/tier=front,app=db', false],
])('label selector %s: %s', (text, expected) => {
  expect(parseLabelSelector(text)?.(labelled(labels))).toBe(expected)
})

test.each([
  'a in',
  '=a',
  'a in (x',
  '-a=b',
  'a=b c',
  'a>x',
  'a,,b',
  `a=${'x'.repeat(64)}`,
  'x'.repeat(20_000),
])('label selector %s is refused', (text) =>
  expect(() => parseLabelSelector(text)).toThrow(expect.objectContaining({ code: 400 })),
)

test('an empty selector selects everything', () => {
  expect(parseLabelSelector(' ')).toBeUndefined()
  expect(parseFieldSelector(definitionOf('pods'), '')).toBeUndefined()
})

function node(unschedulable?: boolean): AnyObject {
  return {
    ...labelled({}),
    kind: 'Node',
    ...(unschedulable === undefined ? {} : { spec: { unschedulable } }),
  }
}

test.each<[string, AnyObject, boolean]>([
  ['spec.unschedulable=false', node(), true],
  ['spec.unschedulable=false', node(false), true],
  ['spec.unschedulable=false', node(true), false],
  ['spec.unschedulable!=true', node(), true],
  ['metadata.name=p', node(), true],
  ['metadata.name!=p', node(), false],
])('field selector %s', (text, object, expected) => {
  expect(parseFieldSelector(definitionOf('nodes'), text)?.matches(object)).toBe(expected)
})

test('a job without successes has none, and escaped values are read', () => {
  expect(parseFieldSelector(definitionOf('jobs'), 'status.successful=0')?.matches(labelled({}))).toBe(true)
  const event = { ...labelled({}), reason: 'a,b=c' }
  expect(parseFieldSelector(definitionOf('events'), 'reason=a\\,b\\=c')?.matches(event)).toBe(true)
})

test('a selector of one name tells it', () => {
  expect(parseFieldSelector(definitionOf('pods'), 'metadata.name=x,status.phase=Running')?.name).toBe('x')
  expect(parseFieldSelector(definitionOf('pods'), 'metadata.name!=x')?.name).toBeUndefined()
})

test.each([
  ['pods', 'spec.foo=1', 'field label not supported: spec.foo'],
  [
    'configmaps',
    'data.a=1',
    '"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"',
  ],
  ['pods', 'nonsense', "invalid selector: 'nonsense'; can't understand 'nonsense'"],
  ['pods', 'toString=1', 'field label not supported: toString'],
] as const)('a field selector of %s by %s is refused', (resource, text, message) => {
  expect(() => parseFieldSelector(definitionOf(resource), text)).toThrow(message)
})
