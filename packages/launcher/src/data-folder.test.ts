import { expect, test } from 'vitest'

import { systemFolderName } from './data-folder.ts'
import { judgeLock } from './data-folder-lock.ts'
import type { LockHolder } from './data-folder-lock.ts'
import { parseKey } from './master-key.ts'
import { startTimeOf } from './process-identity.ts'

const here = { bootId: 'boot-1', machineId: 'machine-1', pidNamespace: 'pid:[1]' }
const holder: LockHolder = { ...here, token: 't', pid: 42, startTime: '1000', address: '' }

const cases: [when: string, holder: LockHolder, startTime: string | undefined, verdict: string][] = [
  ['the same process runs', holder, '1000', 'alive'],
  ['nobody has its pid', holder, undefined, 'dead'],
  ['the pid was used again', holder, '2000', 'dead'],
  ['the machine was booted since', { ...holder, bootId: 'boot-0' }, '1000', 'dead'],
  ['it is on another machine', { ...holder, bootId: 'boot-9', machineId: 'machine-9' }, undefined, 'unknown'],
  ['machines cannot be told apart', { ...holder, bootId: 'boot-9', machineId: '' }, undefined, 'unknown'],
  ['it is in another container', { ...holder, pidNamespace: 'pid:[2]' }, '1000', 'unknown'],
]
test.each(cases)('a lock whose holder cannot be asked is judged: %s', (_, lock, startTime, verdict) => {
  expect(judgeLock(lock, here, startTime)).toBe(verdict)
})

test('two checkouts with one name have two folders', () => {
  expect(systemFolderName('/home/a/slipway')).toMatch(/^slipway-[0-9a-f]{8}$/)
  expect(systemFolderName('/home/a/slipway')).not.toBe(systemFolderName('/home/b/slipway'))
})

test('the start time is found behind any name of a process', () => {
  const fields = ['S', ...Array.from({ length: 18 }, (_, index) => String(index)), '98765', 'more']
  expect(startTimeOf(`42 (sh) ${fields.join(' ')}`)).toBe('98765')
  expect(startTimeOf(`42 (a) b) S (c) ${fields.join(' ')}`)).toBe('98765')
  expect(startTimeOf(`42 (sh) ${['Z', ...fields.slice(1)].join(' ')}`)).toBeUndefined()
})

test.each([
  '',
  'short',
  'A'.repeat(43),
  'x'.repeat(44),
  'not base64url!'.repeat(3),
  'AbAbAbAb'.repeat(6).slice(0, 43),
])('the key %j is refused', (text) => {
  expect(() => parseKey(text, '/keys/master.key')).toThrow('master_key_invalid')
})
