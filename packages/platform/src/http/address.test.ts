import { expect, test } from 'vitest'

import { callerAddress } from './address.ts'

const cases: [
  when: string,
  trusted: string[],
  peer: string,
  forwarded: string | undefined,
  caller: string,
][] = [
  ['nobody is trusted', [], '10.0.0.1', '203.0.113.7', '10.0.0.1'],
  ['there is no header', ['10.0.0.0/8'], '10.0.0.1', undefined, '10.0.0.1'],
  ['the peer is a proxy', ['10.0.0.0/8'], '10.0.0.1', '203.0.113.7', '203.0.113.7'],
  ['the peer is no proxy', ['10.0.0.0/8'], '198.51.100.1', '203.0.113.7', '198.51.100.1'],
  ['two proxies follow each other', ['10.0.0.0/8'], '10.0.0.1', '203.0.113.7, 10.0.0.2', '203.0.113.7'],
  ['the caller made up a header', ['10.0.0.0/8'], '10.0.0.1', '192.0.2.1, 203.0.113.7', '203.0.113.7'],
  ['all are proxies', ['10.0.0.0/8'], '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
  ['the header holds no address', ['10.0.0.1'], '10.0.0.1', 'unknown', '10.0.0.1'],
  ['the header is empty', ['10.0.0.1'], '10.0.0.1', '', '10.0.0.1'],
  ['the proxy has an IPv6 address', ['fd00::/8'], 'fd00::1', '2001:db8::7', '2001:db8::7'],
  ['the proxy comes as mapped IPv4', ['10.0.0.0/8'], '::ffff:10.0.0.1', '203.0.113.7', '203.0.113.7'],
]

test.each(cases)('when %s', (_, trusted, peer, forwarded, caller) => {
  expect(callerAddress(trusted, peer, forwarded)).toBe(caller)
})
