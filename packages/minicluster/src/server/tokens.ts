import { randomUUID, sign, verify } from 'node:crypto'

import { isRecord } from '@slipway/kit'

import { statusErrors } from '../errors.ts'
import { timeText } from '../registry/deletion.ts'
import type { Target } from '../registry/incoming.ts'
import { listOf, objectOf, textOf, type JsonObject } from '../schema/json.ts'
import type { View } from '../store/index.ts'
import type { ServerKeys } from './keys.ts'

/*
 * ServiceAccount tokens: JWTs signed with ES256 (RFC 7519, RFC 7518 section 3.4), with the claims of the Kubernetes
 * documentation, "Managing Service Accounts". A token ends with its time, its account or the pod it is bound to.
 */
const ISSUER = 'https://kubernetes.default.svc.cluster.local'
const LIFETIME_DEFAULT_SECONDS = 3600
const LIFETIME_MIN_SECONDS = 600
const LIFETIME_MAX_SECONDS = 365 * 24 * 3600
const TOKEN_MAX_LENGTH = 8_192

export type ServiceAccountName = { readonly namespace: string; readonly name: string; readonly uid: string }

/** Answers a TokenRequest for the ServiceAccount. */
export function issueToken(
  request: JsonObject,
  { namespace = '', name }: Target,
  context: { readonly keys: ServerKeys; readonly view: View; readonly now: Date },
): JsonObject {
  const account = context.view.get('serviceaccounts', namespace, name)
  if (!account) throw statusErrors.notFound('serviceaccounts', '', name)
  const spec = objectOf(request['spec'])
  const lifetimeSeconds = lifetimeOf(spec, name)
  const audiences = listOf(spec['audiences']).map(textOf)
  const expires = new Date(context.now.getTime() + lifetimeSeconds * 1000)
  const nowSeconds = Math.floor(context.now.getTime() / 1000)
  const claims = {
    aud: audiences.length === 0 ? [ISSUER] : audiences,
    exp: nowSeconds + lifetimeSeconds,
    iat: nowSeconds,
    iss: ISSUER,
    jti: randomUUID(),
    'kubernetes.io': {
      namespace,
      serviceaccount: { name, uid: account.metadata.uid },
      ...boundPod(spec, namespace, context.view),
    },
    nbf: nowSeconds,
    sub: `system:serviceaccount:${namespace}:${name}`,
  }
  return {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: { name, namespace, creationTimestamp: timeText(context.now) },
    spec: { ...spec, audiences: claims.aud, expirationSeconds: lifetimeSeconds },
    status: { token: encode(claims, context.keys), expirationTimestamp: timeText(expires) },
  }
}

function lifetimeOf(spec: JsonObject, name: string): number {
  const asked = spec['expirationSeconds'] ?? LIFETIME_DEFAULT_SECONDS
  const fault =
    typeof asked !== 'number' || asked < LIFETIME_MIN_SECONDS
      ? 'may not specify a duration less than 10 minutes'
      : asked > LIFETIME_MAX_SECONDS
        ? 'may not specify a duration larger than 2^32 seconds'
        : undefined
  if (fault === undefined) return Number(asked)
  throw statusErrors.invalid('TokenRequest', 'authentication.k8s.io', name, [
    {
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${JSON.stringify(asked)}: ${fault}`,
      field: 'spec.expirationSeconds',
    },
  ])
}

function boundPod(spec: JsonObject, namespace: string, view: View): JsonObject {
  const reference = objectOf(spec['boundObjectRef'])
  if (Object.keys(reference).length === 0) return {}
  if (reference['kind'] !== 'Pod')
    throw statusErrors.badRequest('cannot bind token to object of this type; only pods are supported')
  const name = textOf(reference['name'])
  const pod = view.get('pods', namespace, name)
  if (!pod || (textOf(reference['uid']) !== '' && reference['uid'] !== pod.metadata.uid))
    throw statusErrors.notFound('pods', '', name)
  return { pod: { name, uid: pod.metadata.uid } }
}

function encode(claims: JsonObject, { tokenKey }: ServerKeys): string {
  const part = (value: JsonObject): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${part({ alg: 'ES256', typ: 'JWT' })}.${part(claims)}`
  const signature = sign('sha256', Buffer.from(text), {
    key: tokenKey.privateKey,
    dsaEncoding: 'ieee-p1363',
  })
  return `${text}.${signature.toString('base64url')}`
}

/** The ServiceAccount that a token names, or undefined when it is not a valid token of this server for this server. */
export function readToken(
  token: string,
  context: { readonly keys: ServerKeys; readonly view: View; readonly now: Date },
): ServiceAccountName | undefined {
  const claims = verifiedClaims(token, context.keys)
  if (!claims) return undefined
  const nowSeconds = context.now.getTime() / 1000
  const { exp, nbf, aud, iss } = claims
  if (typeof exp !== 'number' || exp <= nowSeconds || typeof nbf !== 'number' || nbf > nowSeconds + 60)
    return undefined
  if (iss !== ISSUER || !listOf(aud).includes(ISSUER)) return undefined
  const own = objectOf(claims['kubernetes.io'])
  const namespace = textOf(own['namespace'])
  const { name, uid } = objectOf(own['serviceaccount'])
  const account = context.view.get('serviceaccounts', namespace, textOf(name))
  if (!account || account.metadata.uid !== uid) return undefined
  const pod = own['pod'] === undefined ? undefined : objectOf(own['pod'])
  if (pod && context.view.get('pods', namespace, textOf(pod['name']))?.metadata.uid !== pod['uid'])
    return undefined
  return { namespace, name: account.metadata.name, uid: account.metadata.uid }
}

function verifiedClaims(token: string, { tokenKey }: ServerKeys): JsonObject | undefined {
  const [header = '', claims = '', signature = '', ...more] = token.split('.')
  if (token.length > TOKEN_MAX_LENGTH || signature === '' || more.length > 0) return undefined
  const valid = verify(
    'sha256',
    Buffer.from(`${header}.${claims}`),
    { key: tokenKey.publicKey, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  )
  if (!valid) return undefined
  // Only what this server signed is parsed, and it signs nothing but ES256.
  const parsed: unknown = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8'))
  return isRecord(parsed) ? parsed : undefined
}
