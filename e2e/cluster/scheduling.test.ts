/* Where pods go by what the platform writes of a placement: the same nodes, and the same words where none takes them. */
import { troubleWords } from '@slipway/messages'
import type { Kube, Objects } from '@slipway/kube'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { pod } from './manifests.ts'
import { newNamespace, type ServerUnderTest, serverNames, startServer, until } from './servers.ts'

type Spec = NonNullable<Objects['pods']['spec']>
type Affinity = NonNullable<Spec['affinity']>
const required = 'requiredDuringSchedulingIgnoredDuringExecution'

/** The racks of the three nodes, and a number that one of them writes as no whole one. */
const traits = [
  { rack: 'one', cores: '4' },
  { rack: 'one', cores: '16' },
  { rack: 'two', cores: '16.5' },
]

describe.each(serverNames)('placement on the %s server', (name) => {
  let server: ServerUnderTest
  let kube: Kube
  let nodes: readonly string[]
  beforeAll(async () => {
    server = await startServer(name)
    kube = server.kube
    const labelSelector = Object.entries(server.nodeSelector)
      .map((pair) => pair.join('='))
      .join(',')
    nodes = await until('three nodes that take pods', async () => {
      const { items } = await kube.list('nodes', { labelSelector })
      // A new node keeps pods away by a taint until its controller has seen it ready.
      const open = items.filter(
        ({ spec }) => !spec?.taints?.some(({ key }) => key.startsWith('node.kubernetes.io/')),
      )
      return open.length === 3 && open.map(({ metadata }) => metadata.name).toSorted()
    })
    for (const [index, labels] of traits.entries())
      await kube.patch(
        'nodes',
        { name: nodes[index] ?? '' },
        { type: 'merge', body: { metadata: { labels } } },
      )
  })
  afterAll(async () => await server[Symbol.asyncDispose]())

  /** Makes a pod. @returns its node's number, or what the scheduler says, in our words */
  async function place(
    namespace: string,
    one: { readonly name: string; readonly app?: string; readonly spec: Partial<Spec> },
  ): Promise<string> {
    const wanted = pod(namespace, one.name, server.nodeSelector, { labels: { app: one.app ?? 'web' } })
    await kube.create('pods', { ...wanted, spec: { ...wanted.spec, ...one.spec } as Spec })
    return until(`a decision about ${one.name}`, async () => {
      const { spec, status } = await kube.get('pods', { namespace, name: one.name })
      if (spec?.nodeName !== undefined) return String(nodes.indexOf(spec.nodeName))
      const refused = status?.conditions?.find(
        ({ type, status: is }) => type === 'PodScheduled' && is === 'False',
      )
      return refused && troubleWords('en', refused.message ?? '')
    })
  }
  async function placeAll(app: string, count: number, spec: Partial<Spec>): Promise<string[]> {
    const namespace = await newNamespace(kube)
    const places: string[] = []
    for (let index = 0; index < count; index += 1)
      places.push(await place(namespace, { name: `${app}-${index}`, app, spec }))
    return places
  }
  const nodesWith = (...matchExpressions: { key: string; operator: string; values?: string[] }[]) => ({
    affinity: { nodeAffinity: { [required]: { nodeSelectorTerms: [{ matchExpressions }] } } },
  })
  const term = (topologyKey: string, app: string) => ({
    topologyKey,
    labelSelector: { matchLabels: { app } },
  })
  const near = (kind: keyof Affinity, topologyKey: string, app: string) => ({
    affinity: { [kind]: { [required]: [term(topologyKey, app)] } },
  })

  test('conditions on labels must all hold, and only whole numbers are compared', async () => {
    expect(await placeAll('web', 1, nodesWith({ key: 'cores', operator: 'Gt', values: ['8'] }))).toEqual([
      '1',
    ])
    expect(await placeAll('web', 1, nodesWith({ key: 'rack', operator: 'NotIn', values: ['one'] }))).toEqual([
      '2',
    ])
    const [none] = await placeAll('web', 1, nodesWith({ key: 'rack', operator: 'In', values: ['three'] }))
    expect(none).toContain('nodes without the labels asked for')
  })

  test('a preference is followed where it can be', async () =>
    expect(
      await placeAll('web', 1, {
        affinity: {
          nodeAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              {
                weight: 100,
                preference: { matchExpressions: [{ key: 'rack', operator: 'In', values: ['two'] }] },
              },
            ],
          },
        },
      }),
    ).toEqual(['2']))

  test('never two on one rack', async () => {
    const [first = '', second = '', third] = await placeAll('web', 3, near('podAntiAffinity', 'rack', 'web'))
    expect(traits[Number(first)]?.rack).not.toBe(traits[Number(second)]?.rack)
    expect(third).toMatch(/3 of \d nodes beside the others, from which these are to be apart/u)
  })

  test('together with others, and not without them', async () => {
    const namespace = await newNamespace(kube)
    const together = near('podAffinity', 'rack', 'api')
    expect(await place(namespace, { name: 'early', spec: together })).toContain('not beside the others')
    const onTwo = nodesWith({ key: 'rack', operator: 'In', values: ['two'] })
    expect(await place(namespace, { name: 'api', app: 'api', spec: onTwo })).toBe('2')
    expect(await place(namespace, { name: 'late', spec: together })).toBe('2')
    // What waited is tried again by itself.
    await until('the early one', async () => {
      const { spec } = await kube.get('pods', { namespace, name: 'early' })
      return spec?.nodeName === nodes[2]
    })
  })

  test('a required spread lets no rack hold more than one more than another', async () => {
    const spread = (whenUnsatisfiable: string) => ({
      topologySpreadConstraints: [{ ...term('rack', 'web'), maxSkew: 1, whenUnsatisfiable }],
    })
    const places = await placeAll('web', 4, spread('DoNotSchedule'))
    const racks = places.map((at) => traits[Number(at)]?.rack)
    expect(racks.map(String).toSorted()).toEqual(['one', 'one', 'two', 'two'])
  })
})
