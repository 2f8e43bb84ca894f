import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { makeCertificate, newCertificateKey, validityOf } from '@slipway/kit'

import type { CertificateFiles } from './certificate.ts'

const NAME = 'slipway-test-authority'

/** An authority of a test and files for what it signs. */
export type CertificateFolder = AsyncDisposable & {
  readonly folder: string
  /** PEM. */
  readonly authority: string
  readonly files: CertificateFiles
  /** Puts a new pair in place. */
  readonly renew: (hosts: readonly string[], days?: number) => Promise<void>
}

export async function certificateFolder(hosts: readonly string[]): Promise<CertificateFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-tls-'))
  const issuer = { name: NAME, privateKey: createPrivateKey(newCertificateKey()) }
  const make = (
    subject: string,
    key: ReturnType<typeof createPublicKey>,
    days: number,
    names?: readonly string[],
  ) =>
    makeCertificate({
      subject,
      publicKey: key,
      issuer,
      serial: randomBytes(16),
      ...validityOf(new Date(), days),
      ...(names && { hosts: names }),
    })
  const files = { certificate: join(folder, 'server.crt'), key: join(folder, 'server.key') }
  const renew: CertificateFolder['renew'] = async (names, days = 30) => {
    const key = newCertificateKey()
    await writeFile(files.certificate, make('server', createPublicKey(createPrivateKey(key)), days, names))
    await writeFile(files.key, key, { mode: 0o600 })
  }
  await renew(hosts)
  return {
    folder,
    authority: make(NAME, createPublicKey(issuer.privateKey), 30),
    files,
    renew,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}
