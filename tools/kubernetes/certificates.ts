import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'

import { makeCertificate } from '../../packages/kit/src/certificate.ts'

const VALID_MS = 30 * 24 * 60 * 60_000

export type KeyedCertificate = { readonly certificate: string; readonly key: string }

/** An authority for a test. Its own certificate may prove a client too, for nothing restricts its use. */
export type TestAuthority = KeyedCertificate & {
  /** @param hosts - DNS names and IPv4 addresses */
  readonly issue: (hosts: readonly string[]) => KeyedCertificate
}

export function makeAuthority(name: string): TestAuthority {
  const issuerKey = newKey()
  const make = (subject: string, publicKey: KeyObject, hosts?: readonly string[]): string =>
    makeCertificate({
      subject,
      publicKey,
      issuer: { name, privateKey: createPrivateKey(issuerKey) },
      serial: randomBytes(16),
      // A clock beside ours may be a little behind.
      notBefore: new Date(Date.now() - 60_000),
      notAfter: new Date(Date.now() + VALID_MS),
      ...(hosts && { hosts }),
    })
  const publicOf = (key: string): KeyObject => createPublicKey(createPrivateKey(key))
  return {
    certificate: make(name, publicOf(issuerKey)),
    key: issuerKey,
    issue(hosts) {
      const key = newKey()
      return { certificate: make(hosts[0] ?? name, publicOf(key), hosts), key }
    },
  }
}

function newKey(): string {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  }).privateKey
}
