import type { AskGateway } from '../fleet/index.ts'
import { VERSION_HEADER } from './shape.ts'

const TIMEOUT_MS = 5_000

export type ProbeTarget = {
  /** The gateway's base address. */
  readonly url: string
  readonly host: string
  readonly path: string
  readonly hash: string
  readonly statusBelow: number
}

/**
 * One request to one version through the real route; the text says what went wrong, for people. A request that the signal cuts
 * off says nothing about the version.
 * @param ask - the way to the Cluster's gateway
 */
export async function probeOnce(
  target: ProbeTarget,
  signal: AbortSignal,
  ask: AskGateway,
): Promise<{ readonly passed: boolean; readonly what: string } | 'given up'> {
  try {
    const headers = { host: target.host, [VERSION_HEADER]: target.hash, 'user-agent': 'slipway-probe' }
    const statusCode = await ask(new URL(target.path, target.url), { headers, signal, timeoutMs: TIMEOUT_MS })
    return { passed: statusCode < target.statusBelow, what: `HTTP ${statusCode}` }
  } catch (thrown) {
    if (signal.aborted) return 'given up'
    return { passed: false, what: thrown instanceof Error ? thrown.message.slice(0, 200) : 'no answer' }
  }
}
