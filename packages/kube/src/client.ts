import type { Duplex } from 'node:stream'

import { isRecord, type Clock } from '@slipway/kit'

import { KubeError } from './errors.ts'
import { openExec } from './exec.ts'
import type {
  ApplyOptions,
  CallOptions,
  Kube,
  ListOptions,
  LogOptions,
  RemoveOptions,
  Selection,
  WatchOptions,
  WriteOptions,
} from './kube.ts'
import type { ClusterAccess, Credentials } from './kubeconfig.ts'
import { liveObject, pageOfObjects, withType } from './objects.ts'
import { type ApiRequest, pathOf, type Query, type Target } from './requests.ts'
import type { Live, Objects, ResourceName } from './resources.ts'
import { type AddressGuard, httpsTransport, type Transport } from './transport.ts'
import { watchEvents } from './watch-stream.ts'

export type KubeClientOptions = {
  readonly access: ClusterAccess
  readonly clock: Clock
  /** Sent as User-Agent, for the audit log of the server. */
  readonly userAgent: string
  /** Decides about every address that is dialled. */
  readonly guard?: AddressGuard
  /** Asked once when the server answers 401, for credentials that expire. */
  readonly renewCredentials?: () => Promise<Credentials>
  /**
   * Gives a stream to the server, on which plain HTTP is spoken, instead of a TLS connection to the address of `access`: a tunnel
   * that leads to it. What it throws is what the caller of a request gets.
   */
  readonly dial?: () => Duplex
}

/** A client for one cluster. Disposing closes its connections, running watches included. */
export function kubeClient(options: KubeClientOptions): Kube & Disposable {
  const transport = httpsTransport(options)
  return {
    ...readers(transport),
    ...writers(transport),
    ...removers(transport),
    ...streams(transport, options.clock),
    [Symbol.dispose]: () => transport[Symbol.dispose](),
  }
}

function readers(transport: Transport): Pick<Kube, 'get' | 'list' | 'text'> {
  return {
    async get(resource, target, options) {
      const path = pathOf(resource, named(target))
      return liveObject(resource, await transport.sendJson({ method: 'GET', path, ...call(options) }))
    },
    async list(resource, options = {}) {
      const path = pathOf(resource, { namespace: options.namespace })
      const query = { ...selection(options), limit: options.limit, continue: options.continue }
      return pageOfObjects(
        resource,
        await transport.sendJson({ method: 'GET', path, query, ...call(options) }),
      )
    },
    async text(path, options) {
      const { bytes, contentType, server } = await transport.send({
        method: 'GET',
        path,
        accept: options?.accept ?? '*/*',
        ...call(options),
      })
      return { text: bytes.toString('utf8'), contentType, server }
    },
  }
}

function writers(
  transport: Transport,
): Pick<Kube, 'create' | 'replace' | 'apply' | 'patch' | 'scale' | 'evict' | 'requestToken'> {
  async function write<R extends ResourceName>(
    resource: R,
    request: Pick<ApiRequest, 'method' | 'path' | 'contentType' | 'body'>,
    options: WriteOptions & { readonly force?: boolean } = {},
  ): Promise<Live<R>> {
    const query = { ...writeQuery(options), force: options.force }
    return liveObject(resource, await transport.sendJson({ ...request, query, ...call(options) }))
  }

  return {
    create(resource, object, options) {
      const path = pathOf(resource, { namespace: object.metadata?.namespace })
      return write(resource, { method: 'POST', path, body: withType(resource, object) }, options)
    },
    replace(resource, object, options) {
      const path = pathOf(resource, ownTarget(object), options?.subresource)
      return write(resource, { method: 'PUT', path, body: withType(resource, object) }, options)
    },
    apply(resource, object, options: ApplyOptions) {
      const path = pathOf(resource, ownTarget(object), options.subresource)
      const body = withType(resource, object)
      // JSON is YAML; the server wants this content type for both.
      return write(
        resource,
        { method: 'PATCH', path, contentType: 'application/apply-patch+yaml', body },
        options,
      )
    },
    patch(resource, target, patch, options) {
      const path = pathOf(resource, named(target), options?.subresource)
      const contentType =
        patch.type === 'merge' ? 'application/merge-patch+json' : 'application/json-patch+json'
      return write(resource, { method: 'PATCH', path, contentType, body: patch.body }, options)
    },
    async scale(resource, target, replicas, options = {}) {
      const { resourceVersion } = options
      const body = {
        spec: { replicas },
        ...(resourceVersion !== undefined && { metadata: { resourceVersion } }),
      }
      const answer = await transport.sendJson({
        method: 'PATCH',
        path: pathOf(resource, named(target), 'scale'),
        query: writeQuery(options),
        contentType: 'application/merge-patch+json',
        body,
        ...call(options),
      })
      return scaleOf(answer)
    },
    async evict(target, options = {}) {
      const path = pathOf('pods', named(target), 'eviction')
      const body = {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name: target.name, namespace: target.namespace },
        deleteOptions: deleteOptions(options),
      }
      await transport.sendJson({ method: 'POST', path, body, ...call(options) })
    },
    async requestToken(serviceAccount, { lifeSeconds, bound }, options) {
      const path = pathOf('serviceaccounts', named(serviceAccount), 'token')
      const body = {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {
          expirationSeconds: lifeSeconds,
          ...(bound && { boundObjectRef: { apiVersion: 'v1', kind: 'Secret', ...bound } }),
        },
      }
      return tokenOf(await transport.sendJson({ method: 'POST', path, body, ...call(options) }))
    },
  }
}

function tokenOf(answer: unknown): { readonly token: string; readonly expiresAt: Date } {
  const status = isRecord(answer) && isRecord(answer['status']) ? answer['status'] : {}
  const { token, expirationTimestamp } = status
  const expiresAt = new Date(typeof expirationTimestamp === 'string' ? expirationTimestamp : Number.NaN)
  if (typeof token !== 'string' || token === '' || Number.isNaN(expiresAt.getTime()))
    throw new KubeError(0, 'InvalidReply', 'the server did not answer with a token')
  return { token, expiresAt }
}

function removers(transport: Transport): Pick<Kube, 'remove' | 'removeAll'> {
  return {
    async remove(resource, target, options = {}) {
      const path = pathOf(resource, named(target))
      const body = deleteOptions(options)
      const answer = await transport.sendJson({ method: 'DELETE', path, body, ...call(options) })
      return isRecord(answer) && answer['kind'] === 'Status' ? undefined : liveObject(resource, answer)
    },
    async removeAll(resource, selected, options = {}) {
      const path = pathOf(resource, { namespace: selected.namespace })
      const query = selection(selected)
      const body = deleteOptions(options)
      await transport.sendJson({ method: 'DELETE', path, query, body, ...call(options) })
    },
  }
}

function streams(transport: Transport, clock: Clock): Pick<Kube, 'watch' | 'logs' | 'exec'> {
  return {
    async watch(resource, options: WatchOptions) {
      const path = pathOf(resource, { namespace: options.namespace })
      const query = {
        ...selection(options),
        watch: true,
        allowWatchBookmarks: true,
        resourceVersion: options.resourceVersion,
        timeoutSeconds: options.timeoutSeconds,
      }
      return watchEvents(resource, await transport.open({ method: 'GET', path, query, ...call(options) }))
    },
    logs(target, options = {}) {
      const path = pathOf('pods', named(target), 'log')
      return transport.open({
        method: 'GET',
        path,
        query: logQuery(options),
        accept: '*/*',
        ...call(options),
      })
    },
    exec: (target, options) =>
      openExec({ transport, clock, path: pathOf('pods', named(target), 'exec') }, options),
  }
}

/** Without a name the same path is the whole collection, which nobody means here. */
function named(target: Target): Target {
  if (target.name === undefined)
    throw new KubeError(0, 'InvalidRequest', 'an object was addressed without its name')
  return target
}

function ownTarget(object: Objects[ResourceName]): Target {
  const { name, namespace } = object.metadata ?? {}
  if (name === undefined) throw new KubeError(0, 'InvalidRequest', 'the object has no name')
  return { name, namespace }
}

function call(options: CallOptions = {}): Pick<ApiRequest, 'signal' | 'timeoutMs' | 'impersonate'> {
  return { signal: options.signal, timeoutMs: options.timeoutMs, impersonate: options.impersonate }
}

function selection(selected: Selection | ListOptions): Query {
  return { labelSelector: selected.labelSelector, fieldSelector: selected.fieldSelector }
}

function writeQuery(options: WriteOptions): Query {
  return {
    dryRun: options.dryRun === true ? 'All' : undefined,
    fieldManager: options.manager,
    fieldValidation: options.fieldValidation,
  }
}

function logQuery(options: LogOptions): Query {
  return {
    container: options.container,
    follow: options.follow,
    previous: options.previous,
    timestamps: options.timestamps,
    tailLines: options.tailLines,
    limitBytes: options.limitBytes,
    sinceSeconds: options.sinceSeconds,
    sinceTime: options.sinceTime?.toISOString(),
  }
}

/** In the body, not the query: preconditions have no other place. */
function deleteOptions(options: RemoveOptions): object {
  return {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    ...(options.dryRun === true && { dryRun: ['All'] }),
    ...(options.propagationPolicy && { propagationPolicy: options.propagationPolicy }),
    ...(options.gracePeriodSeconds !== undefined && { gracePeriodSeconds: options.gracePeriodSeconds }),
    ...(options.preconditions && { preconditions: options.preconditions }),
  }
}

function scaleOf(answer: unknown): { readonly replicas: number; readonly resourceVersion: string } {
  const { spec, metadata } = isRecord(answer) ? answer : {}
  // A scale of 0 is sent as an absent field.
  const replicas = isRecord(spec) ? (spec['replicas'] ?? 0) : undefined
  const resourceVersion = isRecord(metadata) ? metadata['resourceVersion'] : undefined
  if (typeof replicas !== 'number' || typeof resourceVersion !== 'string')
    throw new KubeError(0, 'InvalidReply', 'the server did not answer with a Scale')
  return { replicas, resourceVersion }
}
