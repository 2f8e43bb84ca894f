import { createPrivateKey, createPublicKey, randomBytes, X509Certificate, type KeyObject } from 'node:crypto'
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { DAY_MS, makeCertificate, newCertificateKey, newSecret, systemCodeOf, validityOf } from '@slipway/kit'

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
  const tokenKeyPem = await keep(join(folder, 'token.key'), newCertificateKey)
  const privateKey = createPrivateKey(tokenKeyPem)
  return {
    caPem: ca.pem,
    adminToken: (await keep(join(folder, 'admin.token'), () => newSecret())).trim(),
    tokenKey: { privateKey, publicKey: createPublicKey(privateKey) },
    serving: (at) => openServing(folder, ca, at),
  }
}

type Authority = { readonly pem: string; readonly privateKey: KeyObject }

async function openAuthority(folder: string, now: Date): Promise<Authority> {
  const privateKey = createPrivateKey(await keep(join(folder, 'ca.key'), newCertificateKey))
  const publicKey = createPublicKey(privateKey)
  const pem = await keep(join(folder, 'ca.crt'), () =>
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
  const kept = await readIfThere(path)
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
  await writeSecret(path, `${cert}${key}`)
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

async function keep(path: string, make: () => string): Promise<string> {
  const kept = await readIfThere(path)
  if (kept !== undefined) return kept
  const made = make()
  await writeSecret(path, made)
  return made
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Writes a file for the owner alone, whole or not at all. */
export async function writeSecret(path: string, text: string): Promise<void> {
  await writeFile(`${path}.tmp`, text, { mode: 0o600 })
  // The mode above counts for new files only.
  await chmod(`${path}.tmp`, 0o600)
  await rename(`${path}.tmp`, path)
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
