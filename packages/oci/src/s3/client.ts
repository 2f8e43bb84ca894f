import { AppError, errorOf, messageOf, retryDelayMs, SECOND_MS, type Clock, type Random } from '@slipway/kit'

import { emptyStream } from '../client/authorization.ts'
import { discard } from '../client/transport.ts'
import { ociErrors } from '../errors.ts'
import { guardedStream, readAll, withDeadline, type ByteStream } from '../streams.ts'
import { percentEncoded, signedHeaders, type S3Credentials } from './sign.ts'
import { textOf } from './xml.ts'

/** A bucket of a store that speaks the S3 protocol, and who we are there. */
export type S3Bucket = {
  /** `https://s3.eu-central-1.amazonaws.com`, without the bucket. */
  readonly endpoint: string
  readonly bucket: string
  readonly region: string
  /** In front of every name, such as `slipway/`; may be empty. */
  readonly prefix: string
  /** `path`: the bucket is the first part of the path. `host`: it is the first part of the host's name. */
  readonly addressing: 'path' | 'host'
  readonly credentials: S3Credentials
}

export type S3Options = {
  readonly bucket: S3Bucket
  readonly clock: Clock
  readonly random: Random
  /** How long an answer's head may take. 30,000 ms by default; what carries bytes or copies inside the store gets ten times that. */
  readonly timeoutMs?: number | undefined
  /** Attempts at one request, the first included. 5 by default. */
  readonly attemptsMax?: number | undefined
}

export type S3Call = {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  /** Without the prefix; empty for the bucket itself. */
  readonly key: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly payload?: Uint8Array
  /** The store works on it before it answers. */
  readonly isLong?: boolean
}

/** Sends requests to one bucket, signed and again when the store is busy; every other answer is an error in our words. */
export type S3Client = {
  readonly prefix: string
  /** How another object of the bucket is named as the source of a copy. */
  readonly copySource: (key: string) => string
  /** Undefined for 404. The caller reads or cancels the body. */
  readonly find: (call: S3Call) => Promise<Response | undefined>
  /** The body, which is small. @throws {AppError} `blob_store_…`, also when the body says that it failed after all */
  readonly ask: (call: S3Call) => Promise<{ readonly text: string; readonly headers: Headers }>
  /** An answer's body, which may not pause for longer than the time for an answer's head. */
  readonly bodyOf: (response: Response) => ByteStream
}

const TIMEOUT_MS = 30 * SECOND_MS
const LONG_FACTOR = 10
const ATTEMPTS_MAX = 5
const BACK_OFF = { firstMs: 200, maxMs: 5 * SECOND_MS }
/** A listing of a thousand names is the largest. */
const DOCUMENT_MAX_BYTES = 4 * 1024 * 1024
/** What a busy store answers; the same request may succeed in a moment. */
const PASSING: ReadonlySet<number> = new Set([429, 500, 502, 503, 504])
const NO_PAYLOAD = new Uint8Array(0)

export function s3Client(options: S3Options): S3Client {
  const { bucket, clock, random } = options
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS
  const attemptsMax = options.attemptsMax ?? ATTEMPTS_MAX
  const base = baseOf(bucket)

  async function sendOnce(call: S3Call): Promise<Response> {
    const url = new URL(base)
    url.pathname += pathOf(bucket.prefix, call.key)
    // Spelled as it is signed: a space is %20 here and + in URLSearchParams.
    url.search = Object.entries(call.query ?? {})
      .map(([name, value]) => `${percentEncoded(name)}=${percentEncoded(value)}`)
      .join('&')
    const payload = call.payload ?? NO_PAYLOAD
    const request = { method: call.method, url, headers: call.headers ?? {}, payload }
    const headers = signedHeaders(request, bucket.credentials, bucket.region, clock.now())
    const limitMs = call.payload || call.isLong ? timeoutMs * LONG_FACTOR : timeoutMs
    return withDeadline(
      clock,
      limitMs,
      () => new Error(`no answer within ${limitMs} ms`),
      (signal) =>
        fetch(url, {
          method: call.method,
          redirect: 'manual',
          signal,
          headers: { ...headers, 'accept-encoding': 'identity' },
          ...(call.payload ? { body: call.payload } : {}),
        }),
    )
  }

  async function send(call: S3Call): Promise<Response> {
    for (let attempt = 1; ; attempt += 1) {
      let problem: unknown
      try {
        const response = await sendOnce(call)
        if (!PASSING.has(response.status)) return response
        if (attempt >= attemptsMax) return await refuse(call, response)
        await discard(response)
      } catch (thrown) {
        if (thrown instanceof AppError) throw thrown
        problem = thrown
      }
      if (attempt >= attemptsMax) throw unreachable(reasonOf(problem), problem)
      await clock.sleep(retryDelayMs(attempt - 1, random, BACK_OFF))
    }
  }

  function unreachable(reason: string, cause?: unknown): AppError {
    return ociErrors.blob_store_unreachable(
      { endpoint: base.host, reason },
      { retryAfterSeconds: 5, ...(cause === undefined ? {} : { cause }) },
    )
  }

  async function refuse(call: S3Call, response: Response): Promise<never> {
    // A HEAD has no body that would say more.
    const document = call.method === 'HEAD' ? '' : await documentOf(response).catch(() => '')
    throw refusalOf(bucket, { status: response.status, document, headers: response.headers }, unreachable)
  }

  async function documentOf(response: Response): Promise<string> {
    const bytes = await readAll(bodyOf(response), DOCUMENT_MAX_BYTES, () =>
      unreachable('its answer is too large'),
    )
    return bytes.toString('utf8')
  }

  function bodyOf(response: Response): ByteStream {
    return guardedStream(response.body ?? emptyStream(), clock, timeoutMs, () =>
      unreachable('it stopped sending'),
    )
  }

  return {
    prefix: bucket.prefix,
    copySource: (key) => `/${percentEncoded(bucket.bucket)}${pathOf(`/${bucket.prefix}`, key)}`,
    bodyOf,
    async find(call) {
      const response = await send(call)
      if (response.ok) return response
      if (response.status !== 404) return await refuse(call, response)
      const document = call.method === 'HEAD' ? '' : await documentOf(response)
      if (textOf(document, 'Code') === 'NoSuchBucket') throw bucketMissing(bucket)
      return undefined
    },
    async ask(call) {
      const response = await send(call)
      if (!response.ok) return await refuse(call, response)
      const text = await documentOf(response).catch((thrown: unknown) => {
        throw thrown instanceof AppError ? thrown : unreachable(reasonOf(thrown), thrown)
      })
      // A long copy begins its answer with 200 and tells only in the body how it ended.
      if (text.includes('<Error>'))
        throw refusalOf(bucket, { status: 500, document: text, headers: response.headers }, unreachable)
      return { text, headers: response.headers }
    },
  }
}

function baseOf({ endpoint, bucket, addressing }: S3Bucket): URL {
  const url = new URL(endpoint)
  if (addressing === 'host') url.hostname = `${bucket}.${url.hostname}`
  const root = url.pathname.replace(/\/$/u, '')
  url.pathname = addressing === 'host' ? `${root}/` : `${root}/${percentEncoded(bucket)}/`
  return url
}

function pathOf(prefix: string, key: string): string {
  return key === '' ? '' : `${prefix}${key}`.split('/').map(percentEncoded).join('/')
}

/** fetch hides the system's reason in `cause`. */
function reasonOf(thrown: unknown): string {
  const inner = thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown
  return messageOf(errorOf(inner)).slice(0, 200)
}

function bucketMissing({ bucket, endpoint }: S3Bucket): AppError {
  return ociErrors.blob_store_bucket_missing({ bucket, endpoint: new URL(endpoint).host })
}

type Refusal = { readonly status: number; readonly document: string; readonly headers: Headers }

const loginCodes: ReadonlySet<string> = new Set([
  'AccessDenied',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'AllAccessDisabled',
  'AccountProblem',
])

/** What the store refused, by its own code, and what is to be done about it. */
function refusalOf(
  bucket: S3Bucket,
  { status, document, headers }: Refusal,
  unreachable: (reason: string) => AppError,
): AppError {
  const endpoint = new URL(bucket.endpoint).host
  const code = textOf(document, 'Code') ?? ''
  const region = textOf(document, 'Region') ?? headers.get('x-amz-bucket-region') ?? ''
  const isElsewhere = region !== '' && region !== bucket.region
  if (isElsewhere && (status === 301 || status === 307 || status === 400))
    return ociErrors.blob_store_region_wrong({
      bucket: bucket.bucket,
      region: bucket.region,
      right: shown(region),
    })
  if (code === 'RequestTimeTooSkewed') return ociErrors.blob_store_clock_wrong({ endpoint })
  if (code === 'NoSuchBucket') return bucketMissing(bucket)
  if (loginCodes.has(code) || status === 401 || status === 403)
    return ociErrors.blob_store_login_refused({
      endpoint,
      bucket: bucket.bucket,
      said: shown(code || String(status)),
    })
  if (PASSING.has(status)) return unreachable(`it answered ${status}${code === '' ? '' : ` ${shown(code)}`}`)
  const said = [code, textOf(document, 'Message') ?? ''].filter((part) => part !== '').join(': ')
  return ociErrors.blob_store_refused({ endpoint, bucket: bucket.bucket, status, said: shown(said) })
}

function shown(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]+/gu, ' ').slice(0, 200)
}
