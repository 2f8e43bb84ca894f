import { createPrivateKey, createPublicKey, randomBytes, X509Certificate, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'

import {
  DAY_MS,
  HOUR_MS,
  makeCertificate,
  messageOf,
  newCertificateKey,
  repeat,
  systemCodeOf,
  unreachable,
  validityOf,
  type Clock,
} from '@slipway/kit'
import { findText, keepText, replaceFile } from '@slipway/kit/files'

import { launcherErrors } from './errors.ts'
import type { TlsChoice } from './options.ts'

/*
 * How the platform proves itself. An installation without a certificate of somebody's gets an authority of its own, once, and
 * from it a certificate, again and again: people and clusters trust the authority, so that a new certificate troubles nobody.
 * The platform reads the files again when they change.
 */
const AUTHORITY_DAYS = 3650
/** As long as browsers and systems accept from authorities they were told of. */
const SERVER_DAYS = 397
const RENEW_DAYS = 60
const LOOK_MS = 12 * HOUR_MS

/** Files by which the platform speaks TLS. */
export type Transport = {
  readonly certificate: string
  readonly key: string
  /** PEM file of who signed the certificate; undefined where everybody knows them. */
  readonly authority: string | undefined
  /** SHA-256 of the authority, as browsers and openssl show it. */
  readonly fingerprint: string | undefined
  /** Of the certificate. */
  readonly validUntil: Date
}

export type TransportInput = {
  readonly choice: TlsChoice
  readonly keysFolder: string
  readonly publicUrl: string | undefined
  readonly listen: string
  /** Where relative names of files begin. */
  readonly folder: string
  readonly now: Date
}

/** @returns undefined for plain HTTP. @throws {AppError} `certificate_unusable` */
export async function settleTransport(input: TransportInput): Promise<Transport | undefined> {
  const { choice } = input
  switch (choice.kind) {
    case 'none':
      return undefined
    case 'given': {
      const at = (path: string): string => resolve(input.folder, path)
      const authority = choice.authority === undefined ? undefined : at(choice.authority)
      return transportOf(at(choice.certificate), at(choice.key), authority)
    }
    case 'made':
      return makeTransport(input)
    default:
      return unreachable(choice)
  }
}

/** Makes the certificate anew before it ends, as long as Slipway runs. */
export function watchTransport(
  input: Omit<TransportInput, 'now'>,
  about: { readonly clock: Clock; readonly onError: (thrown: unknown) => void },
): Disposable {
  const { clock, onError } = about
  if (input.choice.kind !== 'made') return { [Symbol.dispose]: () => undefined }
  return repeat(clock, LOOK_MS, () => makeTransport({ ...input, now: clock.now() }), onError)
}

async function transportOf(
  certificate: string,
  key: string,
  authority: string | undefined,
): Promise<Transport> {
  const first = await certificateIn(certificate)
  await read(key)
  return {
    certificate,
    key,
    authority,
    fingerprint: authority === undefined ? undefined : (await certificateIn(authority)).fingerprint256,
    validUntil: first.validToDate,
  }
}

async function makeTransport(input: TransportInput): Promise<Transport> {
  const { keysFolder, now } = input
  const paths = {
    authority: join(keysFolder, 'authority.crt'),
    authorityKey: join(keysFolder, 'authority.key'),
    // In one file, so that a crash cannot leave a pair that does not fit.
    server: join(keysFolder, 'server.pem'),
  }
  const authorityKey = createPrivateKey(await keepText(paths.authorityKey, newCertificateKey))
  const issuer = { name: `Slipway on ${hostname()}`.slice(0, 64), privateKey: authorityKey }
  const authority = new X509Certificate(
    await keepText(paths.authority, () =>
      makeCertificate({
        subject: issuer.name,
        publicKey: createPublicKey(authorityKey),
        issuer,
        serial: randomBytes(16),
        ...validityOf(now, AUTHORITY_DAYS),
      }),
    ),
  )
  const hosts = hostsOf(input)
  const known = await findText(paths.server)
  if (known === undefined || !isGood(known, hosts, { publicKey: authority.publicKey, now })) {
    const key = newCertificateKey()
    const certificate = makeCertificate({
      subject: (hosts[0] ?? 'slipway').slice(0, 64),
      publicKey: createPublicKey(createPrivateKey(key)),
      // Named as the authority's own certificate names it, also after the machine was renamed.
      issuer: { ...issuer, name: authority.subject.replace(/^CN=/u, '') },
      serial: randomBytes(16),
      hosts,
      ...validityOf(now, SERVER_DAYS),
    })
    await replaceFile(paths.server, `${certificate}${key}`)
  }
  return transportOf(paths.server, paths.server, paths.authority)
}

/** Under which names the platform is called. Pure. */
export function hostsOf({ publicUrl, listen }: Pick<TransportInput, 'publicUrl' | 'listen'>): string[] {
  const named = publicUrl === undefined ? [] : [new URL(publicUrl).hostname.replace(/^\[|\]$/gu, '')]
  const bound = ['0.0.0.0', '::'].includes(listen) ? [] : [listen]
  return [...new Set([...named, ...bound, 'localhost', '127.0.0.1'])]
}

function isGood(
  pem: string,
  hosts: readonly string[],
  { publicKey, now }: { readonly publicKey: KeyObject; readonly now: Date },
): boolean {
  const certificate = new X509Certificate(pem)
  const names = certificate.subjectAltName ?? ''
  return (
    certificate.validToDate.getTime() - now.getTime() > RENEW_DAYS * DAY_MS &&
    certificate.verify(publicKey) &&
    hosts.every((host) => names.includes(`:${host}`))
  )
}

async function certificateIn(path: string): Promise<X509Certificate> {
  const text = await read(path)
  try {
    return new X509Certificate(text)
  } catch (thrown) {
    throw launcherErrors.certificate_unusable({ path, reason: messageOf(thrown) }, { cause: thrown })
  }
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (thrown) {
    const reason = systemCodeOf(thrown) ?? messageOf(thrown)
    throw launcherErrors.certificate_unusable({ path, reason }, { cause: thrown })
  }
}
