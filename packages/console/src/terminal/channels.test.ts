import { expect, test } from 'vitest'

import { arrivedOf, inputMessages, sizeMessage } from './channels.ts'

const bytesOf = (channel: number, text: string): Uint8Array =>
  new Uint8Array([channel, ...new TextEncoder().encode(text)])

test('input goes out in order, in pieces that a server takes', () => {
  const input = new Uint8Array(200_000).map((_, index) => index % 251)
  const messages = inputMessages(input)
  expect(messages.every((message) => message[0] === 0 && message.length <= 64 * 1024 + 1)).toBe(true)
  expect(messages.flatMap((message) => [...message.subarray(1)])).toEqual([...input])
  expect(inputMessages(new Uint8Array())).toEqual([])
})

test('a size is JSON on its own channel', () => {
  expect(sizeMessage({ columns: 80, rows: 24 })).toEqual(bytesOf(4, '{"columns":80,"rows":24}'))
})

const cases: [what: string, message: string | Uint8Array, expected: unknown][] = [
  ['output', bytesOf(1, 'ab'), { kind: 'output', bytes: new TextEncoder().encode('ab') }],
  ['errors are output too', bytesOf(2, 'x'), { kind: 'output', bytes: new TextEncoder().encode('x') }],
  ['an end', bytesOf(3, '{"exitCode":3}'), { kind: 'ended', exitCode: 3 }],
  [
    'a failure',
    bytesOf(3, '{"error":{"code":"instance_command_refused","message":"no"}}'),
    { kind: 'failed', code: 'instance_command_refused', message: 'no' },
  ],
  ['a broken end', bytesOf(3, '{'), { kind: 'unknown' }],
  ['an end of another form', bytesOf(3, '[]'), { kind: 'unknown' }],
  ['a channel of a newer server', bytesOf(9, 'x'), { kind: 'unknown' }],
  ['text', 'x', { kind: 'unknown' }],
  ['nothing', new Uint8Array(), { kind: 'unknown' }],
]
test.each(cases)('%s', (_, message, expected) => expect(arrivedOf(message)).toEqual(expected))
