import { KIB, MIB } from '@slipway/kit'

import type { RateClass } from './endpoint.ts'

/** Largest JSON body, in bytes, unless an endpoint says otherwise. */
export const BODY_LIMIT_BYTES = 256 * KIB
/** Largest request line and headers together, in bytes. */
export const HEADER_LIMIT_BYTES = 16 * KIB
/** Largest YAML document (`slipway.yaml`, kubeconfig), in bytes. */
export const YAML_LIMIT_BYTES = MIB

/** Requests that one account (without one: one address) may make per minute, by class. */
export const RATE_LIMITS: Readonly<Record<RateClass, number>> = {
  read: 3_000,
  write: 600,
  login: 30,
  stream: 300,
  transfer: 3_000,
}

/** Streams that one account may hold open at once. */
export const STREAMS_PER_ACCOUNT = 64
/** How long an Idempotency-Key is remembered, in hours. */
export const IDEMPOTENCY_HOURS = 24
