/** Health of a Cluster and its gateway, decided from what it answered. */
import type { Gateway, GatewayClass, Live } from '@slipway/kube'

import type { GatewayFacts, GatewaySettings, Health } from './model.ts'

/** Unanswered questions in a row after which nothing is known about a Cluster any more. */
export const MISSES_MAX = 3
export const OWN_PORTS_ANNOTATION = 'slipway/own-ports'
const DEFAULT_DOMAIN = 'localhost'

export type Pulse = { readonly health: Health; readonly misses: number }

/** The next health after one question. One answer is enough to be ready; only several misses in a row are unknown. */
export function nextPulse(
  pulse: Pulse,
  answer: { readonly ready: true } | { readonly ready: false; readonly why: string },
  now: Date,
): Pulse {
  if (answer.ready) {
    const health: Health =
      pulse.health.state === 'ready' ? pulse.health : { state: 'ready', since: now, message: '' }
    return { health, misses: 0 }
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
