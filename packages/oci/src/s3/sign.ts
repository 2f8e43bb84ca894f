import { createHash, createHmac } from 'node:crypto'

/*
 * AWS Signature Version 4 in the Authorization header, as the S3 API reference gives it: a canonical form of the request is
 * hashed, and the hash signed with a key made from the secret, the day, the region and the service. The payload's hash is part
 * of it, so the store refuses bytes that changed on the way. The secret itself is never sent. Pure.
 */
export type S3Credentials = {
  readonly accessKey: string
  readonly secretKey: string
}

export type RequestToSign = {
  readonly method: string
  readonly url: URL
  /** Names in lower case. `host` is added. */
  readonly headers: Readonly<Record<string, string>>
  readonly payload: Uint8Array
}

const SCHEME = 'AWS4-HMAC-SHA256'

/** The request's headers with what proves the caller: `authorization`, `x-amz-date`, `x-amz-content-sha256`. */
export function signedHeaders(
  request: RequestToSign,
  credentials: S3Credentials,
  region: string,
  now: Date,
): Record<string, string> {
  const time = now.toISOString().replaceAll(/[-:]|\.\d{3}/gu, '')
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`
  const headers: Record<string, string> = {
    ...request.headers,
    'x-amz-content-sha256': sha256(request.payload),
    'x-amz-date': time,
  }
  const signed = Object.entries({ ...headers, host: request.url.host }).sort(([a], [b]) => (a < b ? -1 : 1))
  const names = signed.map(([name]) => name).join(';')
  const canonical = [
    request.method,
    request.url.pathname,
    canonicalQuery(request.url.searchParams),
    ...signed.map(([name, value]) => `${name}:${value.trim()}`),
    '',
    names,
    headers['x-amz-content-sha256'],
  ].join('\n')
  const text = [SCHEME, time, scope, sha256(canonical)].join('\n')
  const key = scope
    .split('/')
    .reduce<Buffer | string>((parent, part) => hmac(parent, part), `AWS4${credentials.secretKey}`)
  const signature = createHmac('sha256', key).update(text).digest('hex')
  return {
    ...headers,
    authorization: `${SCHEME} Credential=${credentials.accessKey}/${scope},SignedHeaders=${names},Signature=${signature}`,
  }
}

/** Every byte but the unreserved ones of RFC 3986 as %XX, which is stricter than `encodeURIComponent`. */
export function percentEncoded(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/gu,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function canonicalQuery(parameters: URLSearchParams): string {
  return [...parameters]
    .map(([name, value]) => `${percentEncoded(name)}=${percentEncoded(value)}`)
    .sort()
    .join('&')
}

function sha256(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex')
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
