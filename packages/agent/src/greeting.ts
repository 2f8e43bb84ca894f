/* How an agent introduces itself, before the tunnel begins: one JSON message each way. */
import { isRecord, parseJson } from '@slipway/kit'

const PROTOCOL = 1
/** Largest greeting, in bytes. */
export const GREETING_MAX_BYTES = 4_096
/** How long the other end may take to greet, in ms. */
export const GREETING_MS = 10_000

/** The code of a close that an agent cannot mend by trying again, and its reasons. */
export const REFUSED_CODE = 1008
export const REFUSALS = {
  token: 'the token is not or no longer valid',
  otherCluster: 'this token connects another cluster: "slipway cluster register-agent" makes one of its own',
  protocol: 'the agent and the platform do not fit together: apply the newest manifest',
} as const

export type Greeting = {
  readonly token: string
  /** Of the agent, for people. */
  readonly version: string
}

export function encodeGreeting({ token, version }: Greeting): string {
  return JSON.stringify({ protocol: PROTOCOL, token, version })
}

/** Undefined for anything but a greeting of this protocol. */
export function readGreeting(bytes: Buffer): Greeting | undefined {
  const { protocol, token, version } = recordIn(bytes)
  if (protocol !== PROTOCOL || typeof token !== 'string' || typeof version !== 'string') return undefined
  return { token: token.slice(0, 256), version: version.slice(0, 64) }
}

/** @param replica - which of several; undefined where there is but one */
export function encodeWelcome(replica: string | undefined): string {
  return JSON.stringify({ protocol: PROTOCOL, replica })
}

/** Undefined for anything but a welcome of this protocol. */
export function readWelcome(bytes: Buffer): { readonly replica: string | undefined } | undefined {
  const { protocol, replica } = recordIn(bytes)
  if (protocol !== PROTOCOL) return undefined
  return { replica: typeof replica === 'string' ? replica.slice(0, 64) : undefined }
}

function recordIn(bytes: Buffer): Readonly<Record<string, unknown>> {
  if (bytes.length > GREETING_MAX_BYTES) return {}
  try {
    const value: unknown = parseJson(bytes.toString('utf8'))
    return isRecord(value) ? value : {}
  } catch {
    // What is no JSON is no greeting either, and is refused as such.
    return {}
  }
}
