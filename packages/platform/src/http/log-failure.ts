import { AppError, messageOf } from '@slipway/kit'

const CAUSES_MAX = 5

type Say = (fields: object, message: string) => void

/**
 * Logs what was answered with 5xx. A refusal that its module foresaw (a Cluster that is away, a queue that is full) is one line,
 * since where it was thrown tells nobody anything; whatever nobody foresaw, or says 500 of itself, keeps its stack.
 */
export function logFailure(
  log: { readonly warn: Say; readonly error: Say },
  thrown: unknown,
  about: { readonly message: string } & Readonly<Record<string, string | undefined>>,
): void {
  const { message, ...fields } = about
  if (!(thrown instanceof AppError) || thrown.status === 500) log.error({ err: thrown, ...fields }, message)
  else if (thrown.status > 500)
    log.warn({ code: thrown.code, params: thrown.params, cause: causesOf(thrown), ...fields }, message)
}

/** The messages below an error, outermost first; undefined when there is none. */
function causesOf(thrown: Error): string | undefined {
  const causes: string[] = []
  let cause = thrown.cause
  while (cause !== undefined && causes.length < CAUSES_MAX) {
    causes.push(messageOf(cause))
    cause = cause instanceof Error ? cause.cause : undefined
  }
  return causes.length === 0 ? undefined : causes.join(': ')
}
