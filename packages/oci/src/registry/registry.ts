import { isDigest } from '../format/digest.ts'
import { isRepositoryName } from '../format/names.ts'
import { challenge, identify, issueToken } from './access.ts'
import { deleteBlob, readBlob } from './blobs.ts'
import { REGISTRY_LIMITS, type Exchange, type RegistryOptions } from './context.ts'
import { errorResponse, RegistryError, registryErrorOf } from './errors.ts'
import { listCatalog, listTags } from './lists.ts'
import { deleteManifest, listReferrers, readManifest, writeManifest } from './manifests.ts'
import { cancelUpload, finishUpload, patchUpload, readUpload, startUpload } from './uploads.ts'

/*
 * The registry protocol: OCI distribution specification 1.1.1 with what its main branch adds (tags on a push by digest, the
 * algorithm of an upload, cancelling an upload), plus the token login and the catalog that clients expect.
 *
 * The table of operations is the whole interface. A path is split from its end, because a repository's name may itself
 * contain `blobs` or `manifests`; every part is checked against its grammar before anything else happens.
 */
type Handler = (exchange: Exchange, repository: string, last: string) => Promise<Response>
type Operation = {
  readonly pattern: RegExp
  readonly methods: Readonly<Record<string, Handler>>
}

function blobPlace(repository: string, last: string) {
  if (!isDigest(last))
    throw new RegistryError('DIGEST_INVALID', 'the digest is not sha256 or sha512 with as many hex digits')
  return { repository, digest: last }
}

function uploadPlace(repository: string, last: string) {
  if (!/^[a-z0-9_]{8,64}$/.test(last))
    throw new RegistryError('BLOB_UPLOAD_UNKNOWN', 'there is no such upload')
  return { repository, id: last }
}

const readsBlob: Handler = (exchange, name, last) => readBlob(exchange, blobPlace(name, last))
const readsManifest: Handler = (exchange, repository, reference) =>
  readManifest(exchange, { repository, reference })

const OPERATIONS: readonly Operation[] = [
  {
    pattern: /^\/v2\/(.+)\/blobs\/uploads\/?$/,
    methods: { POST: (exchange, name) => startUpload(exchange, name) },
  },
  {
    pattern: /^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/,
    methods: {
      GET: (exchange, name, last) => readUpload(exchange, uploadPlace(name, last)),
      PATCH: (exchange, name, last) => patchUpload(exchange, uploadPlace(name, last)),
      PUT: (exchange, name, last) => finishUpload(exchange, uploadPlace(name, last)),
      DELETE: (exchange, name, last) => cancelUpload(exchange, uploadPlace(name, last)),
    },
  },
  {
    pattern: /^\/v2\/(.+)\/blobs\/([^/]+)$/,
    methods: {
      GET: readsBlob,
      HEAD: readsBlob,
      DELETE: (exchange, name, last) => deleteBlob(exchange, blobPlace(name, last)),
    },
  },
  {
    pattern: /^\/v2\/(.+)\/manifests\/([^/]+)$/,
    methods: {
      GET: readsManifest,
      HEAD: readsManifest,
      PUT: (exchange, repository, reference) => writeManifest(exchange, { repository, reference }),
      DELETE: (exchange, repository, reference) => deleteManifest(exchange, { repository, reference }),
    },
  },
  {
    pattern: /^\/v2\/(.+)\/tags\/list$/,
    methods: { GET: (exchange, name) => listTags(exchange, name) },
  },
  {
    pattern: /^\/v2\/(.+)\/referrers\/([^/]+)$/,
    methods: { GET: (exchange, repository, reference) => listReferrers(exchange, { repository, reference }) },
  },
]

/** On everything that leaves here: nothing of it is ever run or rendered by a browser. */
const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'docker-distribution-api-version': 'registry/2.0',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
}

/**
 * The registry as a function from request to response; it never throws. Serves everything below `/v2/`.
 * Cookies are never read. Bodies stream both ways, so the server around it must not buffer them.
 */
export function createRegistry(options: RegistryOptions): (request: Request) => Promise<Response> {
  return async (request) => {
    let response: Response
    try {
      response = await answer(options, request)
    } catch (thrown) {
      response = errorResponse(refusalFor(options, thrown, request))
    }
    for (const [name, value] of Object.entries(SAFE_HEADERS)) response.headers.set(name, value)
    return request.method === 'HEAD' && response.body !== null ? withoutBody(response) : response
  }
}

function refusalFor(options: RegistryOptions, thrown: unknown, request: Request): RegistryError {
  const refusal = registryErrorOf(thrown)
  if (refusal) return refusal
  options.onFailure?.(thrown, request)
  // The specification has no code for "our fault"; this one at least makes clients stop.
  return new RegistryError('UNSUPPORTED', 'the registry failed; its log says why', { status: 500 })
}

/** HEAD tells what GET would, without its body. */
function withoutBody(response: Response): Response {
  return new Response(null, { status: response.status, headers: response.headers })
}

async function answer(options: RegistryOptions, request: Request): Promise<Response> {
  const url = new URL(request.url)
  const path = decodedPath(url)
  const caller = await identify(options, request, url)
  const exchange: Exchange = {
    options,
    limits: { ...REGISTRY_LIMITS, ...options.limits },
    request,
    url,
    caller,
  }
  if (path === '/v2' || path === '/v2/') return ping(exchange)
  if (path === '/v2/token') return await issueToken(exchange)
  if (path === '/v2/_catalog' && request.method === 'GET') return await listCatalog(exchange)
  const response = await operate(exchange, path)
  const upstream = url.searchParams.get('ns')
  if (upstream !== null && /^[A-Za-z0-9.:[\]-]{1,255}$/.test(upstream))
    response.headers.set('oci-namespace', upstream)
  return response
}

/** `%3A` in a digest is what some clients write; a slash or anything else in disguise is refused by the grammar. */
function decodedPath(url: URL): string {
  if (url.pathname.length > 1_024) throw new RegistryError('NAME_INVALID', 'the path is too long')
  if (/%2f|%5c|%00/i.test(url.pathname))
    throw new RegistryError('NAME_INVALID', 'a part of the path has a slash or NUL inside')
  try {
    return decodeURIComponent(url.pathname)
  } catch (cause) {
    throw new RegistryError('NAME_INVALID', 'the path is not UTF-8', { cause })
  }
}

function ping(exchange: Exchange): Response {
  // Asking everybody to log in here is how clients find out where and how.
  if (!exchange.caller.isPresent) throw challenge(exchange.options, exchange.url, {})
  return Response.json({})
}

async function operate(exchange: Exchange, path: string): Promise<Response> {
  for (const { pattern, methods } of OPERATIONS) {
    const match = pattern.exec(path)
    if (!match) continue
    const handler = methods[exchange.request.method]
    if (!handler) throw notAllowed(Object.keys(methods))
    if (
      exchange.request.method === 'DELETE' &&
      exchange.options.deletes === false &&
      !path.includes('/uploads/')
    )
      throw notAllowed(Object.keys(methods).filter((method) => method !== 'DELETE'))
    const repository = match[1] ?? ''
    if (!isRepositoryName(repository))
      throw new RegistryError(
        'NAME_INVALID',
        'the repository name has characters or a length that names do not have',
      )
    return await handler(exchange, repository, match[2] ?? '')
  }
  throw new RegistryError('UNSUPPORTED', 'there is nothing at this address', { status: 404 })
}

function notAllowed(methods: readonly string[]): RegistryError {
  return new RegistryError('UNSUPPORTED', 'the method is not allowed here', {
    status: 405,
    headers: { allow: methods.join(', ') },
  })
}
