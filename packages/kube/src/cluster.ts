/* What is built from the port's functions: whole lists, questions about the cluster itself. */
import { type Clock, isRecord, messageOf } from '@slipway/kit'

import { hasReason, KubeError } from './errors.ts'
import type { CallOptions, Kube, ListOptions, ServerFacts } from './kube.ts'
import { parseReply } from './reply.ts'
import type { Target } from './requests.ts'
import { apiVersionOf, type Live, type ResourceName, resources } from './resources.ts'

const PAGE_LIMIT = 500

/** The object, or undefined when there is none. */
export async function findObject<R extends ResourceName>(
  kube: Pick<Kube, 'get'>,
  resource: R,
  target: Target,
  options?: CallOptions,
): Promise<Live<R> | undefined> {
  try {
    return await kube.get(resource, target, options)
  } catch (error) {
    if (hasReason(error, 'NotFound')) return undefined
    throw error
  }
}

/** Every object, page by page. @throws {KubeError} 410 `Expired` when reading takes longer than the server keeps the snapshot */
export async function* eachObject<R extends ResourceName>(
  kube: Pick<Kube, 'list'>,
  resource: R,
  options: Omit<ListOptions, 'continue'> = {},
): AsyncGenerator<Live<R>> {
  let token: string | undefined
  do {
    const page = await kube.list(resource, { limit: PAGE_LIMIT, ...options, continue: token })
    yield* page.items
    token = page.continue
  } while (token !== undefined)
}

export type ServerVersion = {
  /** Such as `v1.35.4`. */
  readonly gitVersion: string
  readonly major: number
  readonly minor: number
  /** Such as `linux/amd64`. */
  readonly platform: string
}

export async function serverVersion(kube: Pick<Kube, 'text'>, options?: CallOptions): Promise<ServerVersion> {
  const version = await jsonAt(kube, '/version', options)
  // Some vendors write the minor version as "30+".
  const numbers = [version['major'], version['minor']].map((part) => Number.parseInt(String(part), 10))
  const [major = Number.NaN, minor = Number.NaN] = numbers
  if (Number.isNaN(major) || Number.isNaN(minor) || typeof version['gitVersion'] !== 'string')
    throw new KubeError(0, 'InvalidReply', '/version did not answer with a version')
  return {
    gitVersion: version['gitVersion'].slice(0, 100),
    major,
    minor,
    platform: String(version['platform']),
  }
}

export type Readiness =
  | { readonly ready: true; readonly tookMs: number; readonly server: ServerFacts | undefined }
  /** `isRefused`: it answers, and does not accept who we say that we are. */
  | { readonly ready: false; readonly why: string; readonly isRefused: boolean }

/** Asks /readyz once; never throws but for an abort. */
export async function readiness(
  kube: Pick<Kube, 'text'>,
  clock: Clock,
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<Readiness> {
  const startedMs = clock.monotonicMs()
  try {
    const { text, server } = await kube.text('/readyz', options)
    // A proxy's page of excuses often comes with a 200.
    if (text.trim() !== 'ok')
      return { ready: false, why: 'what answers is no Kubernetes API', isRefused: false }
    return { ready: true, tookMs: clock.monotonicMs() - startedMs, server }
  } catch (error) {
    options.signal?.throwIfAborted()
    const isRefused = error instanceof KubeError && error.code === 401
    return { ready: false, why: messageOf(error), isRefused }
  }
}

/** What a cluster offers. */
export type Discovery = {
  /** Whether the API has the resource, in the group and version that this client uses. */
  readonly has: (resource: ResourceName) => boolean
  /** All `group/version` that are served, core as `v1`. */
  readonly groupVersions: ReadonlySet<string>
}

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
const ENTRIES_MAX = 10_000

/**
 * Reads the aggregated discovery, which every Kubernetes from 1.30 serves.
 * @throws {KubeError} `InvalidReply` when the server has none
 */
export async function discover(kube: Pick<Kube, 'text'>, options: CallOptions = {}): Promise<Discovery> {
  const documents = await Promise.all(
    ['/api', '/apis'].map((path) => jsonAt(kube, path, { ...options, accept: AGGREGATED })),
  )
  const served = new Map<string, ReadonlySet<string>>()
  for (const document of documents) {
    if (document['kind'] !== 'APIGroupDiscoveryList')
      throw new KubeError(
        0,
        'InvalidReply',
        'the server has no aggregated discovery; Kubernetes 1.30 is needed',
      )
    for (const group of recordsIn(document['items']))
      for (const version of recordsIn(group['versions']))
        served.set(
          groupVersionOf(group, version),
          new Set(recordsIn(version['resources']).map((one) => String(one['resource']))),
        )
  }
  return {
    has: (resource) => served.get(apiVersionOf(resource))?.has(resources[resource].plural) ?? false,
    groupVersions: new Set(served.keys()),
  }
}

function groupVersionOf(
  group: Readonly<Record<string, unknown>>,
  version: Readonly<Record<string, unknown>>,
): string {
  const name = isRecord(group['metadata']) ? group['metadata']['name'] : undefined
  return typeof name === 'string' && name !== ''
    ? `${name}/${String(version['version'])}`
    : String(version['version'])
}

function recordsIn(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.slice(0, ENTRIES_MAX).filter((one) => isRecord(one)) : []
}

async function jsonAt(
  kube: Pick<Kube, 'text'>,
  path: string,
  options?: CallOptions & { readonly accept?: string },
): Promise<Readonly<Record<string, unknown>>> {
  const { text } = await kube.text(path, { accept: 'application/json', ...options })
  let value: unknown
  try {
    value = parseReply(Buffer.from(text))
  } catch (cause) {
    throw new KubeError(0, 'InvalidReply', `${path} did not answer with JSON`, { cause })
  }
  if (!isRecord(value)) throw new KubeError(0, 'InvalidReply', `${path} did not answer with an object`)
  return value
}

export type Question = {
  readonly verb: string
  readonly resource: ResourceName
  readonly subresource?: string
  readonly namespace?: string
  readonly name?: string
}

/** Whether we (or whom the options impersonate) may do that, by the cluster's own word. */
export async function isAllowed(
  kube: Pick<Kube, 'create'>,
  question: Question,
  options?: CallOptions,
): Promise<boolean> {
  const { group, plural } = resources[question.resource]
  const resourceAttributes = { ...question, group, resource: plural }
  const review = await kube.create('selfsubjectaccessreviews', { spec: { resourceAttributes } }, options)
  return review.status?.allowed === true
}
