import { canonicalJson } from '@slipway/kit'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { defaultObject } from '../admission/index.ts'
import { resourceOf } from '../admission/resources.ts'
import { StatusError } from '../errors.ts'
import { readAnswers } from '../schema/testing.ts'
import type { JsonObject } from '../schema/json.ts'
import { listOf, objectOf, sameJson, textOf, without } from '../schema/json.ts'
import { applyServerSide, jsonPatch, mergePatch, recordUpdate, strategicMergePatch } from './index.ts'

const now = new Date('2024-05-06T07:08:09.123Z')

/** Does to our functions what the recorded request did to the real server. */
function answerTo(step: JsonObject, live: JsonObject | undefined): JsonObject {
  const body = objectOf(step['body'])
  const manager = textOf(step['manager'])
  const force = step['force'] === true
  const [, subresource = ''] = /^(status|scale)/.exec(textOf(step['op'])) ?? []
  if (step['op'] === 'apply' || step['op'] === 'status-apply') {
    const { object } = applyServerSide({ live, applied: body, manager, force, subresource, now })
    // Only the registry knows that a main write keeps the status.
    return subresource === '' && live?.['status'] !== undefined
      ? { ...object, status: live['status'] }
      : object
  }
  const after = changedBy(step, live ?? {})
  const resource = resourceOf(textOf(after['apiVersion']), textOf(after['kind']))
  if (!resource) throw new Error('unknown kind')
  const completed = defaultObject(resource, after)
  const managedFields = recordUpdate({ before: live, after: completed, manager, subresource, now })
  const metadata = without(objectOf(completed['metadata']), 'managedFields')
  return { ...completed, metadata: managedFields.length === 0 ? metadata : { ...metadata, managedFields } }
}

function changedBy(step: JsonObject, live: JsonObject): JsonObject {
  switch (step['op']) {
    case 'create':
      return objectOf(step['body'])
    case 'put':
      return { ...live, ...objectOf(step['body']) }
    case 'merge':
      return mergePatch(live, without(objectOf(step['body']), 'status'))
    case 'status-merge':
      return mergePatch(live, { status: objectOf(step['body'])['status'] })
    case 'scale':
      return mergePatch(live, step['body'])
    case 'json':
      return jsonPatch(live, step['body'])
    default:
      return strategicMergePatch(live, step['body'], textOf(live['apiVersion']), textOf(live['kind']))
  }
}

/** Managed fields without times, in an order of our own; the real one depends on the clock. */
function comparable(object: JsonObject): JsonObject {
  const metadata = objectOf(object['metadata'])
  const entries = listOf(metadata['managedFields']).map((entry) => without(objectOf(entry), 'time'))
  const sorted = entries.toSorted((a, b) => (canonicalJson(a) < canonicalJson(b) ? -1 : 1))
  return { ...object, metadata: { ...without(metadata, 'managedFields', 'uid'), managedFields: sorted } }
}

function withUid(object: JsonObject): JsonObject {
  return { ...object, metadata: { ...objectOf(object['metadata']), uid: 'the-uid' } }
}

describe('a real API server and we answer patches alike', () => {
  test.each(readAnswers('patches').map((one) => [textOf(one['name']), one] as const))('%s', (_, one) => {
    let live: JsonObject | undefined
    for (const step of listOf(one['steps']).map(objectOf)) {
      const answer = objectOf(step['answer'])
      if (answer['kind'] === undefined) expectRefusal(() => answerTo(step, live), answer)
      else {
        const next = answerTo(step, live)
        expect(comparable(next)).toEqual(comparable(answer))
        live = withUid(next)
      }
    }
  })

  function expectRefusal(act: () => unknown, answer: JsonObject): void {
    let thrown: unknown
    try {
      act()
    } catch (error) {
      thrown = error
    }
    if (!(thrown instanceof StatusError)) throw new Error('expected a refusal', { cause: thrown })
    expect(thrown.code).toBe(answer['code'])
    expect(thrown.message).toBe(answer['message'])
    const byField = (causes: unknown): unknown =>
      listOf(causes)
        .map(objectOf)
        .toSorted((a, b) => (textOf(a['field']) < textOf(b['field']) ? -1 : 1))
    expect(byField(thrown.details?.causes)).toEqual(byField(answer['causes']))
  }
})

describe('JSON patch', () => {
  test.each([
    ['adds to an object', { a: 1 }, [{ op: 'add', path: '/b', value: 2 }], { a: 1, b: 2 }],
    ['adds into a list', { a: [1, 3] }, [{ op: 'add', path: '/a/1', value: 2 }], { a: [1, 2, 3] }],
    ['adds at the end of a list', { a: [1] }, [{ op: 'add', path: '/a/-', value: 2 }], { a: [1, 2] }],
    ['removes from a list', { a: [1, 2] }, [{ op: 'remove', path: '/a/0' }], { a: [2] }],
    ['replaces', { a: { b: 1 } }, [{ op: 'replace', path: '/a/b', value: null }], { a: { b: null } }],
    ['moves', { a: { b: 1 }, c: {} }, [{ op: 'move', from: '/a/b', path: '/c/d' }], { a: {}, c: { d: 1 } }],
    ['copies', { a: [1] }, [{ op: 'copy', from: '/a', path: '/b' }], { a: [1], b: [1] }],
    [
      'knows ~0 and ~1',
      { 'a/b': 1, '~': 2 },
      [
        { op: 'remove', path: '/a~1b' },
        { op: 'remove', path: '/~0' },
      ],
      {},
    ],
    [
      'tests objects whatever the order',
      { a: { x: 1, y: 2 } },
      [{ op: 'test', path: '/a', value: { y: 2, x: 1 } }],
      { a: { x: 1, y: 2 } },
    ],
    ['replaces the whole', { a: 1 }, [{ op: 'replace', path: '', value: { b: 2 } }], { b: 2 }],
  ])('%s', (_, target, operations, result) => {
    expect(jsonPatch(deepFreeze(target), operations)).toEqual(result)
  })

  test.each([
    [{ op: 'add', path: '/a/b/c', value: 1 }],
    [{ op: 'add', path: '/list/9', value: 1 }],
    [{ op: 'add', path: '/list/01', value: 1 }],
    [{ op: 'add', path: '/b' }],
    [{ op: 'remove', path: '/b' }],
    [{ op: 'replace', path: '/b', value: 1 }],
    [{ op: 'replace', path: '', value: 5 }],
    [{ op: 'move', from: '/a', path: '/a/b' }],
    [{ op: 'copy', path: '/b' }],
    [{ op: 'test', path: '/a', value: 2 }],
    [{ op: 'frobnicate', path: '/a' }],
    [{ op: 'add', path: 'a', value: 1 }],
    [{ op: 'add', path: '/__proto__/x', value: 1 }],
  ])('refuses %j as a whole', (operation) => {
    const target = { a: 1, list: [] }
    const act = (): unknown => jsonPatch(target, [{ op: 'add', path: '/new', value: 1 }, operation])
    expect(act).toThrow('the server rejected our request due to an error in our request')
    expect(target).toEqual({ a: 1, list: [] })
  })

  test('refuses more than ten thousand operations', () => {
    const operations = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/a', value: 1 }))
    expect(() => jsonPatch({ a: 1 }, operations)).toThrow(
      'The allowed maximum operations in a JSON patch is 10000, got 10001',
    )
  })
})

test.each([
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])('merge patch as in RFC 7386: %j with %j', (target, patch, result) => {
  expect(mergePatch(deepFreeze(target), patch)).toEqual(result)
})

test('strategic merge patch is refused for custom resources and malformed patches', () => {
  const gateway = 'gateway.networking.k8s.io/v1'
  expect(() => strategicMergePatch({}, {}, gateway, 'HTTPRoute')).toThrow(/unknown format/)
  for (const patch of [
    { spec: { $patch: 'frobnicate' } },
    { spec: { strategy: { $retainKeys: 'type' } } },
    { spec: { strategy: { $retainKeys: ['type'], rollingUpdate: {} } } },
    { metadata: { finalizers: [{}] } },
    { spec: { template: { spec: { containers: ['a'] } } } },
    {
      metadata: { finalizers: ['a.b/c', 'd.e/f'], '$setElementOrder/finalizers': ['d.e/f', 'a.b/c'] },
    },
  ]) {
    expect(() => strategicMergePatch({}, patch, 'apps/v1', 'Deployment')).toThrow(StatusError)
  }
})

describe('server-side apply', () => {
  const settings = fc.record(
    {
      replicas: fc.integer({ min: 0, max: 5 }),
      labels: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2')),
      image: fc.constantFrom('i:1', 'i:2'),
      env: fc.uniqueArray(
        fc.record({ name: fc.constantFrom('A', 'B', 'C'), value: fc.constantFrom('1', '2') }),
        {
          selector: ({ name }) => name,
        },
      ),
      cpu: fc.constantFrom('1', '1000m', '0.5'),
      sidecar: fc.boolean(),
    },
    { requiredKeys: ['image'] },
  )
  type Settings = Partial<{
    readonly replicas: number
    readonly labels: object
    readonly image: string
    readonly env: readonly object[]
    readonly cpu: string
    readonly sidecar: boolean
  }>

  function deployment({ replicas, labels, image, env, cpu, sidecar }: Settings): JsonObject {
    const container = {
      name: 'c',
      image,
      ...(env ? { env } : {}),
      ...(cpu === undefined ? {} : { resources: { limits: { cpu } } }),
    }
    return {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd', namespace: 'n', ...(labels ? { labels } : {}) },
      spec: {
        ...(replicas === undefined ? {} : { replicas }),
        selector: { matchLabels: { app: 'd' } },
        template: {
          metadata: { labels: { app: 'd' } },
          spec: { containers: [container, ...(sidecar === true ? [{ name: 's', image: 's:1' }] : [])] },
        },
      },
    }
  }

  function apply(live: JsonObject | undefined, applied: JsonObject, manager: string, at = now) {
    return applyServerSide({ live, applied, manager, force: false, subresource: '', now: at })
  }

  test('applying the same thing twice changes nothing, not even a time', () => {
    fc.assert(
      fc.property(settings, (chosen) => {
        const first = apply(undefined, deployment(chosen), 'm').object
        const again = apply(deepFreeze(first), deployment(chosen), 'm', new Date(now.getTime() + 60_000))
        expect(again.changed).toBe(false)
        expect(again.object).toBe(first)
      }),
    )
  })

  test('applying something else and then the first thing again gives the first object again', () => {
    fc.assert(
      fc.property(settings, settings, (one, other) => {
        const first = apply(undefined, deployment(one), 'm').object
        const second = apply(first, deployment(other), 'm').object
        const back = apply(second, deployment(one), 'm').object
        expect(sorted(back)).toEqual(sorted(first))
      }),
    )
    function sorted(object: JsonObject): unknown {
      const spec = objectOf(objectOf(objectOf(object['spec'])['template'])['spec'])
      const containers = listOf(spec['containers']).map(objectOf)
      const env = containers.flatMap((one) => listOf(one['env']).map((item) => JSON.stringify(item))).sort()
      return {
        ...objectOf(object['spec']),
        template: undefined,
        env,
        labels: objectOf(object['metadata'])['labels'],
      }
    }
  })

  test('two managers with disjoint fields never conflict and never lose a field to each other', () => {
    const key = fc.stringMatching(/^[a-z]{1,4}$/)
    const data = fc.dictionary(key, fc.constantFrom('1', '2', '3'), { minKeys: 1, maxKeys: 4 })
    const configMap = (values: object): JsonObject => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'c', namespace: 'n' },
      data: values,
    })
    fc.assert(
      fc.property(data, data, data, (mine, theirs, theirNext) => {
        const own = (values: object, prefix: string): object =>
          Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}-${name}`, value]))
        const first = apply(undefined, configMap(own(mine, 'a')), 'a').object
        const second = apply(first, configMap(own(theirs, 'b')), 'b').object
        const third = apply(second, configMap(own(theirNext, 'b')), 'b').object
        expect(third['data']).toEqual({ ...own(mine, 'a'), ...own(theirNext, 'b') })
      }),
    )
  })

  test('through the subresource status only the status counts, with an owner of its own', () => {
    const live = apply(undefined, deployment({ image: 'i:1' }), 'm').object
    const applied = { ...deployment({ image: 'i:9' }), status: { observedGeneration: 3 } }
    const { object } = applyServerSide({
      live,
      applied,
      manager: 'm',
      force: false,
      subresource: 'status',
      now,
    })
    expect(object['status']).toMatchObject({ observedGeneration: 3 })
    expect(sameJson(object['spec'], live['spec'])).toBe(true)
    expect(objectOf(object['metadata'])['managedFields']).toMatchObject([
      { manager: 'm', operation: 'Apply' },
      {
        manager: 'm',
        operation: 'Apply',
        subresource: 'status',
        fieldsV1: { 'f:status': { 'f:observedGeneration': {} } },
      },
    ])
  })

  test('a scale owns the replicas, and an apply that names another number conflicts with it', () => {
    const before = apply(undefined, deployment({ image: 'i:1', replicas: 1 }), 'm').object
    const after: JsonObject = { ...before, spec: { ...objectOf(before['spec']), replicas: 4 } }
    const managedFields = recordUpdate({ before, after, manager: 'kubectl', subresource: 'scale', now })
    const live = { ...after, metadata: { ...objectOf(after['metadata']), managedFields } }
    expect(() => apply(live, deployment({ image: 'i:1', replicas: 1 }), 'm')).toThrow(
      'Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas',
    )
  })
})

test('a write that changes nothing keeps every entry and its time', () => {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', uid: 'u' }, data: { a: 'b' } }
  const managedFields = recordUpdate({ before: undefined, after: object, manager: 'm', subresource: '', now })
  const live = { ...object, metadata: { ...object.metadata, managedFields } }
  const later = new Date(now.getTime() + 60_000)
  expect(recordUpdate({ before: live, after: live, manager: 'other', subresource: '', now: later })).toEqual(
    managedFields,
  )
  expect(managedFields).toMatchObject([{ manager: 'm', operation: 'Update', time: '2024-05-06T07:08:09Z' }])
})

test('the oldest of more than ten update managers are folded into one', () => {
  let live: JsonObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', uid: 'u' }, data: {} }
  for (let index = 0; index < 14; index += 1) {
    const after: JsonObject = { ...live, data: { ...objectOf(live['data']), [`k${index}`]: 'v' } }
    const managedFields = recordUpdate({
      before: index === 0 ? undefined : live,
      after,
      manager: `m${index}`,
      subresource: '',
      now: new Date(now.getTime() + index * 1000),
    })
    live = { ...after, metadata: { ...objectOf(after['metadata']), managedFields } }
  }
  const entries = listOf(objectOf(live['metadata'])['managedFields']).map(objectOf)
  expect(entries).toHaveLength(10)
  expect(entries[0]).toMatchObject({
    manager: 'ancient-changes',
    fieldsV1: { 'f:data': { 'f:k0': {}, 'f:k4': {} } },
  })
})

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const child of Object.values(value)) deepFreeze(child)
    Object.freeze(value)
  }
  return value
}
