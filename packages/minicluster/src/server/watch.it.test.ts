import { systemClock, waitFor } from '@slipway/kit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { startTestServer, type TestServer, type WatchEvent } from './testing.ts'

let cluster: TestServer
beforeAll(async () => {
  cluster = await startTestServer()
})
afterAll(() => cluster[Symbol.asyncDispose]())

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'

async function put(name: string, labels: Record<string, string>, value = 'x'): Promise<string> {
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data: { value } }
  const made = await cluster.call(CONFIG_MAPS, { body })
  const reply =
    made.status === 409 ? await cluster.call(`${CONFIG_MAPS}/${name}`, { method: 'PUT', body }) : made
  return versionOf(reply.body)
}

function versionOf(object: unknown): string {
  return (object as { metadata: { resourceVersion: string } }).metadata.resourceVersion
}

function read(events: readonly WatchEvent[]): string[] {
  return events.map(
    ({ type, object }) =>
      `${type} ${(object as unknown as { metadata: { name?: string } }).metadata.name ?? ''}`,
  )
}

test('a watch without a version begins with the state and goes on with each change', async () => {
  await put('a', { test: 'state' })
  using watch = await cluster.watch(`${CONFIG_MAPS}?watch=1&labelSelector=test%3Dstate`)
  await watch.until(1)
  await put('b', { test: 'state' })
  await put('a', { test: 'state' }, 'y')
  await cluster.call(`${CONFIG_MAPS}/b`, { method: 'DELETE' })
  const events = await watch.until(4)
  expect(read(events)).toEqual(['ADDED a', 'ADDED b', 'MODIFIED a', 'DELETED b'])
  const versions = events.slice(1).map(({ object }) => Number(versionOf(object)))
  expect(versions).toEqual(versions.toSorted((x, y) => x - y))
})

test('a watch from a version sees exactly what came after it', async () => {
  const version = await put('r1', { test: 'resume' })
  await put('r2', { test: 'resume' })
  await put('r1', { test: 'resume' }, 'y')
  using watch = await cluster.watch(
    `${CONFIG_MAPS}?watch=true&labelSelector=test%3Dresume&resourceVersion=${version}`,
  )
  expect(read(await watch.until(2))).toEqual(['ADDED r2', 'MODIFIED r1'])
})

test('leaving a selector reads as DELETED with the old object under the new version, entering as ADDED', async () => {
  await put('s', { test: 'select' }, 'old')
  using watch = await cluster.watch(`${CONFIG_MAPS}?watch=1&labelSelector=test%3Dselect`)
  await watch.until(1)
  const left = await put('s', { test: 'gone' }, 'new')
  await put('s', { test: 'select' }, 'back')
  const events = await watch.until(3)
  expect(read(events)).toEqual(['ADDED s', 'DELETED s', 'ADDED s'])
  expect(events[1]?.object).toMatchObject({ data: { value: 'old' }, metadata: { resourceVersion: left } })
})

test('a watch of one name by field selector or by path sees that name alone', async () => {
  await put('n1', {})
  using bySelector = await cluster.watch(`${CONFIG_MAPS}?watch=1&fieldSelector=metadata.name%3Dn1`)
  using byPath = await cluster.watch(`${CONFIG_MAPS}/n1?watch=1`)
  await put('n2', {})
  await put('n1', {}, 'y')
  expect(read(await bySelector.until(2))).toEqual(['ADDED n1', 'MODIFIED n1'])
  expect(read(await byPath.until(2))).toEqual(['ADDED n1', 'MODIFIED n1'])
})

test('sendInitialEvents ends the state with an annotated bookmark', async () => {
  await put('i', { test: 'initial' })
  const options = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'
  using watch = await cluster.watch(`${CONFIG_MAPS}?watch=1&labelSelector=test%3Dinitial&${options}`)
  const events = await watch.until(2)
  expect(read(events)[0]).toBe('ADDED i')
  expect(events[1]).toMatchObject({
    type: 'BOOKMARK',
    object: { kind: 'ConfigMap', metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
  })
  expect((await cluster.call(`${CONFIG_MAPS}?watch=1&sendInitialEvents=true`)).status).toBe(422)
})

test('a watch ends by itself after timeoutSeconds, with a bookmark before if allowed', async () => {
  using watch = await cluster.watch(
    `${CONFIG_MAPS}?watch=1&timeoutSeconds=1&allowWatchBookmarks=true&labelSelector=test%3Dnone`,
  )
  await waitFor(systemClock, 'the end', watch.ended, { timeoutMs: 20_000 })
  expect(watch.events.map(({ type }) => type)).toEqual(['BOOKMARK'])
})

test('a table watch brings its columns in the first event only', async () => {
  await put('t', { test: 'table' })
  using watch = await cluster.watch(`${CONFIG_MAPS}?watch=1&labelSelector=test%3Dtable`, {
    accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
  })
  await watch.until(1)
  await put('t', { test: 'table' }, 'y')
  const events = await watch.until(2)
  expect(events[0]?.object).toMatchObject({ kind: 'Table', columnDefinitions: [{ name: 'Name' }, {}, {}] })
  expect(events[1]?.object).toMatchObject({
    kind: 'Table',
    columnDefinitions: null,
    rows: [{ cells: ['t', 1, expect.any(String)] }],
  })
})

test('a version of the future is refused before the stream begins', async () => {
  expect((await cluster.call(`${CONFIG_MAPS}?watch=1&resourceVersion=99999999`)).status).toBe(504)
})

test('a version that is no longer known is an ERROR event inside a 200', async () => {
  const first = await put('old', {})
  for (let round = 0; round < 90; round += 1)
    await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        cluster.opened.registry.create(
          'leases',
          { metadata: { name: `l${round}-${index}`, namespace: 'default' } },
          'test',
        ),
      ),
    )
  using watch = await cluster.watch(
    `/apis/coordination.k8s.io/v1/namespaces/default/leases?watch=1&resourceVersion=${first}`,
  )
  expect(watch.status).toBe(200)
  const [event] = await watch.until(1)
  expect(event).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } })
  expect(event?.raw).toMatch(/"too old resource version: \d+ \(\d+\)"/)
})

test('a watch of many objects brings every one of them and no change is lost meanwhile', async () => {
  const { registry } = cluster.opened
  const text = 'z'.repeat(2_000)
  const names = Array.from({ length: 1_500 }, (_, index) => `many-${index}`)
  const make = (name: string, value: string) => ({
    metadata: { name, namespace: 'other' },
    data: { text, value },
  })
  await Promise.all(names.map((name) => registry.create('configmaps', make(name, '1'), 'test')))
  using watch = await cluster.watch('/api/v1/namespaces/other/configmaps?watch=1')
  await Promise.all(names.map((name) => registry.update('configmaps', make(name, '2'), 'test')))
  const last = new Map<string, string>()
  await waitFor(
    systemClock,
    'the last state of every object',
    () => {
      for (const { object } of watch.events) {
        const { metadata, data } = object as unknown as {
          metadata: { name: string }
          data: { value: string }
        }
        last.set(metadata.name, data.value)
      }
      return names.every((name) => last.get(name) === '2')
    },
    { timeoutMs: 30_000 },
  )
  const versions = watch.events
    .filter(({ type }) => type === 'MODIFIED')
    .map(({ object }) => Number(versionOf(object)))
  expect(versions).toEqual(versions.toSorted((x, y) => x - y))
})
