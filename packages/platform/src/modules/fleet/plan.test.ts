import type { Live } from '@slipway/kube'
import { describe, expect, test } from 'vitest'

import type { ClusterFacts, Credential } from './model.ts'
import {
  gatewayFactsOf,
  isTooOld,
  nextPulse,
  planCredential,
  skewOf,
  type Pulse,
  wantingPauseMs,
  type Warning,
  warningsOf,
} from './plan.ts'

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

test('a refused credential needs no second look, and is over as soon as it is accepted', () => {
  const ready: Pulse = { health: { state: 'ready', since: T0, message: '' }, misses: 0 }
  const refused = nextPulse(ready, { ready: false, why: 'Unauthorized', isRefused: true }, later(4))
  expect(refused.health).toEqual({ state: 'credentials', since: later(4), message: 'Unauthorized' })
  expect(nextPulse(refused, { ready: true }, later(8)).health.state).toBe('ready')
})

const DAY = 86_400_000
const token = (
  more: Partial<Extract<Credential, { readonly kind: 'service-account' }>> = {},
): Credential => ({
  kind: 'service-account',
  slot: 1,
  issuedAt: T0.toISOString(),
  expiresAt: later(30 * DAY).toISOString(),
  revokeAt: null,
  ...more,
})

const turns: [
  when: string,
  credential: Credential,
  atMs: number,
  expected: ReturnType<typeof planCredential>,
][] = [
  ['what was given is left alone', { kind: 'given', expiresAt: T0.toISOString() }, DAY, undefined],
  ['a young token is looked at again in a day', token(), DAY, { kind: 'wait', forMs: DAY }],
  ['a token is renewed after half of its life', token(), 15 * DAY, { kind: 'rotate' }],
  ['a short one too', token({ expiresAt: later(3_600_000).toISOString() }), 1_800_000, { kind: 'rotate' }],
  [
    'the token before it ends when its time has come',
    token({ revokeAt: later(30_000).toISOString() }),
    30_000,
    { kind: 'revoke' },
  ],
  [
    'and not sooner',
    token({ revokeAt: later(30_000).toISOString() }),
    29_000,
    { kind: 'wait', forMs: 1_000 },
  ],
]
test.each(turns)('%s', (_, credential, atMs, expected) =>
  expect(planCredential(credential, later(atMs))).toEqual(expected),
)

describe('warnings', () => {
  const facts: ClusterFacts = {
    version: 'v1.35.4',
    gateway: {
      parent: { name: 'default' },
      className: 'x',
      url: 'http://a',
      domain: 'a',
      ownPorts: undefined,
    },
    processRuntime: false,
    capacity: { nodes: 1, nodesReady: 1, cpuCores: 1, memoryBytes: 1, instancesMax: 1 },
    offers: { gatewayApi: true, metrics: true, leastPrivilege: true },
    owner: { installationId: 'ins_a', address: 'https://a.example.com', clusterId: undefined },
  }
  const good = {
    facts,
    credential: token(),
    installationId: 'ins_a',
    skewMs: 400,
    certificateExpiresAt: later(99 * DAY),
    now: T0,
  }
  const cases: [when: string, change: Partial<Parameters<typeof warningsOf>[0]>, expected: Warning[]][] = [
    ['nothing is wrong', {}, []],
    ['it was never reached', { facts: undefined, skewMs: undefined, certificateExpiresAt: undefined }, []],
    [
      'no Gateway API',
      { facts: { ...facts, gateway: undefined, offers: { ...facts.offers, gatewayApi: false } } },
      ['gateway-api-missing'],
    ],
    ['no Gateway', { facts: { ...facts, gateway: undefined } }, ['gateway-missing']],
    ['no metrics', { facts: { ...facts, offers: { ...facts.offers, metrics: false } } }, ['metrics-missing']],
    [
      'no node is ready',
      { facts: { ...facts, capacity: { ...facts.capacity, nodesReady: 0 } } },
      ['nodes-missing'],
    ],
    ['all rights', { credential: { kind: 'given', expiresAt: null } }, ['rights-unlimited']],
    ['another platform', { installationId: 'ins_b' }, ['owned-elsewhere']],
    ['a clock behind', { skewMs: -5_000 }, ['clock-skewed']],
    ['an old certificate', { certificateExpiresAt: later(13 * DAY) }, ['certificate-expires']],
    ['a token that was not renewed', { now: later(23 * DAY) }, ['credentials-expire']],
  ]
  test.each(cases)('%s', (_, change, expected) =>
    expect(warningsOf({ ...good, ...change })).toEqual(expected),
  )
})

test.each([
  ['v1.29.9', true],
  ['v1.30.0', false],
  ['v1.35.4+embedded', false],
  ['v2.0.0', true],
  ['banana', true],
])('%s is too old: %s', (version, expected) => expect(isTooOld(version)).toBe(expected))

test('the clock of a server is measured against the middle of the question', () => {
  expect(skewOf(later(10_000), later(0), later(1_000))).toBe(10_000)
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

test.each([
  [0, 2_000],
  [15_000, 2_000],
  [60_000, 6_000],
  [86_400_000, 20_000],
])('what a Cluster has lacked for %i ms is looked for again after %i ms', (forMs, pauseMs) => {
  expect(wantingPauseMs(forMs)).toBe(pauseMs)
})
