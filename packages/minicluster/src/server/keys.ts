import { createPrivateKey, createPublicKey, randomBytes, X509Certificate, type KeyObject } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

import { DAY_MS, makeCertificate, newCertificateKey, newSecret, validityOf } from '@slipway/kit'
import { findText, keepText, replaceFile } from '@slipway/kit/files'

/** What the API server proves itself and its callers with; kept in `pki/` of the data folder, keys readable by the owner alone. */
export type ServerKeys = {
  readonly caPem: string
  readonly adminToken: string
  /** Signs ServiceAccount tokens. */
  readonly tokenKey: { readonly privateKey: KeyObject; readonly publicKey: KeyObject }
  /** The present serving certificate; made anew when it has less than 90 days left. */
  readonly serving: (now: Date) => Promise<{ readonly cert: string; readonly key: string }>
}

const CA_NAME = 'slipway-minicluster-ca'
const CA_DAYS = 3650
const SERVING_DAYS = 365
const RENEW_DAYS = 90
const HOSTS = ['127.0.0.1', 'localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc']

/** Loads the keys below `dataFolder`, making what is absent. */
export async function openKeys(dataFolder: string, now: Date): Promise<ServerKeys> {
  const folder = join(dataFolder, 'pki')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const ca = await openAuthority(folder, now)
  const tokenKeyPem = await keepText(join(folder, 'token.key'), newCertificateKey)
  const privateKey = createPrivateKey(tokenKeyPem)
  return {
    caPem: ca.pem,
    adminToken: (await keepText(join(folder, 'admin.token'), () => newSecret())).trim(),
    tokenKey: { privateKey, publicKey: createPublicKey(privateKey) },
    serving: (at) => openServing(folder, ca, at),
  }
}

type Authority = { readonly pem: string; readonly privateKey: KeyObject }

async function openAuthority(folder: string, now: Date): Promise<Authority> {
  const privateKey = createPrivateKey(await keepText(join(folder, 'ca.key'), newCertificateKey))
  const publicKey = createPublicKey(privateKey)
  const pem = await keepText(join(folder, 'ca.crt'), () =>
    makeCertificate({
      subject: CA_NAME,
      publicKey,
      issuer: { name: CA_NAME, privateKey },
      serial: randomBytes(16),
      ...validityOf(now, CA_DAYS),
    }),
  )
  return { pem, privateKey }
}

async function openServing(folder: string, ca: Authority, now: Date): Promise<{ cert: string; key: string }> {
  const path = join(folder, 'serving.pem')
  // Certificate and key in one file, so that a crash cannot leave a pair that does not fit.
  const kept = await findText(path)
  if (kept !== undefined && isGood(kept, ca, now)) return split(kept)
  const key = newCertificateKey()
  const cert = makeCertificate({
    subject: 'slipway-minicluster',
    publicKey: createPublicKey(createPrivateKey(key)),
    issuer: { name: CA_NAME, privateKey: ca.privateKey },
    serial: randomBytes(16),
    hosts: HOSTS,
    ...validityOf(now, SERVING_DAYS),
  })
  await replaceFile(path, `${cert}${key}`)
  return { cert, key }
}

function isGood(pem: string, ca: Authority, now: Date): boolean {
  const certificate = new X509Certificate(pem)
  const leftMs = certificate.validToDate.getTime() - now.getTime()
  return leftMs > RENEW_DAYS * DAY_MS && certificate.verify(createPublicKey(ca.privateKey))
}

function split(pem: string): { cert: string; key: string } {
  const at = pem.indexOf('-----BEGIN PRIVATE KEY')
  return { cert: pem.slice(0, at), key: pem.slice(at) }
}

/** A kubeconfig for the administrator of this cluster. */
export function kubeconfigText(url: string, keys: ServerKeys): string {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'slipway',
        cluster: { server: url, 'certificate-authority-data': Buffer.from(keys.caPem).toString('base64') },
      },
    ],
    users: [{ name: 'slipway-admin', user: { token: keys.adminToken } }],
    contexts: [{ name: 'slipway', context: { cluster: 'slipway', user: 'slipway-admin' } }],
    'current-context': 'slipway',
  }
  // JSON is YAML, and every reader of kubeconfigs takes it.
  return `${JSON.stringify(config, null, 2)}\n`
}
