import { describe, expect, test } from 'vitest'

import { readSettings } from './settings.ts'

const needed = {
  DATABASE_URL: 'postgres://app',
  DATABASE_OWNER_URL: 'postgres://owner',
  SLIPWAY_MASTER_KEY_FILE: '/keys/master.key',
  SLIPWAY_DATA: '/data',
}
const AUTHORITY = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----'
const files: Readonly<Record<string, string>> = {
  '/keys/master.key': `${'A'.repeat(43)}\n`,
  '/keys/authority.crt': `${AUTHORITY}\n`,
  '/keys/nonsense': 'nonsense',
}
const read = (extra: Readonly<Record<string, string>>) =>
  readSettings({ ...needed, ...extra }, async (path) => files[path] ?? '')

const tls = { SLIPWAY_TLS_CERTIFICATE: '/a.crt', SLIPWAY_TLS_KEY: '/a.key' }
const open = { SLIPWAY_HOST: '0.0.0.0', SLIPWAY_PUBLIC_URL: 'https://slipway.example' }

test('what lies in files is read from there', async () => {
  const settings = await read({ ...open, ...tls, SLIPWAY_AUTHORITY_FILE: '/keys/authority.crt' })
  expect(settings).toMatchObject({
    masterKey: 'A'.repeat(43),
    authority: AUTHORITY,
    tlsCertificateFile: '/a.crt',
  })
})

describe('beyond this machine', () => {
  const accepted: [what: string, given: Record<string, string>][] = [
    ['this machine alone', {}],
    ['another address of loopback', { SLIPWAY_HOST: '127.0.0.9' }],
    ['TLS', { ...open, ...tls }],
    ['plain HTTP that was asked for', { ...open, SLIPWAY_ALLOW_PLAIN_HTTP: 'true' }],
  ]
  test.each(accepted)('%s is accepted', async (_, given) => {
    await expect(read(given)).resolves.toMatchObject({ dataFolder: '/data' })
  })

  const refused: [what: string, given: Record<string, string>, says: string][] = [
    ['plain HTTP', open, 'SLIPWAY_HOST: beyond this machine it needs SLIPWAY_TLS_CERTIFICATE'],
    [
      'a certificate alone',
      { ...open, SLIPWAY_TLS_CERTIFICATE: '/a.crt' },
      'SLIPWAY_TLS_KEY: certificate and key',
    ],
    ['a key alone', { ...open, SLIPWAY_TLS_KEY: '/a.key' }, 'SLIPWAY_TLS_CERTIFICATE: certificate and key'],
    ['a certificate without an address', { ...tls, SLIPWAY_HOST: '0.0.0.0' }, 'SLIPWAY_PUBLIC_URL'],
    [
      'a certificate for plain http',
      { ...open, ...tls, SLIPWAY_PUBLIC_URL: 'http://slipway.example' },
      'SLIPWAY_PUBLIC_URL: with a certificate it is an https address',
    ],
    ['an authority that is none', { SLIPWAY_AUTHORITY_FILE: '/keys/nonsense' }, 'holds no PEM certificate'],
  ]
  test.each(refused)('%s is refused by its name', async (_, given, says) => {
    await expect(read(given)).rejects.toThrow(says)
  })
})
