import { expect, test } from 'vitest'

import { planMigrations } from './migration-plan.ts'
import type { AppliedMigration, MigrationPlan } from './migration-plan.ts'

const known = [
  { id: 1, name: 'one' },
  { id: 2, name: 'two' },
]
const checksums = new Map([
  [1, 'a'],
  [2, 'b'],
])
const applied = (id: number, checksum: string): AppliedMigration => ({
  id,
  name: `m${id}`,
  checksum,
  version: `0.${id}.0`,
})

const cases: [when: string, applied: AppliedMigration[], plan: MigrationPlan][] = [
  ['nothing was applied: begins at the first', [], { kind: 'apply', fromIndex: 0 }],
  ['one was applied: goes on', [applied(1, 'a')], { kind: 'apply', fromIndex: 1 }],
  ['all were applied: nothing is left', [applied(1, 'a'), applied(2, 'b')], { kind: 'apply', fromIndex: 2 }],
  ['one was changed: names it', [applied(1, 'x')], { kind: 'changed', id: 1, name: 'm1' }],
  [
    'the database is ahead: names the version that brought it',
    [applied(1, 'a'), applied(2, 'b'), applied(3, 'c')],
    { kind: 'newer', id: 3, version: '0.3.0' },
  ],
]
test.each(cases)('%s', (_, rows, plan) => expect(planMigrations(known, checksums, rows)).toEqual(plan))

test('gaps are bugs', () => {
  expect(() => planMigrations([{ id: 2, name: 'two' }], checksums, [])).toThrow('migrations count')
  expect(() => planMigrations(known, checksums, [applied(2, 'b')])).toThrow('missing in the middle')
})
