import { expect, test } from 'vitest'

import type { Objects } from '../../model.ts'
import type { Pod } from '../pods.ts'
import { ENDPOINTS_MAX, planSlices, portsOf, type Service, type Slice } from './plan.ts'

const service: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    name: 'web',
    namespace: 'shop',
    uid: 's',
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
  },
  spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'web' }] },
}

type Shape = {
  readonly ready?: boolean
  readonly going?: boolean
  readonly ports?: string
  readonly phase?: string
}

function pod(name: string, { ready = true, going, ports, phase = 'Running' }: Shape = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'shop',
      uid: name,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...(ports === undefined ? {} : { annotations: { 'slipway/ports': ports } }),
      ...(going ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    spec: { nodeName: 'n', containers: [{ name: 'a', ports: [{ name: 'web', containerPort: 8080 }] }] },
    status: { phase, podIP: '127.1.2.3', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  }
}

const stored = (slice: Objects['endpointslices'], name: string): Slice => ({
  ...slice,
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    ...slice.metadata,
    name,
    uid: name,
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
  },
})

const translations: [when: string, annotation: string | undefined, port: number][] = [
  ['none', undefined, 8080],
  ['the node says another port', '{"8080":20007}', 20007],
  ['nonsense', '{"8080":', 8080],
  ['not a port', '{"8080":99999999}', 8080],
  ['not a number', '{"8080":"20007"}', 8080],
  ['another shape', '[1,2]', 8080],
]
test.each(translations)('the port of a pod, annotation: %s', (_, annotation, port) =>
  expect(portsOf(service, pod('a', annotation === undefined ? {} : { ports: annotation }))[0]?.port).toBe(
    port,
  ),
)

test('a ready, an unready and a terminating pod differ in their conditions; a finished one is left out', () => {
  const pods = [
    pod('a'),
    pod('b', { ready: false }),
    pod('c', { going: true }),
    pod('d', { phase: 'Failed' }),
  ]
  const { create } = planSlices(service, pods, [])
  expect(create).toHaveLength(1)
  expect(create[0]?.endpoints?.map(({ targetRef, conditions }) => [targetRef?.name, conditions])).toEqual([
    ['a', { ready: true, serving: true, terminating: false }],
    ['b', { ready: false, serving: false, terminating: false }],
    ['c', { ready: false, serving: true, terminating: true }],
  ])
})

test('publishNotReadyAddresses makes every pod ready', () => {
  const early = { ...service, spec: { ...service.spec, publishNotReadyAddresses: true } }
  expect(
    planSlices(early, [pod('a', { ready: false })], []).create[0]?.endpoints?.[0]?.conditions?.ready,
  ).toBe(true)
})

test('pods with different ports stand in different slices, and pods without a change write nothing', () => {
  const pods = [pod('a', { ports: '{"8080":20001}' }), pod('b', { ports: '{"8080":20002}' })]
  const { create } = planSlices(service, pods, [])
  expect(create.map((slice) => slice.ports?.[0]?.port)).toEqual([20001, 20002])
  const slices = create.map((slice, index) => stored(slice, `web-${index}`))
  expect(planSlices(service, pods, slices)).toEqual({ create: [], update: [], remove: [] })
})

test('endpoints stay in their slice: losing one of many changes one slice', () => {
  const pods = Array.from({ length: 250 }, (_, index) => pod(`p${index}`))
  const slices = planSlices(service, pods, []).create.map((slice, index) => stored(slice, `web-${index}`))
  expect(slices.map((slice) => slice.endpoints?.length)).toEqual([ENDPOINTS_MAX, ENDPOINTS_MAX, 50])
  const fewer = planSlices(service, pods.slice(1), slices)
  expect([fewer.create.length, fewer.update.length, fewer.remove.length]).toEqual([0, 1, 0])
  const refilled = planSlices(
    service,
    [...pods.slice(1), pod('new')],
    [stored(fewer.update[0]!, 'web-0'), ...slices.slice(1)],
  )
  expect(refilled.update[0]?.endpoints?.at(-1)?.targetRef?.name).toBe('new')
})

test('a Service without pods keeps one empty slice', () => {
  const [empty] = planSlices(service, [], []).create
  expect(empty?.endpoints).toEqual([])
  expect(planSlices(service, [], [stored(empty!, 'web-0')])).toEqual({ create: [], update: [], remove: [] })
})
