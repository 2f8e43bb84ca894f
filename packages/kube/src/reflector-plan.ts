/*
 * What a reflector does after its list or its watch has ended, in whatever way. Pure.
 *
 * A watch can be resumed from the last version as long as the server still has the events since then; only 410 says that it
 * has not. So almost every failure resumes, which costs nothing, and a list, which may be large, is made only when it must be:
 * after 410, after a version from the future that does not arrive, and when resuming fails again and again for no clear reason.
 */
import { KubeError } from './errors.ts'

export type Ending = {
  readonly during: 'list' | 'watch'
  /** What was thrown; undefined when the server ended the watch in order. */
  readonly error: unknown
  /** How long the watch lived. */
  readonly livedMs: number
  /** Endings in a row of this watch that brought no event and were failures. */
  readonly fruitless: number
}

export type Recovery = {
  readonly next: 'list' | 'watch'
  readonly pause:
    | { readonly kind: 'none' }
    /** Grows with each failure. */
    | { readonly kind: 'backoff' }
    /** What the server asked for. */
    | { readonly kind: 'asked'; readonly ms: number }
    /** For what only a person can repair. */
    | { readonly kind: 'slow' }
  /** Whether readers should be told that the view may be old. */
  readonly degraded: boolean
}

/** A watch that ends sooner than this is not a watch that works. */
const SHORT_LIFE_MS = 1_000
const FRUITLESS_MAX = 3
const RETRY_AFTER_MAX_SECONDS = 60
const FUTURE_VERSION_MS = 1_000

/** `Silence`: nothing came for so long that the connection must be dead. */
export const SILENCE = 'Silence'

export function recoveryOf(ending: Ending): Recovery {
  const { error, during } = ending
  if (error === undefined) return { next: during, pause: shortLived(ending), degraded: false }
  if (!(error instanceof KubeError)) return { next: 'list', pause: { kind: 'backoff' }, degraded: true }
  if (error.reason === SILENCE) return { next: 'watch', pause: { kind: 'none' }, degraded: false }
  if (error.code === 410) return { next: 'list', pause: { kind: 'backoff' }, degraded: false }
  if (error.code === 401 || error.code === 403 || error.code === 404)
    return { next: 'list', pause: { kind: 'slow' }, degraded: true }
  if (error.code === 429) return { next: during, pause: askedPause(error), degraded: true }
  if (isFutureVersion(error)) {
    const next = ending.fruitless > 1 ? 'list' : 'watch'
    return { next, pause: { kind: 'asked', ms: FUTURE_VERSION_MS }, degraded: true }
  }
  const next = during === 'list' || ending.fruitless >= FRUITLESS_MAX ? 'list' : 'watch'
  return { next, pause: { kind: 'backoff' }, degraded: true }
}

function shortLived(ending: Ending): Recovery['pause'] {
  return ending.livedMs < SHORT_LIFE_MS ? { kind: 'backoff' } : { kind: 'none' }
}

function askedPause(error: KubeError): Recovery['pause'] {
  if (error.retryAfterSeconds === undefined) return { kind: 'backoff' }
  return { kind: 'asked', ms: Math.min(error.retryAfterSeconds, RETRY_AFTER_MAX_SECONDS) * 1_000 }
}

function isFutureVersion(error: KubeError): boolean {
  const named = error.details.causes?.some((cause) => cause.reason === 'ResourceVersionTooLarge') ?? false
  return error.code === 504 && (named || /too large resource version/i.test(error.message))
}

const FIRST_DELAY_MS = 800
const MAX_DELAY_MS = 30_000
/** After so long without a failure the next one starts small again. */
const QUIET_MS = 120_000

export type Backoff = { readonly attempts: number; readonly lastMs: number }
export const noBackoff: Backoff = { attempts: 0, lastMs: 0 }

/**
 * The delay before the next try: 0.8 s doubling to 30 s, up to twice that by chance, so that many readers of a server that
 * comes back do not come back together. The values are those of client-go's reflector.
 */
export function nextBackoff(
  backoff: Backoff,
  nowMs: number,
  random: () => number,
): { readonly delayMs: number; readonly backoff: Backoff } {
  const attempts = nowMs - backoff.lastMs > QUIET_MS ? 0 : backoff.attempts
  const baseMs = Math.min(FIRST_DELAY_MS * 2 ** Math.min(attempts, 20), MAX_DELAY_MS)
  return { delayMs: baseMs * (1 + random()), backoff: { attempts: attempts + 1, lastMs: nowMs } }
}
