/*
 * The words that the parts of the embedded cluster share: objects, the registry they are kept in, and the node agent behind
 * logs, exec and metrics. The API server (`server/`), the controllers (`controllers/`), the kubelet (`kubelet/`) and the
 * gateway (`gateway/`) know each other only through this file.
 */
import type { Duplex, Readable, Writable } from 'node:stream'

import type * as k8s from '@kubernetes/client-node'

/** A type of the Kubernetes API as it travels: dates are RFC 3339 text. */
export type Wire<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? readonly Wire<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: Wire<T[Key]> }
      : T

/** The Gateway API kinds, as far as they are served (client-node has no types for them). */
export type ParentReference = {
  readonly group?: string
  readonly kind?: string
  readonly namespace?: string
  readonly name: string
  readonly sectionName?: string
  readonly port?: number
}
export type BackendReference = {
  readonly group?: string
  readonly kind?: string
  readonly namespace?: string
  readonly name: string
  readonly port?: number
  readonly weight?: number
}
export type HttpHeaderMatch = {
  readonly type?: 'Exact' | 'RegularExpression'
  readonly name: string
  readonly value: string
}
export type HttpRouteMatch = {
  readonly path?: { readonly type?: 'Exact' | 'PathPrefix' | 'RegularExpression'; readonly value?: string }
  readonly headers?: readonly HttpHeaderMatch[]
  readonly queryParams?: readonly HttpHeaderMatch[]
  readonly method?: string
}
type HttpHeaderModifier = {
  readonly set?: readonly { readonly name: string; readonly value: string }[]
  readonly add?: readonly { readonly name: string; readonly value: string }[]
  readonly remove?: readonly string[]
}
export type HttpPathModifier = {
  readonly type: 'ReplaceFullPath' | 'ReplacePrefixMatch'
  readonly replaceFullPath?: string
  readonly replacePrefixMatch?: string
}
export type HttpRouteFilter = {
  readonly type: string
  readonly requestHeaderModifier?: HttpHeaderModifier
  readonly responseHeaderModifier?: HttpHeaderModifier
  readonly requestRedirect?: {
    readonly scheme?: string
    readonly hostname?: string
    readonly port?: number
    readonly path?: HttpPathModifier
    readonly statusCode?: number
  }
  readonly urlRewrite?: { readonly hostname?: string; readonly path?: HttpPathModifier }
}
export type HttpRouteRule = {
  readonly name?: string
  readonly matches?: readonly HttpRouteMatch[]
  readonly filters?: readonly HttpRouteFilter[]
  readonly backendRefs?: readonly (BackendReference & { readonly filters?: readonly HttpRouteFilter[] })[]
  readonly timeouts?: { readonly request?: string; readonly backendRequest?: string }
}
type Meta = {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata?: Wire<k8s.V1ObjectMeta>
}
type Conditions = { readonly conditions?: readonly Wire<k8s.V1Condition>[] }
export type GatewayClass = Meta & {
  readonly spec?: { readonly controllerName: string; readonly description?: string }
  readonly status?: Conditions
}
export type Gateway = Meta & {
  readonly spec?: {
    readonly gatewayClassName: string
    readonly listeners: readonly {
      readonly name: string
      readonly port: number
      readonly protocol: string
      readonly hostname?: string
      readonly allowedRoutes?: {
        readonly namespaces?: {
          readonly from?: 'All' | 'Same' | 'Selector' | 'None'
          readonly selector?: Wire<k8s.V1LabelSelector>
        }
      }
    }[]
  }
  readonly status?: Conditions & {
    readonly addresses?: readonly { readonly type: string; readonly value: string }[]
    readonly listeners?: readonly (Conditions & {
      readonly name: string
      readonly attachedRoutes: number
      readonly supportedKinds?: readonly { readonly group?: string; readonly kind: string }[]
    })[]
  }
}
export type HttpRoute = Meta & {
  readonly spec?: {
    readonly parentRefs?: readonly ParentReference[]
    readonly hostnames?: readonly string[]
    readonly rules?: readonly HttpRouteRule[]
  }
  readonly status?: {
    readonly parents: readonly (Conditions & {
      readonly parentRef: ParentReference
      readonly controllerName: string
    })[]
  }
}

/** Every kept resource by its plural name, which is unique among them. Core and events.k8s.io events are the same objects. */
export type Objects = {
  readonly namespaces: Wire<k8s.V1Namespace>
  readonly nodes: Wire<k8s.V1Node>
  readonly pods: Wire<k8s.V1Pod>
  readonly services: Wire<k8s.V1Service>
  readonly endpointslices: Wire<k8s.V1EndpointSlice>
  readonly configmaps: Wire<k8s.V1ConfigMap>
  readonly secrets: Wire<k8s.V1Secret>
  readonly serviceaccounts: Wire<k8s.V1ServiceAccount>
  readonly events: Wire<k8s.CoreV1Event>
  readonly deployments: Wire<k8s.V1Deployment>
  readonly replicasets: Wire<k8s.V1ReplicaSet>
  readonly jobs: Wire<k8s.V1Job>
  readonly leases: Wire<k8s.V1Lease>
  readonly resourcequotas: Wire<k8s.V1ResourceQuota>
  readonly gatewayclasses: GatewayClass
  readonly gateways: Gateway
  readonly httproutes: HttpRoute
}
export type Resource = keyof Objects

/** Metadata as every kept object has it. */
export type StoredMeta = Wire<k8s.V1ObjectMeta> & {
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
  readonly creationTimestamp: string
}
/** A kept object: frozen and shared, never changed in place. */
export type Stored<R extends Resource> = Omit<Objects[R], 'metadata'> & {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: StoredMeta
}
/** An object of any resource, for generic code. */
export type AnyObject = {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: StoredMeta
  readonly [field: string]: unknown
}

/** One committed change. `old` is what was there before; DELETED carries the last state with a newer resourceVersion. */
export type Change = {
  readonly [R in Resource]: {
    readonly resource: R
    readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
    readonly object: Stored<R>
    readonly old: Stored<R> | undefined
  }
}[Resource]

export type DeleteOptions = {
  readonly gracePeriodSeconds?: number
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
}

/**
 * What controllers, scheduler and kubelet use in process. Reads see every committed write at once; writes run through the
 * same admission, defaulting and validation as HTTP and resolve when they are durable.
 * Every write rejects with a `StatusError` (`errors.ts`): NotFound 404, AlreadyExists and Conflict 409, Invalid 422, Forbidden 403.
 */
export type Registry = {
  readonly get: <R extends Resource>(
    resource: R,
    namespace: string | undefined,
    name: string,
  ) => Stored<R> | undefined
  /** All objects of the resource, or those of one namespace; no copy of the objects. */
  readonly list: <R extends Resource>(resource: R, namespace?: string) => readonly Stored<R>[]
  readonly create: <R extends Resource>(
    resource: R,
    object: Objects[R],
    manager: string,
  ) => Promise<Stored<R>>
  /**
   * Replaces all but status. With metadata.resourceVersion set, a stale one is a Conflict. A write that changes nothing is none.
   * Taking away the last finalizer of a deleted object removes it; a namespace is let go by emptying its spec.finalizers.
   */
  readonly update: <R extends Resource>(
    resource: R,
    object: Objects[R],
    manager: string,
  ) => Promise<Stored<R>>
  /** Replaces status only (and, for pods, annotations under `slipway/`). */
  readonly updateStatus: <R extends Resource>(
    resource: R,
    object: Objects[R],
    manager: string,
  ) => Promise<Stored<R>>
  readonly remove: (
    resource: Resource,
    namespace: string | undefined,
    name: string,
    options?: DeleteOptions,
  ) => Promise<void>
  /** Assigns a pod to a node, as pods/binding does; Conflict when it already has one. */
  readonly bind: (namespace: string, pod: string, node: string) => Promise<void>
  /** Calls `listener` synchronously after each commit, in commit order. Dispose to stop. A throwing listener is a bug. */
  readonly observe: (listener: (change: Change) => void) => Disposable
}

export type ContainerReference = {
  readonly namespace: string
  readonly pod: string
  readonly container: string
}

export type LogOptions = {
  readonly follow?: boolean
  readonly previous?: boolean
  readonly timestamps?: boolean
  readonly tailLines?: number
  readonly limitBytes?: number
  readonly sinceSeconds?: number
  readonly sinceTime?: Date
}

export type TerminalSize = { readonly columns: number; readonly rows: number }

/** The streams of one exec or attach. The agent ends `stdout` and `stderr` when all output is written. */
export type ExecStreams = {
  readonly terminal: boolean
  readonly stdin: Readable | undefined
  readonly stdout: Writable
  readonly stderr: Writable | undefined
  /** Subscribes to terminal sizes; the last known one is delivered at once. */
  readonly onResize: (listener: (size: TerminalSize) => void) => void
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal
}

export type Usage = { readonly cpuCores: number; readonly memoryBytes: number }

/** What the API server asks of the node behind logs, exec, attach, port-forward and metrics.k8s.io. Rejects with `StatusError`. */
export type NodeAgent = {
  readonly nodeName: string
  /** The bytes of a container's log; ends when the container does, unless `follow`. Destroying the stream frees everything. */
  readonly logs: (container: ContainerReference, options: LogOptions) => Promise<Readable>
  readonly exec: (
    container: ContainerReference,
    command: readonly string[],
    streams: ExecStreams,
  ) => Promise<{ readonly exitCode: number }>
  readonly attach: (
    container: ContainerReference,
    streams: ExecStreams,
  ) => Promise<{ readonly exitCode: number }>
  /** A connection to a port of the pod, for port-forward. */
  readonly connect: (namespace: string, pod: string, port: number) => Promise<Duplex>
  readonly nodeUsage: () => Promise<Usage & { readonly at: Date }>
  /** Use per container, of the pods that run on this node now. */
  readonly podUsage: () => Promise<
    readonly {
      readonly namespace: string
      readonly pod: string
      readonly at: Date
      readonly containers: readonly (Usage & { readonly name: string })[]
    }[]
  >
}

/** A structured line about what the embedded cluster does; the launcher decides where it goes. */
export type Log = (
  level: 'debug' | 'info' | 'warn' | 'error',
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void
