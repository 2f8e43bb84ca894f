import type { PlatformRole } from '@slipway/contract'
import { DAY_MS, HOUR_MS } from '@slipway/kit'

/** A session ends when unused for this long … */
export const SESSION_IDLE_MS = 24 * HOUR_MS
/** … and at the latest after this. */
export const SESSION_MAX_MS = 14 * DAY_MS
export const FIRST_RUN_MS = 24 * HOUR_MS
/** Sessions one user may have; the oldest end first. */
export const SESSIONS_PER_USER_MAX = 50
/** `used_at` is written at most this often. */
export const USED_EVERY_MS = 60_000

/** Beginnings of secrets, for people and for scanners that look for leaked ones. */
export const SESSION_PREFIX = 'slps_'
export const TOKEN_PREFIX = 'slpt_'
export const FIRST_RUN_PREFIX = 'slpf_'

export type User = {
  readonly id: string
  readonly name: string
  readonly displayName: string
  readonly platformRoles: readonly PlatformRole[]
  readonly disabled: boolean
  readonly createdAt: Date
}
export type Token = {
  readonly id: string
  readonly userId: string
  readonly organizationId: string | null
  readonly name: string
  readonly createdAt: Date
  readonly expiresAt: Date
  readonly usedAt: Date | null
  /** The token that it was made with, and which it ends with; null when a person who is signed in made it. */
  readonly madeWith: string | null
}
export type Session = {
  readonly secretHash: string
  readonly userId: string
  readonly createdAt: Date
  readonly usedAt: Date
  readonly expiresAt: Date
}
