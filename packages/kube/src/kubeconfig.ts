import { createPrivateKey, X509Certificate } from 'node:crypto'

import { isRecord } from '@slipway/kit'

import { refuseField, refuseKubeconfig } from './kubeconfig-errors.ts'
import { parseBoundedYaml } from './kubeconfig-yaml.ts'

export type ClientCertificate = {
  /** PEM, with its chain if there is one. */
  readonly certificate: string
  /** PEM. */
  readonly key: string
}

/** How to prove who we are; a cluster that wants neither gets anonymous requests. */
export type Credentials = {
  readonly token?: string
  readonly clientCertificate?: ClientCertificate
}

/** Where a cluster is and how to trust it. */
export type ClusterAccess = {
  /** `https://host[:port][/prefix]`, without a slash at its end. */
  readonly server: string
  /** PEM; without it the system's roots are trusted. */
  readonly certificateAuthority?: string
  /** Name to expect in the server's certificate, where it is another than the host of `server`. */
  readonly tlsServerName?: string
  readonly credentials: Credentials
}

export type Kubeconfig = {
  readonly context: string
  readonly access: ClusterAccess
  /** Namespace of the context, where it names one. */
  readonly namespace?: string
}

/**
 * Reads the current context of a kubeconfig, or its only one. What would run a command, read a file or weaken TLS is refused
 * by name, and so is every field that is not known: nothing that was written there is left out in silence. Other contexts,
 * users and clusters of the file are not looked at.
 * @throws {AppError} `kubeconfig_invalid`, `kubeconfig_field_refused`
 */
export function parseKubeconfig(text: string): Kubeconfig {
  const root = recordOf(parseBoundedYaml(text), 'the file')
  const contexts = namedEntries(root, 'contexts', 'context')
  const context = currentContext(root, contexts)
  const entry = recordOf(contexts.get(context), `context ${quoted(context)}`)
  checkFields(entry, CONTEXT_FIELDS)
  const cluster = pick(namedEntries(root, 'clusters', 'cluster'), entry, 'cluster')
  const user = pick(namedEntries(root, 'users', 'user'), entry, 'user')
  checkFields(cluster, CLUSTER_FIELDS)
  checkFields(user, USER_FIELDS)
  if (cluster['insecure-skip-tls-verify'] === true)
    throw refuseField('insecure-skip-tls-verify', 'give certificate-authority-data')

  const certificateAuthority = certificateData(cluster, 'certificate-authority-data')
  const tlsServerName = textField(cluster, 'tls-server-name', /^[A-Za-z0-9._-]{1,253}$/)
  const namespace = textField(entry, 'namespace', /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
  return {
    context,
    access: {
      server: serverOf(textField(cluster, 'server', /^.{1,2048}$/)),
      ...(certificateAuthority !== undefined && { certificateAuthority }),
      ...(tlsServerName !== undefined && { tlsServerName }),
      credentials: credentialsOf(user),
    },
    ...(namespace !== undefined && { namespace }),
  }
}

/** A kubeconfig that holds this access and nothing else; JSON, which is YAML. */
export function formatKubeconfig(access: ClusterAccess): string {
  const { token, clientCertificate } = access.credentials
  const encoded = (pem: string | undefined): string | undefined =>
    pem === undefined ? undefined : Buffer.from(pem).toString('base64')
  const cluster = {
    server: access.server,
    'certificate-authority-data': encoded(access.certificateAuthority),
    'tls-server-name': access.tlsServerName,
  }
  const user = {
    token,
    'client-certificate-data': encoded(clientCertificate?.certificate),
    'client-key-data': encoded(clientCertificate?.key),
  }
  const name = 'slipway'
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [{ name, cluster }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name } }],
  })
}

type Fields = Readonly<Record<string, 'taken' | 'ignored' | { readonly instead: string }>>

const NO_FILES = 'put the content itself into the field of that name with -data'
const NO_COMMANDS = 'give a token of a ServiceAccount, or client-certificate-data and client-key-data'

const CONTEXT_FIELDS: Fields = { cluster: 'taken', user: 'taken', namespace: 'taken', extensions: 'ignored' }
const CLUSTER_FIELDS: Fields = {
  server: 'taken',
  'certificate-authority-data': 'taken',
  'tls-server-name': 'taken',
  'insecure-skip-tls-verify': 'taken',
  extensions: 'ignored',
  'disable-compression': 'ignored',
  'certificate-authority': { instead: NO_FILES },
  'proxy-url': { instead: 'make the server reachable without a proxy' },
}
const USER_FIELDS: Fields = {
  token: 'taken',
  'client-certificate-data': 'taken',
  'client-key-data': 'taken',
  extensions: 'ignored',
  'client-certificate': { instead: NO_FILES },
  'client-key': { instead: NO_FILES },
  tokenFile: { instead: 'put the token itself into token' },
  exec: { instead: NO_COMMANDS },
  'auth-provider': { instead: NO_COMMANDS },
  username: { instead: NO_COMMANDS },
  password: { instead: NO_COMMANDS },
}

function checkFields(record: Readonly<Record<string, unknown>>, fields: Fields): void {
  for (const name of Object.keys(record)) {
    const rule = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (rule === undefined) throw refuseField(name.slice(0, 100), 'remove it: it is not supported')
    if (typeof rule === 'object') throw refuseField(name, rule.instead)
  }
}

function currentContext(
  root: Readonly<Record<string, unknown>>,
  contexts: ReadonlyMap<string, unknown>,
): string {
  const named = root['current-context']
  if (typeof named === 'string' && named !== '') {
    if (!contexts.has(named)) throw refuseKubeconfig(`its current-context ${quoted(named)} does not exist`)
    return named
  }
  const [only] = contexts.keys()
  if (only === undefined) throw refuseKubeconfig('it has no contexts')
  if (contexts.size > 1) throw refuseKubeconfig('it has several contexts and no current-context')
  return only
}

/** The entries of a list such as `clusters` by their names. */
function namedEntries(
  root: Readonly<Record<string, unknown>>,
  list: string,
  field: string,
): ReadonlyMap<string, unknown> {
  const entries = root[list] ?? []
  if (!Array.isArray(entries)) throw refuseKubeconfig(`${list} is not a list`)
  const found = new Map<string, unknown>()
  for (const entry of entries) {
    if (!isRecord(entry) || typeof entry['name'] !== 'string')
      throw refuseKubeconfig(`an entry of ${list} has no name`)
    if (found.has(entry['name'])) throw refuseKubeconfig(`${list} has ${quoted(entry['name'])} twice`)
    found.set(entry['name'], entry[field])
  }
  return found
}

function pick(
  entries: ReadonlyMap<string, unknown>,
  context: Readonly<Record<string, unknown>>,
  field: 'cluster' | 'user',
): Readonly<Record<string, unknown>> {
  const name = context[field]
  if (typeof name !== 'string') throw refuseKubeconfig(`the context names no ${field}`)
  return recordOf(entries.get(name), `${field} ${quoted(name)}`)
}

function credentialsOf(user: Readonly<Record<string, unknown>>): Credentials {
  const token = textField(user, 'token', /^[\x21-\x7e]{1,65536}$/)
  const certificate = certificateData(user, 'client-certificate-data')
  const key = pemData(user, 'client-key-data')
  if ((certificate === undefined) !== (key === undefined))
    throw refuseKubeconfig('client-certificate-data and client-key-data belong together, one is missing')
  if (token === undefined && certificate === undefined)
    throw refuseKubeconfig('the user has neither a token nor a client certificate')
  if (certificate !== undefined && key !== undefined) checkPair(certificate, key)
  return {
    ...(token !== undefined && { token }),
    ...(certificate !== undefined && key !== undefined && { clientCertificate: { certificate, key } }),
  }
}

function checkPair(certificate: string, key: string): void {
  try {
    if (new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) return
  } catch (cause) {
    throw refuseKubeconfig('client-key-data is not a private key in PEM form without a passphrase', cause)
  }
  throw refuseKubeconfig('client-key-data does not belong to client-certificate-data')
}

function serverOf(server: string | undefined): string {
  if (server === undefined) throw refuseKubeconfig('the cluster has no server')
  const url = URL.parse(server)
  if (url?.protocol !== 'https:') throw refuseKubeconfig('server is not an https:// address')
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw refuseKubeconfig('server holds more than host, port and path')
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}

function certificateData(record: Readonly<Record<string, unknown>>, field: string): string | undefined {
  const pem = pemData(record, field)
  if (pem === undefined) return undefined
  try {
    void new X509Certificate(pem)
  } catch (cause) {
    throw refuseKubeconfig(`${field} is not a certificate in PEM form`, cause)
  }
  return pem
}

function pemData(record: Readonly<Record<string, unknown>>, field: string): string | undefined {
  // Some tools break the line; the base64 grammar itself is checked after that.
  const encoded = textField(record, field, /^[A-Za-z0-9+/=\s]+$/)?.replaceAll(/\s/g, '')
  if (encoded === undefined) return undefined
  const pem = Buffer.from(encoded, 'base64')
  if (pem.toString('base64').replace(/=+$/, '') !== encoded.replace(/=+$/, ''))
    throw refuseKubeconfig(`${field} is not valid base64`)
  return pem.toString('utf8')
}

function textField(
  record: Readonly<Record<string, unknown>>,
  field: string,
  grammar: RegExp,
): string | undefined {
  const value = record[field]
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string') throw refuseKubeconfig(`${field} is not text`)
  if (!grammar.test(value)) throw refuseKubeconfig(`${field} has characters or a length that it cannot have`)
  return value
}

function recordOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) throw refuseKubeconfig(`${what} is missing or not a mapping`)
  return value
}

function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 100))
}
