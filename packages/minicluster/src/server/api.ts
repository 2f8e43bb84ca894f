import { StatusError, statusErrors } from '../errors.ts'
import type { NodeAgent } from '../model.ts'
import type { Target } from '../registry/incoming.ts'
import { objectOf, textOf, type JsonObject } from '../schema/json.ts'
import { authorize } from './access.ts'
import { decodeObject, mediaTypeOf, readBody } from './body.ts'
import { served } from './discovery.ts'
import { isTrue, sendJson, type Exchange } from './exchange.ts'
import type { ServerKeys } from './keys.ts'
import {
  handleObjects,
  methodNotAllowed,
  readDeleteOptions,
  writeOptionsOf,
  type ObjectContext,
} from './objects.ts'
import { sendLog, type PodContext } from './pod-streams.ts'
import { answerReview } from './reviews.ts'
import { findDefinition, verbOf, type ApiRequest } from './route.ts'
import { issueToken } from './tokens.ts'
import { answerUsage } from './usage.ts'

export type ApiContext = ObjectContext &
  PodContext & {
    readonly keys: ServerKeys
    readonly agents: () => readonly NodeAgent[]
  }

/** Answers a request for a resource: found in discovery, allowed, then handed to whoever serves it. */
export async function dispatch(context: ApiContext, exchange: Exchange, api: ApiRequest): Promise<void> {
  const { request, query } = exchange
  const resource = served.find(
    ({ group, version, plural }) => group === api.group && version === api.version && plural === api.plural,
  )
  const subresource = resource?.subresources.find(({ name }) => name === api.subresource)
  if (!resource || (api.subresource !== '' && !subresource)) throw notServed()
  const isWatch = isTrue(query.get('watch'))
  const verb = verbOf(request.method ?? '', api, isWatch)
  authorize(exchange.user, api, {
    verb: verb ?? '',
    group: api.group,
    resource: api.plural,
    subresource: api.subresource,
    namespace: api.namespace ?? (api.plural === 'namespaces' ? (api.name ?? '') : ''),
    name: api.name ?? '',
  })
  const verbs = subresource ? subresource.verbs : resource.verbs
  const definition = findDefinition(api)
  if (verb === undefined || !verbs.includes(verb)) throw methodNotAllowed(definition)
  if (!resource.namespaced && api.namespace !== undefined) throw notServed()
  const everywhere = resource.namespaced && api.namespace === undefined
  if (everywhere && verb !== 'list' && verb !== 'watch') throw methodNotAllowed(definition)
  if (api.group === 'metrics.k8s.io')
    return sendJson(exchange.response, 200, await answerUsage(api, query, context))
  if (!definition) return sendReview(exchange, api)
  const own = subresource && OWN[`${api.plural}/${subresource.name}`]
  if (own) return own(context, exchange, { definition, namespace: api.namespace, name: api.name ?? '' }, api)
  await handleObjects(context, exchange, verb, { definition, api })
}

function notServed(): StatusError {
  return new StatusError(404, 'NotFound', 'the server could not find the requested resource', {})
}

async function sendReview(exchange: Exchange, api: ApiRequest): Promise<void> {
  const body = decodeObject(await readBody(exchange.request), mediaTypeOf(exchange.request))
  const answer = answerReview(api.plural, body, exchange.user)
  if (!answer) throw notServed()
  sendJson(exchange.response, 201, answer)
}

type Handler = (context: ApiContext, exchange: Exchange, target: Target, api: ApiRequest) => Promise<void>

/** Subresources that are more than a part of the object. */
const OWN: Readonly<Record<string, Handler | undefined>> = {
  'pods/log': (context, exchange, _target, api) => sendLog(context, exchange, api),
  'pods/exec': upgradeRequired,
  'pods/attach': upgradeRequired,
  'pods/portforward': upgradeRequired,
  'pods/binding': bindPod,
  'pods/eviction': evictPod,
  'serviceaccounts/token': createToken,
}

function upgradeRequired(): Promise<void> {
  return Promise.reject(statusErrors.badRequest('Upgrade request required'))
}

async function bindPod(context: ApiContext, exchange: Exchange, target: Target): Promise<void> {
  const body = await bodyFor(exchange, target, 'Binding')
  await context.writes.bind(target, body, writeOptionsOf(exchange, 'binding'))
  sendJson(exchange.response, 201, success(201))
}

async function evictPod(context: ApiContext, exchange: Exchange, target: Target): Promise<void> {
  const body = await bodyFor(exchange, target, 'Eviction')
  const { deletion, dryRun } = readDeleteOptions(objectOf(body['deleteOptions']), exchange.query)
  await context.writes.remove(target, deletion, { dryRun })
  sendJson(exchange.response, 201, success(201))
}

async function createToken(context: ApiContext, exchange: Exchange, target: Target): Promise<void> {
  const body = await bodyFor(exchange, target, 'TokenRequest')
  const issued = issueToken(body, target, { keys: context.keys, view: context.store, now: context.now() })
  sendJson(exchange.response, 201, issued)
}

/** The body of a POST to a subresource, whose kind is not that of the resource. */
async function bodyFor(
  { request }: Exchange,
  { name, namespace }: Target,
  kind: string,
): Promise<JsonObject> {
  const body = decodeObject(await readBody(request), mediaTypeOf(request))
  const stated = textOf(body['kind'])
  if (stated !== '' && stated !== kind)
    throw statusErrors.badRequest(`expected a ${kind}, got ${stated.slice(0, 64)}`)
  const metadata = objectOf(body['metadata'])
  const otherName = textOf(metadata['name']) !== '' && metadata['name'] !== name
  const otherPlace = textOf(metadata['namespace']) !== '' && metadata['namespace'] !== namespace
  if (otherName || otherPlace) throw statusErrors.badRequest('name in URL does not match name in the object')
  return body
}

function success(code: number): JsonObject {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code }
}
