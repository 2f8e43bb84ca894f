import { expect, test } from 'vitest'

import type { Gateway, HttpRouteMatch, HttpRouteRule, Stored } from '../model.ts'
import { newRotation, nextBackend, nextInRotation } from './balance.ts'
import { durationMs } from './duration.ts'
import { planGateways, type View } from './plan.ts'
import { buildTable, commonHosts, findRule, type RequestFacts, type Rule } from './table.ts'

const meta = (name: string, namespace = 'shop', created = 0) => ({
  name,
  namespace,
  uid: `${namespace}-${name}`,
  resourceVersion: '1',
  creationTimestamp: new Date(created * 1000).toISOString(),
})

const rule = (key: string, backends: Rule['backends'] = []): Rule => ({
  key,
  namespace: 'shop',
  route: key,
  filters: [],
  backends,
  requestTimeoutMs: undefined,
  backendTimeoutMs: undefined,
})

type Entry = [key: string, host: string | undefined, match: HttpRouteMatch, createdMs?: number]
const tableOf = (entries: readonly Entry[]) =>
  buildTable(
    entries.map(([key, host, match, createdMs = 0]) => ({
      host,
      createdMs,
      routeName: `shop/${key}`,
      rules: [{ rule: rule(key), matches: [match] }],
    })),
  )

const ask = (more: Partial<RequestFacts>): RequestFacts => ({
  host: 'app.test',
  path: '/',
  query: '',
  method: 'GET',
  headers: {},
  ...more,
})
const prefix = (value: string): HttpRouteMatch => ({ path: { type: 'PathPrefix', value } })
const exact = (value: string): HttpRouteMatch => ({ path: { type: 'Exact', value } })
const header = { headers: [{ name: 'X-Canary', value: 'yes' }] }

const precedence: [
  when: string,
  entries: readonly Entry[],
  request: Partial<RequestFacts>,
  expected: string | undefined,
][] = [
  [
    'an exact host before a wildcard before any',
    [
      ['any', undefined, {}],
      ['wild', '*.test', {}],
      ['host', 'app.test', {}],
    ],
    {},
    'host',
  ],
  [
    'the longer wildcard',
    [
      ['short', '*.test', {}],
      ['long', '*.b.test', {}],
    ],
    { host: 'a.b.test' },
    'long',
  ],
  ['a wildcard does not mean its own domain', [['wild', '*.test', {}]], { host: 'test' }, undefined],
  [
    'a less specific host when the specific one has no such path',
    [
      ['wild', '*.test', {}],
      ['host', 'app.test', prefix('/a')],
    ],
    { path: '/b' },
    'wild',
  ],
  [
    'an exact path before a prefix',
    [
      ['prefix', undefined, prefix('/a/b')],
      ['exact', undefined, exact('/a')],
    ],
    { path: '/a' },
    'exact',
  ],
  [
    'the longer prefix',
    [
      ['short', undefined, prefix('/a')],
      ['long', undefined, prefix('/a/b')],
    ],
    { path: '/a/b/c' },
    'long',
  ],
  ['prefixes end at a slash', [['a', undefined, prefix('/a')]], { path: '/ab' }, undefined],
  ['a prefix matches itself without its slash', [['a', undefined, prefix('/a/')]], { path: '/a' }, 'a'],
  ['an exact path is not a prefix', [['a', undefined, exact('/a')]], { path: '/a/' }, undefined],
  [
    'a method before none',
    [
      ['all', undefined, {}],
      ['post', undefined, { method: 'POST' }],
    ],
    { method: 'POST' },
    'post',
  ],
  [
    'another method falls through',
    [
      ['all', undefined, {}],
      ['post', undefined, { method: 'POST' }],
    ],
    {},
    'all',
  ],
  [
    'a header before none, whatever its case',
    [
      ['all', undefined, {}],
      ['canary', undefined, header],
    ],
    { headers: { 'x-canary': 'yes' } },
    'canary',
  ],
  [
    'a header of another value',
    [
      ['all', undefined, {}],
      ['canary', undefined, header],
    ],
    { headers: { 'x-canary': 'no' } },
    'all',
  ],
  [
    'a query parameter before none',
    [
      ['all', undefined, {}],
      ['q', undefined, { queryParams: [{ name: 'v', value: '2' }] }],
    ],
    { query: 'a=1&v=2' },
    'q',
  ],
  [
    'the older route',
    [
      ['young', undefined, {}, 5],
      ['old', undefined, {}, 1],
    ],
    {},
    'old',
  ],
  [
    'the first by name among equals',
    [
      ['b', undefined, {}],
      ['a', undefined, {}],
    ],
    {},
    'a',
  ],
]
test.each(precedence)('precedence: %s', (_, entries, request, expected) =>
  expect(findRule(tableOf(entries), ask(request))?.rule.key).toBe(expected),
)

const hosts: [
  listener: string | undefined,
  route: readonly string[] | undefined,
  expected: readonly (string | undefined)[],
][] = [
  [undefined, undefined, [undefined]],
  [undefined, ['App.Test'], ['app.test']],
  ['*.test', undefined, ['*.test']],
  ['*.test', ['app.test', 'other.org'], ['app.test']],
  ['app.test', ['*.test'], ['app.test']],
  ['*.a.test', ['*.test'], ['*.a.test']],
  ['*.test', ['*.a.test'], ['*.a.test']],
  ['app.test', ['other.test'], []],
]
test.each(hosts)('listener %s and route %s meet at %s', (listener, route, expected) =>
  expect(commonHosts(listener, route)).toEqual(expected),
)

const backend = (name: string, weight: number) => ({
  kind: 'service' as const,
  namespace: 'shop',
  name,
  port: 80,
  weight,
  filters: [],
})

test('weights are exact in every full turn and evenly spread', () => {
  const rotation = newRotation()
  const split = rule('split', [backend('a', 75), backend('b', 20), backend('c', 5), backend('never', 0)])
  for (let round = 0; round < 5; round += 1) {
    const counts: Record<string, number> = {}
    for (let index = 0; index < 100; index += 1) {
      const { name = '' } = nextBackend(rotation, split) ?? {}
      counts[name] = (counts[name] ?? 0) + 1
    }
    expect(counts).toEqual({ a: 75, b: 20, c: 5 })
  }
  const halves = rule('halves', [backend('a', 1), backend('b', 1)])
  const turns = Array.from({ length: 6 }, () => nextBackend(rotation, halves)?.name)
  expect(turns).toEqual(['a', 'b', 'a', 'b', 'a', 'b'])
})

test('without any weight nothing is chosen', () => {
  expect(nextBackend(newRotation(), rule('none', [backend('a', 0), backend('b', 0)]))).toBeUndefined()
  expect(nextBackend(newRotation(), rule('one', [backend('a', 0)]))).toBeUndefined()
})

test('endpoints take turns, unusable ones are passed over, and of two the less busy one is taken', () => {
  const rotation = newRotation()
  const judge = { isUsable: (item: string) => item !== 'down', load: () => 0 }
  const turns = Array.from({ length: 4 }, () => nextInRotation(rotation, 'k', ['a', 'down', 'b'], judge))
  expect(turns).toEqual(['a', 'b', 'a', 'b'])
  const busy = { isUsable: () => true, load: (item: string) => (item === 'a' ? 9 : 1) }
  expect(nextInRotation(newRotation(), 'k', ['a', 'b'], busy)).toBe('b')
  expect(nextInRotation(newRotation(), 'k', [], busy)).toBeUndefined()
})

const durations: [text: string | undefined, ms: number | undefined][] = [
  [undefined, undefined],
  ['500ms', 500],
  ['1m30s', 90_000],
  ['2h', 7_200_000],
  ['0s', undefined],
  ['ten', undefined],
]
test.each(durations)('duration %s is %s ms', (text, ms) => expect(durationMs(text)).toBe(ms))

type Listener = NonNullable<Gateway['spec']>['listeners'][number]
function gateway(
  name: string,
  listeners: readonly Partial<Listener>[],
  namespace = 'shop',
  created = 0,
): Stored<'gateways'> {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: meta(name, namespace, created),
    spec: {
      gatewayClassName: 'slipway',
      listeners: listeners.map((one, index) => ({
        name: `l${index}`,
        port: 18_000,
        protocol: 'HTTP',
        ...one,
      })),
    },
  }
}
function route(
  rules: readonly HttpRouteRule[],
  parent: object = { name: 'own' },
  namespace = 'shop',
): Stored<'httproutes'> {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: meta('route', namespace),
    spec: { parentRefs: [{ name: 'own', ...parent }], rules },
  }
}
const view = (gateways: View['gateways'], routes: View['routes'] = []): View => ({
  gateways,
  routes,
  hasServicePort: (_, name, port) => (name !== 'web' ? 'no-service' : port === 80 ? 'yes' : 'no-port'),
  namespaceLabels: (namespace) => ({ team: namespace }),
  classNames: new Set(['slipway']),
  defaultKey: 'slipway-system/default',
  ownPorts: { first: 18_000, last: 18_999 },
})

const refusals: [
  when: string,
  listeners: readonly Partial<Listener>[],
  reasons: readonly (string | undefined)[],
][] = [
  ['in the range: served', [{}], [undefined]],
  ['outside the range', [{ port: 80 }], ['PortUnavailable']],
  ['another protocol', [{ protocol: 'HTTPS' }], ['UnsupportedProtocol']],
  [
    'two host names on one port: both served',
    [{ hostname: 'a.test' }, { hostname: 'b.test' }],
    [undefined, undefined],
  ],
  [
    'the same host name twice',
    [{ hostname: 'a.test' }, { hostname: 'A.test' }],
    [undefined, 'HostnameConflict'],
  ],
]
test.each(refusals)('a listener %s', (_, listeners, reasons) => {
  const plan = planGateways(view([gateway('own', listeners)]))
  expect(plan.gateways.get('shop/own')?.map(({ refusal }) => refusal?.reason)).toEqual(reasons)
})

test('a port belongs to the oldest Gateway that asks for it, and the default one has its own anywhere', () => {
  const gateways = [
    gateway('young', [{}], 'shop', 9),
    gateway('old', [{}], 'shop', 1),
    gateway('default', [{ port: 7480 }], 'slipway-system', 99),
  ]
  const plan = planGateways(view(gateways))
  expect(plan.ports.map(({ port, gateway }) => [port, gateway])).toEqual([
    [7480, 'slipway-system/default'],
    [18_000, 'shop/old'],
  ])
  expect(plan.gateways.get('shop/young')?.[0]?.refusal?.message).toBe(
    'port 18000 belongs to Gateway shop/old',
  )
})

const web = { backendRefs: [{ name: 'web', port: 80 }] }
const regex = { matches: [{ path: { type: 'RegularExpression' as const, value: '(a+)+$' } }], ...web }
const attachments: [
  when: string,
  route: Stored<'httproutes'>,
  allowed: Listener['allowedRoutes'],
  expected: readonly string[],
][] = [
  ['a plain one', route([web]), undefined, ['Accepted', 'ResolvedRefs']],
  [
    'an unknown listener',
    route([web], { sectionName: 'x' }),
    undefined,
    ['NoMatchingParent', 'ResolvedRefs'],
  ],
  [
    'another namespace',
    route([web], { namespace: 'shop' }, 'other'),
    undefined,
    ['NotAllowedByListeners', 'ResolvedRefs'],
  ],
  [
    'another namespace that is let in',
    route([web], { namespace: 'shop' }, 'other'),
    { namespaces: { from: 'Selector', selector: { matchLabels: { team: 'other' } } } },
    ['Accepted', 'ResolvedRefs'],
  ],
  [
    'a missing Service',
    route([{ backendRefs: [{ name: 'x', port: 80 }] }]),
    undefined,
    ['Accepted', 'BackendNotFound'],
  ],
  [
    'a missing port',
    route([{ backendRefs: [{ name: 'web', port: 81 }] }]),
    undefined,
    ['Accepted', 'BackendNotFound'],
  ],
  [
    'a backend elsewhere',
    route([{ backendRefs: [{ name: 'web', namespace: 'x', port: 80 }] }]),
    undefined,
    ['Accepted', 'RefNotPermitted'],
  ],
  [
    'a backend of another kind',
    route([{ backendRefs: [{ name: 'web', kind: 'Pod', port: 80 }] }]),
    undefined,
    ['Accepted', 'InvalidKind'],
  ],
  ['a regular expression', route([regex]), undefined, ['UnsupportedValue', 'ResolvedRefs']],
  [
    'a filter that is not served',
    route([{ ...web, filters: [{ type: 'RequestMirror' }] }]),
    undefined,
    ['UnsupportedValue', 'ResolvedRefs'],
  ],
]
test.each(attachments)('a route, %s, is judged', (_, one, allowed, expected) => {
  const plan = planGateways(
    view([gateway('own', [allowed === undefined ? {} : { allowedRoutes: allowed }])], [one]),
  )
  const [parent] = plan.routes.get(`${one.metadata.namespace}/route`) ?? []
  expect(parent?.conditions.map(({ reason }) => reason)).toEqual(expected)
  expect(plan.gateways.get('shop/own')?.[0]?.attachedRoutes).toBe(expected[0] === 'Accepted' ? 1 : 0)
})

test('nothing is said about parents of another class', () => {
  const foreign = { ...gateway('own', [{}]), spec: { gatewayClassName: 'traefik', listeners: [] } }
  expect(planGateways(view([foreign], [route([web])])).routes.get('shop/route')).toEqual([])
})
