import { definitions, type ResourceDefinition, type Verb } from '../registry/resources.ts'

/** A request for a resource, read from its path. `subresource` is '' for the object itself. */
export type ApiRequest = {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly namespace: string | undefined
  readonly name: string | undefined
  readonly subresource: string
}

const SEGMENTS_MAX = 9

/** What a path is about: a resource, or a page of the server itself (its segments). Undefined for what cannot be decoded. */
export function parsePath(
  pathname: string,
): { readonly api: ApiRequest } | { readonly page: readonly string[] } | undefined {
  let segments: string[]
  try {
    segments = pathname
      .split('/')
      .filter((segment) => segment !== '')
      .map(decodeURIComponent)
  } catch {
    // A broken escape is a path that nothing is served under.
    return undefined
  }
  if (segments.length > SEGMENTS_MAX || segments.some((segment) => segment.includes('/'))) return undefined
  const [root, ...rest] = segments
  if (root === 'api' && rest.length > 1) return { api: resourceOf('', rest[0] ?? '', rest.slice(1)) }
  if (root === 'apis' && rest.length > 2)
    return { api: resourceOf(rest[0] ?? '', rest[1] ?? '', rest.slice(2)) }
  return { page: segments }
}

function resourceOf(group: string, version: string, path: readonly string[]): ApiRequest {
  const inNamespace = path[0] === 'namespaces' && path.length > 2 && !isNamespacePart(path)
  const [plural = '', name, ...more] = inNamespace ? path.slice(2) : path
  return {
    group,
    version,
    plural,
    namespace: inNamespace ? path[1] : undefined,
    name,
    subresource: more.join('/'),
  }
}

/** `namespaces/<name>/status` and `…/finalize` are parts of the namespace, not resources in it. */
function isNamespacePart(path: readonly string[]): boolean {
  return path.length === 3 && (path[2] === 'status' || path[2] === 'finalize')
}

const byPlace = new Map(definitions.map((definition) => [placeOf(definition), definition]))

function placeOf({ group, version, plural }: { group: string; version: string; plural: string }): string {
  return `${group}/${version}/${plural}`
}

export function findDefinition(request: ApiRequest): ResourceDefinition | undefined {
  return byPlace.get(placeOf(request))
}

/** The API verb of a method; undefined when nothing answers it. */
export function verbOf(method: string, request: ApiRequest, isWatch: boolean): Verb | undefined {
  const single = request.name !== undefined
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (isWatch && (!single || request.subresource === '')) return 'watch'
      return single ? 'get' : 'list'
    case 'POST':
      return single && request.subresource === '' ? undefined : 'create'
    case 'PUT':
      return single ? 'update' : undefined
    case 'PATCH':
      return single ? 'patch' : undefined
    case 'DELETE':
      return single ? 'delete' : 'deletecollection'
    default:
      return undefined
  }
}
