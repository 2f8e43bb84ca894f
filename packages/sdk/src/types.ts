import type { AnswerOf, Contract, Endpoint, RequestOf, Stream } from '@slipway/contract'

import type { ApiError } from './error.ts'
import type { Download, UploadContent } from './transfer.ts'
import type { ServerEvent } from './events.ts'
import type { Socket } from './socket.ts'

/** What one call may set; everything is optional. */
export type CallOptions = {
  /** Ends the call; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Time for the whole call with its retries, in milliseconds. Streams: time until the first answer. */
  readonly timeoutMs?: number | undefined
  /** Checks everything and changes nothing (`?dryRun=true`). Only for mutations. */
  readonly dryRun?: boolean | undefined
  /** The key under which the server remembers this request; made by the client when left out. Only for POST. */
  readonly idempotencyKey?: string | undefined
  /** Where an event stream continues: the id of the last event seen. */
  readonly lastEventId?: string | undefined
  /** An event stream without an end of its own: an end is a lost connection, and one that was lost is made again for ever. */
  readonly endless?: boolean | undefined
  /** Told when an event stream's connection was lost, with why, and when the next one has brought its first event (undefined). */
  readonly onConnection?: ((lost: ApiError | undefined) => void) | undefined
}

type Operations = Omit<Contract, ProtocolName>
type ProtocolName = {
  [Name in keyof Contract]: Contract[Name] extends { readonly kind: 'protocol' } ? Name : never
}[keyof Contract]

/** Names of everything the client can call. */
export type OperationName = Extract<keyof Operations, string>

/** The request may be left out when nothing in it is required. */
type Arguments<Request> = object extends Request
  ? [request?: Request, options?: CallOptions]
  : [request: Request, options?: CallOptions]

type UploadArguments<Request> = [request: Request, content: UploadContent, options?: CallOptions]

type MethodOf<Operation> = Operation extends Endpoint
  ? (...call: Arguments<RequestOf<Operation>>) => Promise<AnswerOf<Operation>>
  : Operation extends Stream
    ? StreamMethod<Operation>
    : never

type StreamMethod<Operation extends Stream> = Operation['transport'] extends infer Transport
  ? Transport extends 'sse'
    ? (...call: Arguments<RequestOf<Operation>>) => AsyncGenerator<ServerEvent, void, undefined>
    : Transport extends 'websocket'
      ? (...call: Arguments<RequestOf<Operation>>) => Promise<Socket>
      : Transport extends 'download'
        ? (...call: Arguments<RequestOf<Operation>>) => Promise<Download>
        : (...call: UploadArguments<RequestOf<Operation>>) => Promise<unknown>
  : never

type PagedName = {
  [Name in OperationName]: Operations[Name] extends Endpoint
    ? AnswerOf<Operations[Name]> extends { items: readonly unknown[]; cursor?: string | undefined }
      ? Name
      : never
    : never
}[OperationName]

/** The pages of a list, first to last. Each page is asked for when the one before it has been read. */
type Pages = {
  readonly [Name in PagedName]: (
    ...call: Arguments<Omit<RequestOf<Operations[Name]>, 'cursor'>>
  ) => AsyncGenerator<AnswerOf<Operations[Name]>, void, undefined>
}

/** A method per operation of the contract, and `pages` for lists. */
export type Client = { readonly [Name in OperationName]: MethodOf<Operations[Name]> } & {
  readonly pages: Pages
  /** Calls any operation by its name; for programs that learn the name while running. */
  readonly call: (name: OperationName, request: FlatRequest, options?: CallOptions) => Promise<unknown>
}

/** A request whose shape is not known to the compiler. */
export type FlatRequest = Readonly<Record<string, unknown>>
