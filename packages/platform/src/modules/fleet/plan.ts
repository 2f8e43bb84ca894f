/** Health of a Cluster and its gateway, decided from what it answered. */
import type { Gateway, GatewayClass, Live } from '@slipway/kube'

import { DAY_MS, SECOND_MS } from '@slipway/kit'

import type { ClusterFacts, Credential, GatewayFacts, GatewaySettings, Health, OwnerMark } from './model.ts'

/** Unanswered questions in a row after which nothing is known about a Cluster any more. */
export const MISSES_MAX = 3
/** Oldest minor version of Kubernetes 1 that is supported: the first with admission policies and aggregated discovery. */
export const VERSION_MIN = 30
export const OWN_PORTS_ANNOTATION = 'slipway/own-ports'
const DEFAULT_DOMAIN = 'localhost'

export function isTooOld(version: string): boolean {
  const minor = Number(/^v1\.(\d+)/u.exec(version)?.[1])
  return !(minor >= VERSION_MIN)
}

/** What an operator should know of a Cluster that works. */
export type Warning =
  | 'gateway-api-missing'
  | 'gateway-missing'
  | 'metrics-missing'
  | 'nodes-missing'
  | 'rights-unlimited'
  | 'owned-elsewhere'
  | 'clock-skewed'
  | 'certificate-expires'
  | 'credentials-expire'

/** Difference of the clocks, in ms, from which tokens and certificates begin to suffer. */
const SKEW_MAX_MS = 5 * SECOND_MS
const EXPIRES_SOON_MS = 14 * DAY_MS

export function warningsOf(about: {
  readonly facts: ClusterFacts | undefined
  readonly credential: Credential
  readonly installationId: string
  readonly skewMs: number | undefined
  readonly certificateExpiresAt: Date | undefined
  readonly now: Date
}): readonly Warning[] {
  const { facts, credential, skewMs, certificateExpiresAt, now } = about
  const isSoon = (time: Date): boolean => time.getTime() - now.getTime() < EXPIRES_SOON_MS
  const warnings: readonly (readonly [Warning, boolean])[] = [
    ['gateway-api-missing', facts?.offers.gatewayApi === false],
    ['gateway-missing', facts?.offers.gatewayApi === true && facts.gateway === undefined],
    ['metrics-missing', facts?.offers.metrics === false],
    ['nodes-missing', facts?.capacity.nodesReady === 0],
    // Where processes are not isolated from each other anyway, and where no lesser rights can be had, nothing is to be done.
    ['rights-unlimited', credential.kind === 'given' && facts?.offers.leastPrivilege === true],
    ['owned-elsewhere', isForeign(facts?.owner, about.installationId)],
    ['clock-skewed', Math.abs(skewMs ?? 0) >= SKEW_MAX_MS],
    ['certificate-expires', certificateExpiresAt !== undefined && isSoon(certificateExpiresAt)],
    ['credentials-expire', expiresSoon(credential, now)],
  ]
  return warnings.filter(([, holds]) => holds).map(([warning]) => warning)
}

/** Whether another platform works there: two would undo each other's work. */
export function isForeign(owner: OwnerMark | undefined, installationId: string): owner is OwnerMark {
  return owner !== undefined && owner.installationId !== installationId
}

/** A token of our account is renewed after half of its life; one that got much older cannot be renewed. */
function expiresSoon(credential: Credential, now: Date): boolean {
  if (credential.expiresAt === null) return false
  const leftMs = Date.parse(credential.expiresAt) - now.getTime()
  if (credential.kind !== 'service-account') return leftMs < EXPIRES_SOON_MS
  return leftMs < lifeMs(credential) / 4
}

function lifeMs({ issuedAt, expiresAt }: { readonly issuedAt: string; readonly expiresAt: string }): number {
  return Date.parse(expiresAt) - Date.parse(issuedAt)
}

/** What is to be done about a Cluster's credential now, or when to look again. */
export function planCredential(
  credential: Credential,
  now: Date,
):
  | { readonly kind: 'revoke' }
  | { readonly kind: 'rotate' }
  | { readonly kind: 'wait'; readonly forMs: number }
  | undefined {
  if (credential.kind !== 'service-account') return undefined
  const revokeInMs = credential.revokeAt === null ? Infinity : Date.parse(credential.revokeAt) - now.getTime()
  if (revokeInMs <= 0) return { kind: 'revoke' }
  const rotateInMs = Date.parse(credential.issuedAt) + lifeMs(credential) / 2 - now.getTime()
  if (rotateInMs <= 0) return { kind: 'rotate' }
  return { kind: 'wait', forMs: Math.min(revokeInMs, rotateInMs, DAY_MS) }
}

/** How much the server's clock is ahead, in ms; it tells whole seconds only, so it is right to half a second. */
export function skewOf(serverTime: Date, askedAt: Date, answeredAt: Date): number {
  return serverTime.getTime() + 500 - (askedAt.getTime() + answeredAt.getTime()) / 2
}

const WANTING_PAUSE_MIN_MS = 2 * SECOND_MS
const WANTING_PAUSE_MAX_MS = 20 * SECOND_MS

/**
 * How long a look at a Cluster is good, in ms, that lacks something which may come: what is mended soon shows soon, and a
 * Cluster that never gets it is not asked all the time.
 * @param wantingForMs - how long it had lacked it by then
 */
export function wantingPauseMs(wantingForMs: number): number {
  return Math.min(WANTING_PAUSE_MAX_MS, Math.max(WANTING_PAUSE_MIN_MS, wantingForMs / 10))
}

export type Pulse = { readonly health: Health; readonly misses: number }

/** The next health after one question. One answer is enough to be ready; only several misses in a row are unknown. */
export function nextPulse(
  pulse: Pulse,
  answer:
    | { readonly ready: true }
    | { readonly ready: false; readonly why: string; readonly isRefused?: boolean },
  now: Date,
): Pulse {
  if (answer.ready) {
    const health: Health =
      pulse.health.state === 'ready' ? pulse.health : { state: 'ready', since: now, message: '' }
    return { health, misses: 0 }
  }
  if (answer.isRefused === true) {
    // It answers: there is nothing to be waited for.
    const since = pulse.health.state === 'credentials' ? pulse.health.since : now
    return { health: { state: 'credentials', since, message: answer.why.slice(0, 300) }, misses: 0 }
  }
  const misses = pulse.misses + 1
  if (misses < MISSES_MAX) return { ...pulse, misses }
  const since = pulse.health.state === 'unknown' ? pulse.health.since : now
  return { health: { state: 'unknown', since, message: answer.why.slice(0, 300) }, misses }
}

/**
 * Chooses the Gateway that routes attach to: the one an operator named, else `slipway-system/default`, else the only one.
 * Undefined where there is none, or where nobody knows its address.
 */
export function gatewayFactsOf(
  gateways: readonly Live<'gateways'>[],
  classes: readonly Live<'gatewayclasses'>[],
  settings: GatewaySettings,
): GatewayFacts | undefined {
  const nameOf = (gateway: Live<'gateways'>): string =>
    `${gateway.metadata.namespace ?? ''}/${gateway.metadata.name}`
  const wanted = settings.gateway ?? 'slipway-system/default'
  const shared = gateways.filter((gateway) =>
    gateway.spec?.listeners.some((listener) => listener.allowedRoutes?.namespaces?.from === 'All'),
  )
  const gateway =
    gateways.find((one) => nameOf(one) === wanted) ??
    (settings.gateway === undefined && shared.length === 1 ? shared[0] : undefined)
  const url = gateway && (settings.gatewayUrl ?? addressOf(gateway))
  if (!gateway || url === undefined) return undefined
  const className = gateway.spec?.gatewayClassName ?? ''
  return {
    parent: {
      group: 'gateway.networking.k8s.io',
      kind: 'Gateway',
      name: gateway.metadata.name,
      ...(gateway.metadata.namespace === undefined ? {} : { namespace: gateway.metadata.namespace }),
    },
    className,
    url,
    domain: settings.domain ?? DEFAULT_DOMAIN,
    ownPorts: ownPortsOf(classes.find((one) => one.metadata.name === className)),
  }
}

function addressOf(gateway: Gateway): string | undefined {
  const address = gateway.status?.addresses?.[0]?.value
  const listener = gateway.spec?.listeners.find(({ protocol }) => protocol === 'HTTP')
  if (address === undefined || listener === undefined) return undefined
  const host = address.includes(':') ? `[${address}]` : address
  return `http://${host}:${listener.port}`
}

function ownPortsOf(
  gatewayClass:
    | (GatewayClass & { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> } })
    | undefined,
): GatewayFacts['ownPorts'] {
  const match = /^(\d{1,5})-(\d{1,5})$/u.exec(
    gatewayClass?.metadata?.annotations?.[OWN_PORTS_ANNOTATION] ?? '',
  )
  if (!match) return undefined
  const [from, to] = [Number(match[1]), Number(match[2])]
  return from > 0 && from <= to && to <= 65_535 ? { from, to } : undefined
}
