import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto'

import { assert, isRecord, parseJson, type Clock, type NewId } from '@slipway/kit'

import type { RegistryAction, RegistrySubject } from './ports.ts'

/*
 * Tokens of the registry's login: JWT (RFC 7519) with ES256 (RFC 7518 3.4: ECDSA on P-256 with SHA-256, signature as r|s).
 * The first key signs, every key verifies, so a key is rotated by putting a new one in front and dropping the old one once the
 * last token it signed has ended. The algorithm is ours to say, never the token's; `kid` only looks up a map.
 */
export type TokenKey = {
  readonly id: string
  /** PEM, PKCS #8. Secret. */
  readonly privateKey: string
}

export type TokenAccess = {
  readonly type: 'repository' | 'registry'
  readonly name: string
  readonly actions: readonly string[]
}

type TokenClaims = {
  /** Undefined for a token that an anonymous caller got. */
  readonly subject: RegistrySubject | undefined
  readonly access: readonly TokenAccess[]
}

export type TokenSigner = {
  readonly sign: (claims: TokenClaims) => {
    readonly token: string
    readonly issuedAt: Date
    readonly expiresInSeconds: number
  }
  /** Undefined for anything that is not a token of ours that holds now. */
  readonly verify: (token: string) => TokenClaims | undefined
}

export type TokenSignerOptions = {
  /** Newest first, at least one; asked at every use, so that a rotation needs no restart. */
  readonly keys: () => readonly TokenKey[]
  readonly issuer: string
  readonly audience: string
  readonly clock: Clock
  readonly newId: NewId
  /** 300 by default. */
  readonly lifeSeconds?: number | undefined
}

const LIFE_SECONDS = 300
const SKEW_SECONDS = 60
const TOKEN_MAX = 16 * 1024

export function newTokenKey(id: string): TokenKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { id, privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string }
}

export function tokenSigner(options: TokenSignerOptions): TokenSigner {
  const parsed = new Map<string, { readonly privateKey: KeyObject; readonly publicKey: KeyObject }>()

  function keyPair(key: TokenKey) {
    const known = parsed.get(key.privateKey)
    if (known) return known
    const privateKey = createPrivateKey(key.privateKey)
    const pair = { privateKey, publicKey: createPublicKey(privateKey) }
    parsed.set(key.privateKey, pair)
    return pair
  }

  return {
    sign(claims) {
      const [key] = options.keys()
      assert(key, 'there is a key to sign with')
      const issuedAt = options.clock.now()
      const issuedSeconds = Math.floor(issuedAt.getTime() / 1_000)
      const expiresInSeconds = options.lifeSeconds ?? LIFE_SECONDS
      const content = [
        { alg: 'ES256', typ: 'JWT', kid: key.id },
        {
          iss: options.issuer,
          aud: options.audience,
          sub: claims.subject?.id ?? '',
          name: claims.subject?.name ?? '',
          iat: issuedSeconds,
          nbf: issuedSeconds,
          exp: issuedSeconds + expiresInSeconds,
          jti: options.newId('jti'),
          access: claims.access,
        },
      ]
      const text = content.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
      const signature = sign('sha256', Buffer.from(text), {
        key: keyPair(key).privateKey,
        dsaEncoding: 'ieee-p1363',
      })
      return { token: `${text}.${signature.toString('base64url')}`, issuedAt, expiresInSeconds }
    },
    verify(token) {
      const parts = token.split('.')
      const [head = '', body = '', signature = ''] = parts
      if (token.length > TOKEN_MAX || parts.length !== 3) return undefined
      const header = decode(head)
      if (!header || header['alg'] !== 'ES256') return undefined
      const key = options.keys().find((candidate) => candidate.id === header['kid'])
      if (!key) return undefined
      const isGenuine = verify(
        'sha256',
        Buffer.from(`${head}.${body}`),
        { key: keyPair(key).publicKey, dsaEncoding: 'ieee-p1363' },
        Buffer.from(signature, 'base64url'),
      )
      const claims = isGenuine ? decode(body) : undefined
      if (!claims || !holdsNow(claims, options)) return undefined
      return claimsOf(claims)
    },
  }
}

function decode(part: string): Record<string, unknown> | undefined {
  try {
    const value = parseJson(Buffer.from(part, 'base64url').toString('utf8'), 8)
    return isRecord(value) ? value : undefined
  } catch {
    // Not JSON, so not a token; the caller answers with a challenge.
    return undefined
  }
}

function holdsNow(claims: Record<string, unknown>, options: TokenSignerOptions): boolean {
  const nowSeconds = options.clock.now().getTime() / 1_000
  const { exp, nbf } = claims
  return (
    claims['iss'] === options.issuer &&
    claims['aud'] === options.audience &&
    typeof exp === 'number' &&
    typeof nbf === 'number' &&
    nowSeconds < exp + SKEW_SECONDS &&
    nowSeconds >= nbf - SKEW_SECONDS
  )
}

function claimsOf(claims: Record<string, unknown>): TokenClaims {
  const { sub, name, access } = claims
  const subject = typeof sub === 'string' && sub !== '' ? { id: sub, name: String(name) } : undefined
  // Signed by us, so of our own making.
  return { subject, access: access as readonly TokenAccess[] }
}

/** Parses `repository:a/b:pull,push`, several separated by spaces; what is not understood is left out. */
export function parseScopes(texts: readonly string[]): readonly TokenAccess[] {
  const scopes: TokenAccess[] = []
  for (const text of texts.flatMap((entry) => entry.slice(0, 4_096).split(' ')).slice(0, 32)) {
    const match = /^(repository|registry):([^:\s]{1,255}):([a-z*,]{1,64})$/.exec(text)
    if (!match) continue
    const type = match[1] === 'registry' ? 'registry' : 'repository'
    scopes.push({ type, name: match[2] ?? '', actions: (match[3] ?? '').split(',') })
  }
  return scopes
}

/** The actions of `asked` that are granted; `*` asks for all of them. */
export function grantedActions(
  asked: readonly string[],
  granted: readonly RegistryAction[],
): readonly RegistryAction[] {
  return asked.includes('*') ? granted : granted.filter((action) => asked.includes(action))
}
