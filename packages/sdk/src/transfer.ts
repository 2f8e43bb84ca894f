import type { Prepared } from './prepare.ts'
import { send, sendForJson, type Transport } from './send.ts'
import type { CallOptions } from './types.ts'

/** Bytes on their way to the caller. Read or cancel `stream`, or the connection stays open. */
export type Download = {
  readonly stream: ReadableStream<Uint8Array>
  readonly sizeBytes: number | undefined
  /** The name the server proposes. It came from outside: never use it as a path. */
  readonly fileName: string | undefined
  readonly mediaType: string
}

/** Bytes on their way to the server. A stream is sent once and never again. */
export type UploadContent = Uint8Array<ArrayBuffer> | Blob | ReadableStream<Uint8Array>

/** Starts a download. The deadline covers the time until the first byte; the signal covers all of it. */
export function download(transport: Transport, request: Prepared, options: CallOptions): Promise<Download> {
  return send(transport, request, { ...options, accept: '*/*' }, async (response) => ({
    stream: response.body ?? new Blob([]).stream(),
    sizeBytes: numberOf(response.headers.get('content-length')),
    fileName: fileNameOf(response.headers.get('content-disposition') ?? ''),
    mediaType: response.headers.get('content-type') ?? 'application/octet-stream',
  }))
}

/** Sends bytes and returns what the server answers as JSON. Never repeated: the content may be gone. */
export function upload(
  transport: Transport,
  request: Prepared,
  content: UploadContent,
  options: CallOptions,
): Promise<unknown> {
  return sendForJson(transport, request, { ...options, content, contentType: 'application/octet-stream' })
}

function numberOf(text: string | null): number | undefined {
  return text !== null && /^[0-9]{1,15}$/u.test(text) ? Number(text) : undefined
}

/** The proposed file name of a Content-Disposition header (RFC 6266), without any folder. */
function fileNameOf(header: string): string | undefined {
  const extended = /filename\*=UTF-8''([^;]+)/iu.exec(header)?.[1]
  const plain = /filename="([^"]+)"/iu.exec(header)?.[1] ?? /filename=([^;"\s]+)/iu.exec(header)?.[1]
  const name = extended === undefined ? plain : decodeOr(extended, plain)
  return name?.split(/[/\\]/u).at(-1)
}

function decodeOr(text: string, otherwise: string | undefined): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    // A name that is not well escaped is no name; the plain one of the same header serves instead.
    return otherwise
  }
}
