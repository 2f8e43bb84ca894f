import type { Change } from '@slipway/contract'
import { describe, expect, test } from 'vitest'

import { noAccess, type Access } from '../access/index.ts'
import {
  accessText,
  concerns,
  cursorText,
  maySee,
  parseCursor,
  pendingChanges,
  subscriptionOf,
} from './plan.ts'

const id = (prefix: string, letter: string): string => `${prefix}_${letter.repeat(26)}`
const release: Change = {
  type: 'release',
  id: id('rel', 'a'),
  change: 'changed',
  organizationId: id('org', 'a'),
  projectId: id('prj', 'a'),
  applicationId: id('app', 'a'),
  workloadId: id('wrk', 'a'),
  version: 7,
}

describe('a cursor', () => {
  test.each([['evt_1.700:700:'], ['evt_1.700:750:'], ['evt_1.700:750:700,710,749']])(
    '%s is read and written as it is',
    (text) => {
      const cursor = parseCursor(text)
      expect(cursor && cursorText(cursor)).toBe(text)
    },
  )

  test.each([
    [''],
    ['700:750:'],
    ['evt_1.750:700:'],
    ['evt_1.0:0:'],
    ['evt_1.700:750:710,705'],
    ['evt_1.700:750:750'],
    ['evt_1.700:750:699'],
    ['evt_1.700:9999999999999999999:'],
    [`evt_1.700:750:${'1'.repeat(3_000)}`],
    ["evt_1.700:750:' or 1=1"],
  ])('%s is none', (text) => {
    expect(parseCursor(text)).toBeUndefined()
  })

  test('with very many running transactions it is set back to before the first of them, so that it fits into a header', () => {
    const running = Array.from({ length: 500 }, (_, index) => 1_000_000 + index).join(',')
    expect(cursorText({ log: 'evt_1', snapshot: `1000000:2000000:${running}` })).toBe(
      'evt_1.1000000:1000000:',
    )
  })
})

describe('what concerns a reader', () => {
  const cases: [
    what: string,
    topics: readonly string[] | undefined,
    types: Change['type'][] | undefined,
    expected: boolean,
  ][] = [
    ['everything, without topics', undefined, undefined, true],
    ['its Organization', [`organization:${id('org', 'a')}`], undefined, true],
    ['its Project', [`project:${id('prj', 'a')}`], undefined, true],
    ['its Application', [`application:${id('app', 'a')}`], undefined, true],
    ['its Workload', [`workload:${id('wrk', 'a')}`], undefined, true],
    ['itself', [`release:${id('rel', 'a')}`], undefined, true],
    ['another one of its kind', [`release:${id('rel', 'b')}`], undefined, false],
    [
      'another Workload or itself',
      [`workload:${id('wrk', 'b')}`, `release:${id('rel', 'a')}`],
      undefined,
      true,
    ],
    ['its type', undefined, ['release', 'build'], true],
    ['another type', undefined, ['build'], false],
    ['its Project, but another type', [`project:${id('prj', 'a')}`], ['workload'], false],
  ]
  test.each(cases)('%s', (_, topics, types, expected) => {
    const subscription = subscriptionOf({ topics, types })
    expect(concerns(subscription, subscription.topics, release)).toBe(expected)
  })

  test('once its topics have ended, nothing', () => {
    const subscription = subscriptionOf({ topics: `project:${id('prj', 'a')}` })
    expect(concerns(subscription, [], release)).toBe(false)
  })
})

describe('who may know of a change', () => {
  const viewer: Access = {
    ...noAccess,
    projectRoles: new Map([[id('prj', 'a'), new Set(['viewer'] as const)]]),
  }
  const auditor: Access = { ...noAccess, platformRoles: ['auditor'] }

  test('members of its Project and those who read everything do, others do not', () => {
    expect(maySee(viewer, release)).toBe(true)
    expect(maySee(auditor, release)).toBe(true)
    expect(maySee(noAccess, release)).toBe(false)
    expect(maySee(viewer, { ...release, projectId: id('prj', 'b') })).toBe(false)
  })

  test('members of one Project learn nothing of the members of its Organization or of users', () => {
    expect(maySee(viewer, { ...release, type: 'user', organizationId: null, projectId: null })).toBe(false)
    expect(maySee(viewer, { ...release, type: 'member', projectId: null })).toBe(false)
  })

  test('equal accesses have equal texts, whatever their order', () => {
    const one: Access = {
      ...noAccess,
      projectRoles: new Map([
        ['a', new Set(['viewer', 'owner'] as const)],
        ['b', new Set()],
      ]),
    }
    const other: Access = {
      ...noAccess,
      projectRoles: new Map([
        ['b', new Set()],
        ['a', new Set(['owner', 'viewer'] as const)],
      ]),
    }
    expect(accessText(one)).toBe(accessText(other))
    expect(accessText(one)).not.toBe(accessText(viewer))
  })
})

describe('changes that wait', () => {
  test('are one per object, and the last one counts', () => {
    const pending = pendingChanges(10)
    pending.add({ ...release, version: 1 })
    pending.add({ ...release, id: id('rel', 'b'), version: 2 })
    pending.add({ ...release, version: 3, change: 'deleted' })
    expect(pending.takeAll().map(({ version, change }) => [version, change])).toEqual([
      [2, 'changed'],
      [3, 'deleted'],
    ])
    expect(pending.takeAll()).toEqual([])
  })

  test('what was made and then changed was made', () => {
    const pending = pendingChanges(10)
    pending.add({ ...release, change: 'created' })
    pending.add(release)
    expect(pending.takeAll()).toMatchObject([{ change: 'created' }])
  })

  test('are bounded; a change of an object that waits already still fits', () => {
    const pending = pendingChanges(1)
    expect(pending.add(release)).toBe(true)
    expect(pending.add({ ...release, id: id('rel', 'b') })).toBe(false)
    expect(pending.add(release)).toBe(true)
  })
})
