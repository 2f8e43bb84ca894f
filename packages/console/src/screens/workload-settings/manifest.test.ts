import type { Process } from '@slipway/contract'
import { expect, test } from 'vitest'

import { fieldsOf, invalidFields, manifestText, type FieldName } from './manifest.ts'

const web: Process = {
  kind: 'web',
  command: ['node', 'server.js', '--name=it: works'],
  port: 8080,
  probe: { path: '/healthz', startSeconds: 60, timeoutSeconds: 2 },
  resources: { cpu: '50m', memory: '128Mi' },
  graceSeconds: 30,
  instances: 2,
}
const worker: Process = {
  kind: 'worker',
  resources: { cpu: '1', memory: '1Gi', memoryLimit: '2Gi' },
  graceSeconds: 5,
  instances: 1,
}

test('the manifest says what the form does, and texts stay texts', () => {
  const processes = { web, mail: worker }
  const fields = { web: { ...fieldsOf(web), port: '9000', memory: '256Mi' } }
  expect(manifestText(processes, fields)).toBe(`version: 1
processes:
  web:
    kind: web
    command: ["node","server.js","--name=it: works"]
    port: 9000
    probe:
      path: "/healthz"
      startSeconds: 60
      timeoutSeconds: 2
    resources:
      cpu: "50m"
      memory: "256Mi"
    graceSeconds: 30
    instances: 2
  mail:
    kind: worker
    resources:
      cpu: "1"
      memory: "1Gi"
      memoryLimit: "2Gi"
    graceSeconds: 5
    instances: 1
`)
})

const cases: [field: FieldName, value: string, isValid: boolean][] = [
  ['port', '0', false],
  ['port', '65535', true],
  ['port', '65536', false],
  ['port', '80 ', false],
  ['probePath', '', true],
  ['probePath', 'health', false],
  ['probePath', '/a b', false],
  ['cpu', '250m', true],
  ['cpu', '', false],
  ['cpu', '1e3', false],
  ['memory', '128Mi', true],
  ['memory', '128 MB', false],
  ['memoryLimit', '', true],
  ['graceSeconds', '601', false],
  ['timeoutSeconds', '1.5', false],
]
test.each(cases)('%s may be %j: %s', (field, value, isValid) => {
  expect(invalidFields('web', { ...fieldsOf(web), [field]: value }).has(field)).toBe(!isValid)
})

test('what a worker does not have cannot be wrong', () => {
  expect(invalidFields('worker', fieldsOf(worker)).size).toBe(0)
})
