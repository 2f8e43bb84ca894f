import { createHash, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { isIP } from 'node:net'

import { DAY_MS, HOUR_MS } from './units.ts'

/*
 * X.509 certificates for ECDSA P-256 keys, written as DER by hand: the few structures needed here are less than the
 * smallest library. Source: RFC 5280 (certificates), RFC 5758 (ecdsa-with-SHA256).
 */
const OID = {
  ecdsaWithSha256: '2a8648ce3d040302',
  commonName: '550403',
  subjectKeyIdentifier: '551d0e',
  keyUsage: '551d0f',
  subjectAltName: '551d11',
  basicConstraints: '551d13',
  authorityKeyIdentifier: '551d23',
  extendedKeyUsage: '551d25',
  serverAuth: '2b06010505070301',
}

/** A certificate to be signed. */
export type CertificateRequest = {
  readonly subject: string
  readonly publicKey: KeyObject
  readonly issuer: { readonly name: string; readonly privateKey: KeyObject }
  /** 8 to 20 random bytes. */
  readonly serial: Uint8Array
  readonly notBefore: Date
  readonly notAfter: Date
  /** DNS names and addresses of a server; absent makes a certificate authority. */
  readonly hosts?: readonly string[]
}

/** A new key for a certificate, as PEM (PKCS #8). */
export function newCertificateKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** From an hour ago, for readers whose clock is behind, to so many days from now. */
export function validityOf(now: Date, days: number): Pick<CertificateRequest, 'notBefore' | 'notAfter'> {
  return {
    notBefore: new Date(now.getTime() - HOUR_MS),
    notAfter: new Date(now.getTime() + days * DAY_MS),
  }
}

/** The signed certificate as PEM. */
export function makeCertificate(request: CertificateRequest): string {
  const algorithm = sequence(oid(OID.ecdsaWithSha256))
  const body = sequence(
    tagged(0xa0, integer(Buffer.of(2))),
    // The first bit is cleared, or the number would be negative.
    integer(Buffer.concat([Buffer.of(0x40 | ((request.serial[0] ?? 0) & 0x3f)), request.serial.subarray(1)])),
    algorithm,
    commonName(request.issuer.name),
    sequence(time(request.notBefore), time(request.notAfter)),
    commonName(request.subject),
    request.publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions(request))),
  )
  const signature = sign('sha256', body, request.issuer.privateKey)
  const der = sequence(body, algorithm, bitString(signature))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

function extensions({ hosts, publicKey, issuer }: CertificateRequest): Buffer[] {
  const subjectId = keyId(publicKey)
  const issuerId = keyId(createPublicKey(issuer.privateKey))
  const shared = [
    extension(OID.subjectKeyIdentifier, tagged(0x04, subjectId)),
    extension(OID.authorityKeyIdentifier, sequence(tagged(0x80, issuerId))),
  ]
  if (!hosts)
    return [
      extension(OID.basicConstraints, sequence(Buffer.of(0x01, 0x01, 0xff)), true),
      // keyCertSign and cRLSign
      extension(OID.keyUsage, Buffer.of(0x03, 0x02, 0x01, 0x06), true),
      ...shared,
    ]
  return [
    extension(OID.basicConstraints, sequence(), true),
    // digitalSignature
    extension(OID.keyUsage, Buffer.of(0x03, 0x02, 0x07, 0x80), true),
    extension(OID.extendedKeyUsage, sequence(oid(OID.serverAuth))),
    extension(OID.subjectAltName, sequence(...hosts.map(alternativeName))),
    ...shared,
  ]
}

function alternativeName(host: string): Buffer {
  switch (isIP(host)) {
    case 4:
      return tagged(0x87, Buffer.from(host.split('.').map(Number)))
    case 6:
      return tagged(0x87, addressOfSixteenBytes(host))
    default:
      return tagged(0x82, Buffer.from(host))
  }
}

function addressOfSixteenBytes(host: string): Buffer {
  // The parser of addresses writes every form, also one that ends in dots, as groups of hexadecimal digits.
  const [head = '', tail] = new URL(`http://[${host}]`).hostname.slice(1, -1).split('::')
  const groupsOf = (text = ''): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
  const [first, last] = [groupsOf(head), groupsOf(tail)]
  const groups = [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last]
  return Buffer.from(groups.flatMap((group) => [group >> 8, group & 0xff]))
}

function keyId(key: KeyObject): Buffer {
  return createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [Buffer.of(0x01, 0x01, 0xff)] : []), tagged(0x04, value))
}

function commonName(name: string): Buffer {
  return sequence(tagged(0x31, sequence(oid(OID.commonName), tagged(0x0c, Buffer.from(name)))))
}

/** UTCTime up to 2049, GeneralizedTime after, as RFC 5280 wants it. */
function time(date: Date): Buffer {
  const digits = date.toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return date.getUTCFullYear() < 2050
    ? tagged(0x17, Buffer.from(digits.slice(2)))
    : tagged(0x18, Buffer.from(digits))
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return tagged(0x30, Buffer.concat(parts))
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes)
}

function oid(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, 'hex'))
}

function bitString(bytes: Buffer): Buffer {
  return tagged(0x03, Buffer.concat([Buffer.of(0), bytes]))
}

function tagged(tag: number, content: Uint8Array): Buffer {
  const { length } = content
  const header =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(header), content])
}
