import { expect, test } from 'vitest'

import {
  compareRevisions,
  differencesOf,
  draftTo,
  noDraft,
  parseLines,
  problemsOf,
  requestOf,
  withAdded,
  withoutChange,
  withRemoved,
  withValue,
  type Variable,
} from './draft.ts'

const plain = (name: string, value: string): Variable => ({ name, value, secret: false })
const secret = (name: string): Variable => ({ name, value: null, secret: true })
const base = [plain('A', '1'), plain('B', '2'), secret('KEY')]

test('only what was changed is sent', () => {
  let draft = withValue(noDraft, plain('A', '1'), { value: '9', secret: false })
  draft = withRemoved(draft, 'B')
  draft = withAdded(draft, base, { name: 'C', value: '3', secret: true })
  expect(requestOf(base, draft)).toEqual({
    set: [
      { name: 'A', value: '9', secret: false },
      { name: 'C', value: '3', secret: true },
    ],
    remove: ['B'],
  })
  expect(differencesOf(base, draft)).toEqual([
    { name: 'A', change: 'changed', before: '1', after: '9' },
    { name: 'B', change: 'removed', before: '2', after: null },
    { name: 'C', change: 'added', before: null, after: null },
  ])
})

test('the value that is there anyway is no change, and a change can be left', () => {
  const draft = withValue(noDraft, plain('A', '1'), { value: '9', secret: false })
  expect(withValue(draft, plain('A', '1'), { value: '1', secret: false })).toEqual(noDraft)
  expect(withoutChange(draft, 'A')).toEqual(noDraft)
})

test('a secret never shows a value, whatever it becomes', () => {
  const draft = withValue(noDraft, secret('KEY'), { value: 'new', secret: true })
  expect(JSON.stringify(differencesOf(base, draft))).not.toContain('new')
})

test('what somebody else removed meanwhile is neither set nor removed', () => {
  const draft = withRemoved(withValue(noDraft, plain('A', '1'), { value: '9', secret: false }), 'B')
  expect(requestOf([secret('KEY')], draft)).toEqual({ set: [], remove: [] })
})

test('names that cannot be, stand twice, and secrets without a value are found', () => {
  let draft = withAdded(noDraft, base, { name: '1X', value: '', secret: false })
  draft = withAdded(draft, base, { name: 'C', value: '', secret: true })
  draft = withAdded(draft, base, { name: 'D', value: '', secret: false })
  draft = withAdded(draft, base, { name: 'D', value: 'x'.repeat(40_000), secret: false })
  expect([...problemsOf(base, draft)]).toEqual([
    [1, 'invalidName'],
    [2, 'valueNeeded'],
    [3, 'twice'],
    [4, 'twice'],
  ])
})

test('going back to a revision leaves secrets as they are', () => {
  const draft = draftTo(base, [plain('A', '0'), plain('OLD', 'x'), secret('KEY')])
  expect(requestOf(base, draft)).toEqual({
    set: [
      { name: 'A', value: '0', secret: false },
      { name: 'OLD', value: 'x', secret: false },
    ],
    remove: ['B'],
  })
})

test('revisions are compared by name', () => {
  expect(compareRevisions([plain('A', '1'), plain('B', '2')], [plain('A', '2'), secret('C')])).toEqual([
    { name: 'A', change: 'changed', before: '1', after: '2' },
    { name: 'B', change: 'removed', before: '2', after: null },
    { name: 'C', change: 'added', before: null, after: null },
  ])
  expect(compareRevisions(base, base)).toEqual([])
})

test('lines of an env file become variables', () => {
  expect(parseLines('# note\nA=1\r\nexport B = "two words"\n\nC=\'x=y\'\nnot a line\nD=\n')).toEqual([
    { name: 'A', value: '1' },
    { name: 'B', value: 'two words' },
    { name: 'C', value: 'x=y' },
    { name: 'D', value: '' },
  ])
})
