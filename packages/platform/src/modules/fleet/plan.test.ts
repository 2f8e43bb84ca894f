import type { Live } from '@slipway/kube'
import { describe, expect, test } from 'vitest'

import { gatewayFactsOf, nextPulse, type Pulse } from './plan.ts'

const T0 = new Date('2026-01-01T00:00:00Z')
const later = (ms: number): Date => new Date(T0.getTime() + ms)

describe('health', () => {
  const ready: Pulse = { health: { state: 'ready', since: T0, message: '' }, misses: 0 }
  const miss = { ready: false, why: 'connect ECONNREFUSED' } as const

  test('one or two misses change nothing, the third makes it unknown', () => {
    const second = nextPulse(nextPulse(ready, miss, later(4)), miss, later(8))
    expect(second.health.state).toBe('ready')
    const third = nextPulse(second, miss, later(12))
    expect(third.health).toEqual({ state: 'unknown', since: later(12), message: 'connect ECONNREFUSED' })
    expect(nextPulse(third, miss, later(16)).health.since).toEqual(later(12))
  })
  test('one answer makes it ready again', () => {
    const unknown: Pulse = { health: { state: 'unknown', since: T0, message: 'x' }, misses: 9 }
    expect(nextPulse(unknown, { ready: true }, later(1))).toEqual({
      health: { state: 'ready', since: later(1), message: '' },
      misses: 0,
    })
  })
})

describe('choosing a gateway', () => {
  const gateway = (
    namespace: string,
    name: string,
    from: 'All' | 'Same',
    address?: string,
  ): Live<'gateways'> => ({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { namespace, name, uid: name, resourceVersion: '1' },
    spec: {
      gatewayClassName: 'c',
      listeners: [{ name: 'http', port: 7480, protocol: 'HTTP', allowedRoutes: { namespaces: { from } } }],
    },
    ...(address === undefined ? {} : { status: { addresses: [{ type: 'IPAddress', value: address }] } }),
  })
  const gatewayClass: Live<'gatewayclasses'> = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: {
      name: 'c',
      uid: 'c',
      resourceVersion: '1',
      annotations: { 'slipway/own-ports': '18000-18999' },
    },
    spec: { controllerName: 'slipway/gateway' },
  }

  test('the well-known one is taken, with its address and the ports its class offers', () => {
    expect(
      gatewayFactsOf(
        [gateway('other', 'x', 'All', '10.0.0.1'), gateway('slipway-system', 'default', 'All', '127.0.0.1')],
        [gatewayClass],
        {},
      ),
    ).toMatchObject({
      url: 'http://127.0.0.1:7480',
      domain: 'localhost',
      ownPorts: { from: 18_000, to: 18_999 },
      parent: { namespace: 'slipway-system', name: 'default' },
    })
  })
  test('the only shared one is taken; of several none, unless an operator names it', () => {
    const several = [gateway('a', 'x', 'All', '10.0.0.1'), gateway('b', 'y', 'All', '::1')]
    expect(gatewayFactsOf(several.slice(0, 1), [], {})?.url).toBe('http://10.0.0.1:7480')
    expect(gatewayFactsOf(several, [], {})).toBeUndefined()
    expect(gatewayFactsOf(several, [], { gateway: 'b/y', domain: 'apps.example' })).toMatchObject({
      url: 'http://[::1]:7480',
      domain: 'apps.example',
      ownPorts: undefined,
    })
  })
  test('a gateway of one Workload is not for others, and one without an address is none', () => {
    expect(gatewayFactsOf([gateway('shop', 'own', 'Same', '127.0.0.1')], [], {})).toBeUndefined()
    expect(gatewayFactsOf([gateway('slipway-system', 'default', 'All')], [], {})).toBeUndefined()
    expect(
      gatewayFactsOf([gateway('slipway-system', 'default', 'All')], [], {
        gatewayUrl: 'https://apps.example',
      })?.url,
    ).toBe('https://apps.example')
  })
})
