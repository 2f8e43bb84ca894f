import { Readable } from 'node:stream'

import { expect, test } from 'vitest'

import { lineSplitter, stampedLines } from './lines.ts'

test('lines are the same wherever chunks begin and end', () => {
  const text = Buffer.from('one\ntwo\n\nthree 很\nlast')
  for (let size = 1; size <= text.length; size += 1) {
    const splitter = lineSplitter(100)
    const lines: string[] = []
    for (let at = 0; at < text.length; at += size)
      for (const { bytes } of splitter.feed(text.subarray(at, at + size))) lines.push(bytes.toString('utf8'))
    const rest = splitter.end()
    expect([...lines, rest?.bytes.toString('utf8')]).toEqual(['one', 'two', '', 'three 很', 'last'])
  }
})

test('of an endless line no more than the limit is ever held', () => {
  const splitter = lineSplitter(10)
  for (let count = 0; count < 1_000; count += 1)
    expect(splitter.feed(Buffer.from('x'.repeat(100)))).toEqual([])
  const [line] = splitter.feed(Buffer.from('y\nnext\n'))
  expect([line?.bytes.toString(), line?.cut]).toEqual(['xxxxxxxxxx', true])
})

test('what a node says in place of a log is left out, and a cut character too', async () => {
  const at = '2026-01-31T08:00:00.5Z'
  const chunks = [
    Buffer.from(`unable to retrieve container logs\n${at} fine\r\n${at} ${'很'.repeat(30_000)}\n`),
  ]
  const lines = []
  for await (const line of stampedLines(Readable.from(chunks))) lines.push(line)
  expect(lines.map(({ text, cut }) => [text.slice(0, 4), cut])).toEqual([
    ['fine', false],
    ['很很很很', true],
  ])
  expect(lines[1]?.text.endsWith('很')).toBe(true)
  expect(Buffer.byteLength(lines[1]?.text ?? '')).toBeLessThanOrEqual(64 * 1024)
})
