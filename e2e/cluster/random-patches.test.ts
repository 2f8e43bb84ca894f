/*
 * Random changes of a Deployment by several managers, through all kinds of patches, made on both servers in the same order:
 * after each one the answers must be the same, ownership of every field included. The seed is printed with a difference.
 */
import { isRecord, seededRandom } from '@slipway/kit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { comparable } from './comparison.ts'
import { type RawReply, type RawRequest, type ServerUnderTest, serverNames, startServer } from './servers.ts'

const MANAGERS = ['one', 'two', 'three'] as const
const STEPS = 60

type Choose = {
  readonly chance: (share: number) => boolean
  readonly of: <const T>(values: readonly T[]) => T
  /** The ones that chance takes. */
  readonly some: <T>(values: readonly T[], share?: number) => T[]
}

function chooser(seed: number): Choose {
  const random = seededRandom(seed)
  return {
    chance: (share) => random() < share,
    // Never outside: random() is below 1.
    of: <const T>(values: readonly T[]) => values[Math.floor(random() * values.length)] as T,
    some: (values, share = 0.5) => values.filter(() => random() < share),
  }
}

function randomMap(choose: Choose): Record<string, string> {
  return Object.fromEntries(choose.some(['a', 'b', 'c']).map((key) => [key, choose.of(['1', '2', '3'])]))
}

function randomContainer(choose: Choose, name: string): Record<string, unknown> {
  const env = choose.some(['A', 'B', 'C']).map((key) => ({ name: key, value: choose.of(['x', 'y']) }))
  const ports = choose
    .some([80, 81, 82], 0.3)
    .map((containerPort) => ({ containerPort, ...(choose.chance(0.5) && { name: `p${containerPort}` }) }))
  return {
    name,
    image: choose.of(['example.com/a:1', 'example.com/a:2', 'example.com/a:latest']),
    ...(env.length > 0 && { env }),
    ...(ports.length > 0 && { ports }),
    ...(choose.chance(0.3) && { args: choose.some(['-a', '-b', '-c']) }),
    ...(choose.chance(0.3) && { resources: { requests: { cpu: choose.of(['100m', '0.1', '1']) } } }),
    ...(choose.chance(0.2) && { imagePullPolicy: choose.of(['Always', 'IfNotPresent', 'Never']) }),
  }
}

/** A partial Deployment, as somebody might apply it. */
function randomFields(choose: Choose): Record<string, unknown> {
  const containers = ['main', ...choose.some(['side', 'extra'], 0.4)]
  const volumes = choose.some(['v', 'w'], 0.3).map((name) => ({ name, emptyDir: {} }))
  const tolerations = choose.some(['k', 'l'], 0.2).map((key) => ({ key, operator: 'Exists' }))
  return {
    metadata: {
      ...(choose.chance(0.4) && { labels: randomMap(choose) }),
      ...(choose.chance(0.4) && { annotations: randomMap(choose) }),
    },
    spec: {
      ...(choose.chance(0.3) && { minReadySeconds: choose.of([1, 2]) }),
      ...(choose.chance(0.2) && { strategy: { rollingUpdate: { maxSurge: choose.of([1, '50%']) } } }),
      template: {
        metadata: { labels: { app: 'r', ...(choose.chance(0.3) && randomMap(choose)) } },
        spec: {
          ...(volumes.length > 0 && { volumes }),
          ...(tolerations.length > 0 && { tolerations }),
          containers: containers.map((name) => randomContainer(choose, name)),
        },
      },
    },
  }
}

const TYPE = { apiVersion: 'apps/v1', kind: 'Deployment' }
const SELECTOR = { matchLabels: { app: 'r' } }

type Step = RawRequest & { readonly query: string; readonly what: string }

function randomStep(choose: Choose, name: string): Step {
  const make = choose.of([applyStep, applyStep, mergeStep, strategicStep, jsonStep])
  const manager = choose.of(MANAGERS)
  const { suffix, what, ...step } = make(choose, name)
  return {
    ...step,
    method: 'PATCH',
    what: `${what} by ${manager}`,
    query: `?fieldManager=${manager}${suffix ?? ''}`,
  }
}

type Draft = Pick<RawRequest, 'contentType' | 'body'> & { readonly what: string; readonly suffix?: string }

function applyStep(choose: Choose, name: string): Draft {
  const fields = randomFields(choose)
  const body = {
    ...TYPE,
    metadata: { ...(isRecord(fields['metadata']) && fields['metadata']), name },
    spec: { ...(isRecord(fields['spec']) && fields['spec']), selector: SELECTOR },
  }
  const suffix = `&force=${choose.chance(0.6)}`
  return { what: 'apply', contentType: 'application/apply-patch+yaml', suffix, body }
}

function mergeStep(choose: Choose): Draft {
  const labels = Object.fromEntries(choose.some(['a', 'b', 'c']).map((key) => [key, choose.of([null, '4'])]))
  const body = { metadata: { labels }, spec: { minReadySeconds: choose.of([null, 3]) } }
  return { what: 'merge', contentType: 'application/merge-patch+json', body }
}

function strategicStep(choose: Choose): Draft {
  const body = choose.chance(0.7) ? randomFields(choose) : removal(choose)
  return { what: 'strategic merge', contentType: 'application/strategic-merge-patch+json', body }
}

function jsonStep(choose: Choose): Draft {
  const path = choose.of([
    '/metadata/labels/a',
    '/spec/template/spec/containers/0/env',
    '/spec/minReadySeconds',
  ])
  const operation = choose.of([
    { op: 'remove', path },
    { op: 'test', path, value: '1' },
    { op: 'copy', from: '/metadata/name', path: '/metadata/annotations/copied' },
  ])
  return { what: 'JSON', contentType: 'application/json-patch+json', body: [operation] }
}

function removal(choose: Choose): object {
  const side = { name: choose.of(['side', 'extra']), $patch: 'delete' }
  const env = [{ name: choose.of(['A', 'B']), $patch: 'delete' }]
  const containers = choose.chance(0.5) ? [side] : [{ name: 'main', env }]
  return { spec: { template: { spec: { containers } } } }
}

/** Without what the controllers of each cluster write whenever they get to it. */
function withoutControllers(reply: RawReply): unknown {
  const value = withSortedCauses(comparable(reply.json))
  if (!isRecord(value) || !isRecord(value['metadata'])) return value
  const { managedFields, annotations, ...metadata } = value['metadata']
  const { 'deployment.kubernetes.io/revision': _, ...kept } = isRecord(annotations) ? annotations : {}
  const managers: readonly string[] = MANAGERS
  const entries = Array.isArray(managedFields) ? managedFields.filter((entry) => isRecord(entry)) : []
  // Entries are ordered by their time in whole seconds, and a second may end between the two servers.
  const ours = entries
    .filter((entry) => managers.includes(String(entry['manager'])))
    .toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1))
  return { ...value, status: undefined, metadata: { ...metadata, annotations: kept, managedFields: ours } }
}

function rank(entry: Readonly<Record<string, unknown>>): string {
  return `${String(entry['manager'])} ${String(entry['operation'])}`
}

/** The real server lists the conflicts with different managers in the order of a Go map. */
function withSortedCauses(value: unknown): unknown {
  if (!isRecord(value) || !isRecord(value['details']) || !Array.isArray(value['details']['causes']))
    return value
  const causes = value['details']['causes'].map((cause) => JSON.stringify(cause)).toSorted()
  return { ...value, details: { ...value['details'], causes } }
}

describe.runIf(serverNames.length === 2)('random patches on both servers', () => {
  const servers: ServerUnderTest[] = []
  beforeAll(async () => {
    for (const name of serverNames) servers.push(await startServer(name))
  })
  afterAll(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]()
  })

  test.each([1, 2, 3, 4, 5, 6])('end alike, step by step (seed %d)', async (seed) => {
    const choose = chooser(seed)
    const name = `random-${seed}`
    const containers = [{ name: 'main', image: 'example.com/a:1' }]
    const template = { metadata: { labels: { app: 'r' } }, spec: { containers } }
    // An annotation from the start: else the first writer owns the map itself, and controllers write there too.
    const metadata = { name, annotations: { from: 'the start' } }
    const body = { ...TYPE, metadata, spec: { replicas: 0, selector: SELECTOR, template } }
    const folder = '/apis/apps/v1/namespaces/default/deployments'
    for (const server of servers) await server.raw(`${folder}?fieldManager=one`, { method: 'POST', body })
    for (let index = 0; index < STEPS; index += 1) {
      const { query, what, ...request } = randomStep(choose, name)
      const replies = await Promise.all(
        servers.map((server) => server.raw(`${folder}/${name}${query}`, request)),
      )
      const [real, embedded] = replies.map((reply) => ({
        code: reply.code,
        object: withoutControllers(reply),
      }))
      expect(embedded, `step ${index}: ${what} ${JSON.stringify(request.body)}`).toEqual(real)
    }
  })
})
