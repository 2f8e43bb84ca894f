/*
 * The port through which everything else talks to a cluster. It is narrow on purpose: a test stands a fault-injecting wrapper
 * in front of it (`testing.ts`); whatever can be built from these functions is built from them (`reflector.ts`, `cluster.ts`).
 */
import type { Readable, Writable } from 'node:stream'

import type { Impersonation, Target } from './requests.ts'
import type { Live, Objects, ResourceName } from './resources.ts'

export type CallOptions = {
  readonly signal?: AbortSignal | undefined
  /** Until the whole answer is there, or for streams its beginning; 30 s unless told. */
  readonly timeoutMs?: number | undefined
  readonly impersonate?: Impersonation | undefined
}

export type WriteOptions = CallOptions & {
  /** Everything but the storing: defaults, admission, validation. */
  readonly dryRun?: boolean
  /** Field manager that this write is recorded under. */
  readonly manager?: string
  /** What to do about unknown fields; the server's default is to warn. */
  readonly fieldValidation?: 'Strict' | 'Warn' | 'Ignore'
  readonly subresource?: 'status'
}

export type ApplyOptions = Omit<WriteOptions, 'manager'> & {
  readonly manager: string
  /** Takes over fields that other managers own; else such a field is a 409 with cause FieldManagerConflict. */
  readonly force?: boolean
}

export type Selection = {
  /** All namespaces when left out. */
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
}

export type ListOptions = CallOptions &
  Selection & {
    /** Objects per page. */
    readonly limit?: number | undefined
    readonly continue?: string | undefined
  }

export type ObjectPage<R extends ResourceName> = {
  readonly items: readonly Live<R>[]
  readonly resourceVersion: string
  readonly continue?: string
  readonly remainingItemCount?: number
}

export type WatchOptions = CallOptions &
  Selection & {
    readonly resourceVersion?: string | undefined
    /** When the server is to end the stream. */
    readonly timeoutSeconds?: number | undefined
  }

export type WatchEvent<R extends ResourceName> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: Live<R> }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string }

export type Patch =
  | { readonly type: 'merge'; readonly body: Readonly<Record<string, unknown>> }
  | {
      readonly type: 'json'
      readonly body: readonly {
        readonly op: string
        readonly path: string
        readonly [more: string]: unknown
      }[]
    }

export type RemoveOptions = CallOptions & {
  readonly dryRun?: boolean
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
  readonly gracePeriodSeconds?: number
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
}

export type LogOptions = CallOptions & {
  readonly container?: string
  readonly follow?: boolean
  readonly previous?: boolean
  readonly timestamps?: boolean
  readonly tailLines?: number
  readonly limitBytes?: number
  readonly sinceSeconds?: number
  readonly sinceTime?: Date
}

export type ExecOptions = CallOptions & {
  readonly command: readonly string[]
  readonly container?: string
  /** Whether the command gets what is written to `stdin`. */
  readonly stdin?: boolean
  /** A terminal: input, output and errors in one, with a size. */
  readonly terminal?: boolean
}

export type TerminalSize = { readonly columns: number; readonly rows: number }

/** A command that runs in a container. Disposing closes the connection. */
export type ExecSession = AsyncDisposable & {
  /** Ending it is the end of input for the command. Writing to it without the option `stdin` is an error. */
  readonly stdin: Writable
  readonly stdout: Readable
  /** Stays empty with a terminal. */
  readonly stderr: Readable
  readonly resize: (size: TerminalSize) => void
  /** The exit code, after all output was delivered. Rejects with a KubeError when there was none. */
  readonly exitCode: Promise<number>
}

/** What an answer tells about the server beside its content. */
export type ServerFacts = {
  /** The server's clock, in whole seconds; undefined where it does not say. */
  readonly time: Date | undefined
  /** When the certificate that it showed last ends. */
  readonly certificateExpiresAt: Date | undefined
}

/** Every function rejects with a `KubeError`, or with the signal's reason. */
export type Kube = {
  readonly get: <R extends ResourceName>(
    resource: R,
    target: Target,
    options?: CallOptions,
  ) => Promise<Live<R>>
  /** One page; `listAll` in `cluster.ts` takes all of them. */
  readonly list: <R extends ResourceName>(resource: R, options?: ListOptions) => Promise<ObjectPage<R>>
  readonly create: <R extends ResourceName>(
    resource: R,
    object: Objects[R],
    options?: WriteOptions,
  ) => Promise<Live<R>>
  /** PUT; with metadata.resourceVersion set, a stale one is a Conflict. */
  readonly replace: <R extends ResourceName>(
    resource: R,
    object: Objects[R],
    options?: WriteOptions,
  ) => Promise<Live<R>>
  /** Server-side apply; a metadata.resourceVersion in the object fences it. */
  readonly apply: <R extends ResourceName>(
    resource: R,
    object: Objects[R],
    options: ApplyOptions,
  ) => Promise<Live<R>>
  readonly patch: <R extends ResourceName>(
    resource: R,
    target: Target,
    patch: Patch,
    options?: WriteOptions,
  ) => Promise<Live<R>>
  /** Sets `spec.replicas` through the scale subresource. @returns what the server has now */
  readonly scale: (
    resource: 'deployments' | 'replicasets' | 'statefulsets',
    target: Target,
    replicas: number,
    options?: WriteOptions & { readonly resourceVersion?: string },
  ) => Promise<{ readonly replicas: number; readonly resourceVersion: string }>
  /** Asks for a pod to leave its node; 429 while a disruption budget forbids it. */
  readonly evict: (target: Target, options?: RemoveOptions) => Promise<void>
  /**
   * A new token of a ServiceAccount. The server may give it a shorter life than asked for.
   * @param bound - a Secret in the same namespace; the token is refused as soon as that is gone
   */
  readonly requestToken: (
    serviceAccount: Target,
    wanted: {
      readonly lifeSeconds: number
      readonly bound?: { readonly name: string; readonly uid: string }
    },
    options?: CallOptions,
  ) => Promise<{ readonly token: string; readonly expiresAt: Date }>
  /** @returns the object while it lingers (grace period, finalizers), undefined when it is gone */
  readonly remove: <R extends ResourceName>(
    resource: R,
    target: Target,
    options?: RemoveOptions,
  ) => Promise<Live<R> | undefined>
  /** Deletes all that the selection names. */
  readonly removeAll: (resource: ResourceName, selection: Selection, options?: RemoveOptions) => Promise<void>
  /**
   * Resolves when the server has begun the stream. Bookmarks are asked for. An ERROR event is thrown as its KubeError, a
   * malformed line as `InvalidReply`; a clean end is the end of the iteration.
   */
  readonly watch: <R extends ResourceName>(
    resource: R,
    options: WatchOptions,
  ) => Promise<AsyncIterable<WatchEvent<R>>>
  /** The bytes of a container's log. Destroying the stream ends the request. */
  readonly logs: (target: Target, options?: LogOptions) => Promise<Readable>
  readonly exec: (target: Target, options: ExecOptions) => Promise<ExecSession>
  /** GET of any path, such as `/readyz`. */
  readonly text: (
    path: string,
    options?: CallOptions & { readonly accept?: string },
  ) => Promise<{ readonly text: string; readonly contentType: string; readonly server?: ServerFacts }>
}
