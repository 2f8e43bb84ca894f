import { expect, test } from 'vitest'

import { type Address, redirectTarget, requestHeaders, responseHeaders, rewrittenTarget } from './headers.ts'

const origin = { clientAddress: '10.0.0.9', host: 'app.test:7480', port: 7480 }
const plain = { hasBody: false, upgrade: undefined, filters: [] }
const objectOf = (raw: readonly string[]): Record<string, string> => {
  const pairs: Record<string, string> = {}
  for (let index = 0; index < raw.length; index += 2) pairs[raw[index]!] = raw[index + 1]!
  return pairs
}

test('headers for one hop, and those the Connection header names, end at the gateway', () => {
  const raw = [
    'Host',
    'app.test',
    'Connection',
    'keep-alive, X-Hop',
    'X-Hop',
    '1',
    'TE',
    'trailers',
    'Keep-Alive',
    '5',
    'X-End',
    '2',
  ]
  expect(Object.keys(objectOf(requestHeaders(raw, origin, plain)))).toEqual([
    'Host',
    'X-End',
    'X-Forwarded-For',
    'X-Forwarded-Host',
    'X-Forwarded-Port',
    'X-Forwarded-Proto',
    'Forwarded',
  ])
})

test('a client cannot have the headers taken out that decide where a message goes and ends', () => {
  const raw = [
    'Host',
    'app.test',
    'Connection',
    'host, content-length, authorization',
    'Content-Length',
    '4',
    'Authorization',
    'x',
  ]
  expect(objectOf(requestHeaders(raw, origin, plain))).toMatchObject({
    Host: 'app.test',
    'Content-Length': '4',
    Authorization: 'x',
  })
})

test('a length beside chunks is dropped', () => {
  const raw = ['Host', 'a', 'Content-Length', '4', 'Transfer-Encoding', 'chunked']
  const headers = objectOf(requestHeaders(raw, origin, { ...plain, hasBody: true }))
  expect(headers).not.toHaveProperty('Content-Length')
  expect(headers['Transfer-Encoding']).toBe('chunked')
})

test('an IPv6 client is quoted as RFC 7239 wants it, and a quote in the host cannot break out', () => {
  const headers = objectOf(requestHeaders([], { ...origin, clientAddress: '::1', host: 'a";by=x' }, plain))
  expect(headers['Forwarded']).toBe('for="[::1]";host="a;by=x";proto=http')
})

test('filters set, add and remove; repeated headers stay repeated', () => {
  const filters = [
    {
      type: 'ResponseHeaderModifier',
      responseHeaderModifier: {
        set: [{ name: 'X-A', value: '1' }],
        add: [{ name: 'x-b', value: '2' }],
        remove: ['X-C'],
      },
    },
  ]
  expect(
    responseHeaders(['x-a', '0', 'X-B', '1', 'X-C', '3', 'Set-Cookie', 'a', 'Set-Cookie', 'b'], filters),
  ).toEqual(['X-B', '1, 2', 'Set-Cookie', 'a', 'Set-Cookie', 'b', 'X-A', '1'])
})

const address: Address = {
  host: 'app.test',
  port: 7480,
  path: '/old/page',
  query: 'q=1',
  matchedPrefix: '/old',
}
const replace = (replacePrefixMatch: string) => ({ type: 'ReplacePrefixMatch' as const, replacePrefixMatch })
const rewrites: [when: string, prefix: string, matched: string, expected: string][] = [
  ['another prefix', '/new', '/old', '/new/page?q=1'],
  ['no prefix', '/', '/old', '/page?q=1'],
  ['a slash too many', '/new/', '/old', '/new/page?q=1'],
  ['the root prefix', '/new', '/', '/new/old/page?q=1'],
]
test.each(rewrites)('a rewrite to %s', (_, prefix, matchedPrefix, expected) =>
  expect(
    rewrittenTarget('/old/page?q=1', { ...address, matchedPrefix }, [
      { type: 'URLRewrite', urlRewrite: { path: replace(prefix) } },
    ]),
  ).toBe(expected),
)

const redirects: [when: string, redirect: Parameters<typeof redirectTarget>[1], expected: string][] = [
  ['nothing changed', {}, 'http://app.test:7480/old/page?q=1'],
  ['to https: its own port', { scheme: 'https' }, 'https://app.test/old/page?q=1'],
  ['to another host and port', { hostname: 'b.test', port: 8080 }, 'http://b.test:8080/old/page?q=1'],
  [
    'to another path',
    { path: { type: 'ReplaceFullPath', replaceFullPath: '/x' } },
    'http://app.test:7480/x?q=1',
  ],
]
test.each(redirects)('a redirect, %s', (_, redirect, expected) =>
  expect(redirectTarget(address, redirect)).toBe(expected),
)
