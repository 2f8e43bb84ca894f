/** One reason inside a refusal, as `details.causes` carries it. */
export type StatusCause = { readonly reason: string; readonly message: string; readonly field?: string }

export type StatusDetails = {
  readonly name?: string
  readonly group?: string
  readonly kind?: string
  readonly uid?: string
  readonly causes?: readonly StatusCause[]
  readonly retryAfterSeconds?: number
}

/** A refusal in the form of the Kubernetes API: becomes a `Status` object with its HTTP code. */
export class StatusError extends Error {
  override readonly name = 'StatusError'
  readonly code: number
  readonly reason: string
  readonly details: StatusDetails | undefined

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message)
    this.code = code
    this.reason = reason
    this.details = details
  }
}

export const statusErrors = {
  badRequest: (message: string): StatusError => new StatusError(400, 'BadRequest', message),
  unauthorized: (): StatusError => new StatusError(401, 'Unauthorized', 'Unauthorized'),
  forbidden: (message: string, details?: StatusDetails): StatusError =>
    new StatusError(403, 'Forbidden', message, details),
  notFound: (resource: string, group: string, name: string): StatusError =>
    new StatusError(404, 'NotFound', `${qualified(resource, group)} "${name}" not found`, {
      name,
      group,
      kind: resource,
    }),
  alreadyExists: (resource: string, group: string, name: string): StatusError =>
    new StatusError(409, 'AlreadyExists', `${qualified(resource, group)} "${name}" already exists`, {
      name,
      group,
      kind: resource,
    }),
  conflict: (resource: string, group: string, name: string, why: string): StatusError =>
    new StatusError(
      409,
      'Conflict',
      `Operation cannot be fulfilled on ${qualified(resource, group)} "${name}": ${why}`,
      { name, group, kind: resource },
    ),
  invalid: (kind: string, group: string, name: string, causes: readonly StatusCause[]): StatusError =>
    new StatusError(
      422,
      'Invalid',
      `${kind}${group === '' ? '' : `.${group}`} "${name}" is invalid: ${invalidText(causes)}`,
      { name, group, kind, causes },
    ),
  internal: (message: string): StatusError => new StatusError(500, 'InternalError', message),
}

function qualified(resource: string, group: string): string {
  return group === '' ? resource : `${resource}.${group}`
}

function invalidText(causes: readonly StatusCause[]): string {
  const texts = causes.map((cause) =>
    cause.field === undefined ? cause.message : `${cause.field}: ${cause.message}`,
  )
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`
}
