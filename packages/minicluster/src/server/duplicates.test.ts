import { expect, test } from 'vitest'

import { duplicateLines, keysWithDuplicates } from './duplicates.ts'

const twice = (text: string): readonly string[] | undefined =>
  keysWithDuplicates(text)
    ?.filter(({ isDuplicate }) => isDuplicate)
    .map(({ path }) => path)

const cases: [what: string, text: string, found: readonly string[] | undefined][] = [
  ['a text without any', '{"a":{"b":1},"c":{"b":"a"},"d":[{"b":1},{"b":1}]}', undefined],
  ['a key of the outermost object', '{"a":1,"a":2}', ['a']],
  ['keys further in, with the place in their list', '{"s":{"c":[{"n":1},{"n":1, "n" :2}]}}', ['s.c[1].n']],
  ['one that stands there three times', '{"a":1,"a":2,"a":3}', ['a', 'a']],
  ['one that is written in two ways', String.raw`{"a":1,"\u0061":2}`, ['a']],
  ['texts that look like keys', String.raw`{"a":"\"b\":","b":"{\"a\":1}","c":["a","a"]}`, undefined],
  ['the operations of a patch', '[{"op":"add","op":"add"}]', ['[0].op']],
]

test.each(cases)('finds %s', (_, text, found) => expect(twice(text)).toEqual(found))

test('what stands twice in YAML is told by its line', () => {
  expect(duplicateLines('a: 1\nb:\n  c: 1\n  c: 2\na: 3\n')).toEqual([
    'line 5: key "a" already set in map',
    'line 4: key "c" already set in map',
  ])
  expect(duplicateLines('a: 1\nb: 2\n')).toEqual([])
  expect(duplicateLines('{"a":1,\n"a":2}')).toEqual(['line 2: key "a" already set in map'])
})
