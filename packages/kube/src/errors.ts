import { isRecord } from '@slipway/kit'

import { parseReply } from './reply.ts'

export type StatusCause = {
  readonly reason?: string
  readonly message?: string
  readonly field?: string
}

export type StatusDetails = {
  readonly name?: string
  readonly group?: string
  readonly kind?: string
  readonly uid?: string
  readonly causes?: readonly StatusCause[]
  readonly retryAfterSeconds?: number
}

/**
 * A request to a cluster that did not succeed.
 * `code` is the HTTP status, 0 when there was none. `reason` is the server's own word (`NotFound`, `Conflict`, `Expired`, …) or
 * one of ours: `Unreachable` no connection or no trust, `ConnectionLost` broken before the end, `DeadlineExceeded` too slow,
 * `InvalidReply` not an answer of a Kubernetes API, `InvalidRequest` refused before it was sent.
 */
export class KubeError extends Error {
  override readonly name = 'KubeError'
  readonly code: number
  readonly reason: string
  readonly details: StatusDetails
  /** Seconds after which the server wants to be asked again. */
  readonly retryAfterSeconds: number | undefined

  constructor(
    code: number,
    reason: string,
    message: string,
    options: {
      readonly details?: StatusDetails
      readonly retryAfterSeconds?: number | undefined
      readonly cause?: unknown
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.reason = reason
    this.details = options.details ?? {}
    this.retryAfterSeconds = options.retryAfterSeconds ?? this.details.retryAfterSeconds
  }
}

/** True for a KubeError with that reason. */
export function hasReason(error: unknown, reason: string): error is KubeError {
  return error instanceof KubeError && error.reason === reason
}

const MESSAGE_MAX = 4_000
const CAUSES_MAX = 100

/** What to throw for a reply other than 2xx; `retryAfter` is the header of that name. */
export function errorOfReply(code: number, text: string, retryAfter?: string): KubeError {
  const status = statusIn(text)
  if (status) return errorOfStatus(status, code, secondsOf(retryAfter))
  // A page of some proxy in between: its 404 must never be taken for "this object does not exist".
  const shown = printable(text).slice(0, 200)
  const message = `the server answered ${code}${shown === '' ? ' without a text' : `: ${shown}`}`
  return new KubeError(code, code === 401 ? 'Unauthorized' : 'InvalidReply', message, {
    retryAfterSeconds: secondsOf(retryAfter),
  })
}

/** What to throw for a Status object, whose fields are as untrusted as any reply. */
export function errorOfStatus(
  status: Readonly<Record<string, unknown>>,
  code = numberOf(status['code']) ?? 0,
  retryAfterSeconds?: number,
): KubeError {
  const reason = textOf(status['reason'], 128) ?? 'Unknown'
  const message = textOf(status['message'], MESSAGE_MAX) ?? `the server answered ${code} ${reason}`
  return new KubeError(code, reason, message, { details: detailsOf(status['details']), retryAfterSeconds })
}

/** Seconds of a Retry-After header; its other form, a date, is not used by Kubernetes. */
function secondsOf(header: string | undefined): number | undefined {
  return header !== undefined && /^[0-9]{1,6}$/.test(header) ? Number(header) : undefined
}

function statusIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = parseReply(Buffer.from(text))
    return isRecord(value) && value['kind'] === 'Status' ? value : undefined
  } catch {
    // Not JSON: the caller shows the text itself.
    return undefined
  }
}

function detailsOf(value: unknown): StatusDetails {
  if (!isRecord(value)) return {}
  const texts = textsOf(value, ['name', 'group', 'kind', 'uid'])
  const causes = value['causes']
  const retryAfterSeconds = numberOf(value['retryAfterSeconds'])
  return {
    ...texts,
    ...(Array.isArray(causes) && {
      causes: causes
        .slice(0, CAUSES_MAX)
        .filter((cause) => isRecord(cause))
        .map((cause) => textsOf(cause, ['reason', 'message', 'field'])),
    }),
    ...(retryAfterSeconds !== undefined && retryAfterSeconds >= 0 && { retryAfterSeconds }),
  }
}

function textsOf<Key extends string>(
  value: Readonly<Record<string, unknown>>,
  keys: readonly Key[],
): Partial<Record<Key, string>> {
  const found = keys.map((key) => [key, textOf(value[key], MESSAGE_MAX)] as const)
  return Object.fromEntries(found.filter(([, text]) => text !== undefined)) as Partial<Record<Key, string>>
}

function textOf(value: unknown, max: number): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, max) : undefined
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

function printable(text: string): string {
  return text
    .slice(0, 2_000)
    .replaceAll(/<[^>]{0,200}>/g, ' ')
    .replaceAll(/[^\x20-\x7e]+/g, ' ')
    .replaceAll(/ +/g, ' ')
    .trim()
}
