import { describe, expect, test } from 'vitest'

import { StatusError } from '../errors.ts'
import type { Resource } from '../model.ts'
import { readAnswers } from '../schema/testing.ts'
import type { JsonObject } from '../schema/json.ts'
import { listOf, objectOf, textOf, without } from '../schema/json.ts'
import { defaultObject, podSecurityViolations, validateObject } from './index.ts'

/** The recorded resource names are those of the table. */
function resourceIn(one: JsonObject): Resource {
  return textOf(one['resource']) as Resource
}

/** Job answers are recorded with this uid in the place of the real one. */
function withUid(object: JsonObject): JsonObject {
  return object['kind'] === 'Job'
    ? { ...object, metadata: { ...objectOf(object['metadata']), uid: 'the-uid' } }
    : object
}

function textsOf(causes: unknown): readonly string[] {
  const texts = listOf(causes)
    .map(objectOf)
    .map(({ reason, field, message }) => [reason, field, message].map(textOf).join(' | '))
  // The real server sometimes says the same thing twice.
  return [...new Set(texts)].sort()
}

describe('a real API server and we fill in the same defaults', () => {
  test.each(readAnswers('defaults').map((one) => [titleOf(one), one] as const))('%s', (_, one) => {
    const completed = defaultObject(resourceIn(one), withUid(objectOf(one['object'])))
    expect({ ...completed, metadata: without(objectOf(completed['metadata']), 'uid') }).toEqual(one['answer'])
    expect(defaultObject(resourceIn(one), completed), 'defaulting twice changes nothing').toEqual(completed)
    expect(validateObject(resourceIn(one), completed, completed), 'a good object may be kept').toEqual([])
  })
})

describe('a real API server and we refuse the same objects with the same words', () => {
  test.each(readAnswers('validation').map((one) => [textOf(one['name']), one] as const))('%s', (_, one) => {
    const completed = defaultObject(resourceIn(one), withUid(objectOf(one['object'])))
    expect(textsOf(validateObject(resourceIn(one), completed, undefined))).toEqual(textsOf(one['causes']))
  })
})

describe('a real API server and we refuse the same changes', () => {
  test.each(readAnswers('updates').map((one) => [titleOf(one), one] as const))('%s', (_, one) => {
    const live = defaultObject(resourceIn(one), withUid(objectOf(one['object'])))
    const { spec, ...rest } = objectOf(one['change'])
    const changed = {
      ...live,
      ...rest,
      ...(spec === undefined ? {} : { spec: { ...objectOf(live['spec']), ...objectOf(spec) } }),
    }
    const causes = validateObject(resourceIn(one), defaultObject(resourceIn(one), changed), live)
    // The real server adds a difference of Go values below the first line.
    const firstLines = listOf(one['causes'])
      .map(objectOf)
      .map((cause) => ({ ...cause, message: textOf(cause['message']).split('\n')[0] }))
    expect(textsOf(causes)).toEqual(textsOf(firstLines))
  })
})

describe('a real API server and we see the same violations of the restricted level', () => {
  test.each(readAnswers('pod-security').map((one, index) => [`pod ${index}`, one] as const))(
    '%s',
    (_, one) => {
      const pod = defaultObject('pods', objectOf(one['object']))
      const phrases = podSecurityViolations(objectOf(pod['spec']))
      const message =
        phrases.length === 0
          ? ''
          : `pods "v" is forbidden: violates PodSecurity "restricted:latest": ${phrases.join(', ')}`
      expect(message).toBe(one['message'])
    },
  )
})

describe('limits', () => {
  const configMap = (fields: JsonObject): JsonObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', namespace: 'b' },
    ...fields,
  })
  test.each([
    ['a ConfigMap above 1 MiB', 'configmaps', { data: { a: 'x'.repeat(2 ** 20 + 1) } }, '[]'],
    ['a Secret above 1 MiB', 'secrets', { data: { a: 'A'.repeat(1_400_004) } }, 'data'],
    [
      'annotations above 256 KiB',
      'configmaps',
      { metadata: { name: 'a', annotations: { a: 'x'.repeat(2 ** 18) } } },
      'metadata.annotations',
    ],
  ] as const)('%s is too long', (_, resource, fields, field) => {
    const object = { ...configMap(fields), kind: resource === 'secrets' ? 'Secret' : 'ConfigMap' }
    const causes = validateObject(resource, defaultObject(resource, object), undefined)
    expect(causes).toMatchObject([{ reason: 'FieldValueTooLong', field }])
  })

  test('an object with very many faults gets a bounded answer', () => {
    const labels = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`-${index}`, 'a b']))
    const causes = validateObject('configmaps', configMap({ metadata: { name: 'a', labels } }), undefined)
    expect(causes).toHaveLength(200)
  })
})

test.each([
  [
    { spec: { replicas: '3' } },
    'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
  ],
  [
    { spec: { template: { spec: { containers: [{ env: [{ name: 'A', value: 5 }] }] } } } },
    'json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value of type string',
  ],
  [
    { spec: { template: { spec: { containers: [{ resources: { limits: { cpu: 'x' } } }] } } } },
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  ],
])('a value of the wrong type is a bad request: %j', (fields, why) => {
  const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a' }, ...fields }
  const message = `Deployment in version "v1" cannot be handled as a Deployment: ${why}`
  expect(() => defaultObject('deployments', object)).toThrow(new StatusError(400, 'BadRequest', message))
})

function titleOf(one: JsonObject): string {
  return `${textOf(one['resource'])} ${textOf(objectOf(objectOf(one['object'])['metadata'])['name'])}`
}
