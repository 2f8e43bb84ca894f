import { expect, test } from 'vitest'

import { parseOptions } from './options.ts'

test('without arguments everything has its default', () => {
  expect(parseOptions([])).toEqual({
    data: undefined,
    port: 7447,
    gatewayPort: 7480,
    clusterPort: 7443,
    listen: '127.0.0.1',
    publicUrl: undefined,
    allowPlainHttp: false,
    tls: { kind: 'none' },
    sample: true,
    keepRunning: false,
    logLevel: 'warn',
  })
})

test('every flag is understood', () => {
  const flags =
    '--data /d --port 0 --gateway-port 1 --cluster-port 2 --listen 0.0.0.0 --public-url https://a.example --no-sample --keep-running --log-level debug'
  expect(parseOptions(flags.split(' '))).toMatchObject({
    data: '/d',
    port: 0,
    gatewayPort: 1,
    clusterPort: 2,
    publicUrl: 'https://a.example',
    sample: false,
    keepRunning: true,
    logLevel: 'debug',
  })
  expect(parseOptions(['--help'])).toBe('help')
})

const mistakes: [argv: string, says: string][] = [
  ['--port 70000', '--port is a number'],
  ['--port x', '--port is a number'],
  ['--nonsense', 'nonsense'],
  ['surplus', 'surplus'],
  ['--listen 0.0.0.0', 'needs --public-url'],
  ['--public-url http://slipway.example', 'plain http'],
  ['--public-url ftp://a', 'is an address such as'],
  ['--public-url https://a.example/path', 'is an address such as'],
  ['--port 7000 --gateway-port 7000', 'must differ'],
  ['--tls-certificate a.crt', 'belong together'],
  ['--tls-authority a.crt', 'belong together'],
  ['--tls-certificate a.crt --tls-key a.key', 'needs --public-url'],
  ['--log-level loud', '--log-level is one of'],
]
test.each(mistakes)('%s is refused with what to write instead', (argv, says) => {
  expect(() => parseOptions(argv.split(' '))).toThrow(says)
})

test('plain http off this machine is accepted when asked for', () => {
  expect(parseOptions(['--public-url', 'http://10.0.0.1:7447', '--allow-plain-http'])).toMatchObject({
    publicUrl: 'http://10.0.0.1:7447',
  })
})

const choices: [argv: string, kind: string][] = [
  ['', 'none'],
  // Something on this machine speaks TLS in front of it.
  ['--public-url https://a.example', 'none'],
  ['--listen 0.0.0.0 --public-url https://a.example', 'made'],
  ['--listen 10.0.0.5 --public-url https://10.0.0.5:7447', 'made'],
  // Something elsewhere does, on a network that somebody trusts.
  ['--listen 0.0.0.0 --public-url https://a.example --allow-plain-http', 'none'],
  ['--public-url https://a.example --tls-certificate a.crt --tls-key a.key', 'given'],
]
test.each(choices)('%s chooses how the platform proves itself: %s', (argv, kind) => {
  expect(parseOptions(argv.split(' ').filter((word) => word !== ''))).toMatchObject({ tls: { kind } })
})
