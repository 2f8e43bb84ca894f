import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'

import { expect, test } from 'vitest'

import { makeCertificate, newCertificateKey, validityOf } from './certificate.ts'

const now = new Date('2026-03-01T12:00:00Z')

test('a certificate names hosts and addresses of both kinds, and its authority signs it', () => {
  const [own, server] = [newCertificateKey(), newCertificateKey()]
  const privateKey = createPrivateKey(own)
  const request = { issuer: { name: 'authority', privateKey }, serial: Buffer.alloc(16, 7) }
  const make = (subject: string, key: string, hosts?: readonly string[]): X509Certificate =>
    new X509Certificate(
      makeCertificate({
        ...request,
        ...validityOf(now, 30),
        subject,
        publicKey: createPublicKey(createPrivateKey(key)),
        ...(hosts && { hosts }),
      }),
    )
  const authority = make('authority', own)
  const made = make('server', server, ['slipway.example', '10.1.2.3', 'fd00::1:2', '::1', '::ffff:1.2.3.4'])
  expect(authority.ca).toBe(true)
  expect(made.ca).toBe(false)
  expect(made.verify(authority.publicKey)).toBe(true)
  expect(made.checkHost('slipway.example')).toBe('slipway.example')
  for (const address of ['10.1.2.3', 'fd00::1:2', '::1', '::ffff:1.2.3.4'])
    expect(made.checkIP(address), address).toBe(address)
  expect(made.checkIP('10.1.2.4')).toBeUndefined()
  expect(made.validToDate).toEqual(new Date('2026-03-31T12:00:00Z'))
})
