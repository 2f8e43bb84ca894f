import { KubeError, type Kube, type WatchEvent, type WatchOptions } from '@slipway/kube'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { configMap } from './manifests.ts'
import { newNamespace, type ServerUnderTest, serverNames, startServer } from './servers.ts'

type Seen = readonly [type: string, name: string, version: string]

/** Watches until `count` events came, or the server ends the stream. */
async function collect(kube: Kube, options: WatchOptions, count: number): Promise<Seen[]> {
  const seen: Seen[] = []
  const stop = new AbortController()
  const events = await kube.watch('configmaps', { ...options, signal: stop.signal })
  for await (const event of events) {
    if (event.type !== 'BOOKMARK' && event.object.metadata.name === 'kube-root-ca.crt') continue
    seen.push(shown(event))
    if (seen.length === count) break
  }
  return seen
}

function shown(event: WatchEvent<'configmaps'>): Seen {
  if (event.type === 'BOOKMARK') return [event.type, '', event.resourceVersion]
  return [event.type, event.object.metadata.name, event.object.metadata.resourceVersion]
}

const typesOf = (seen: readonly Seen[]): string[] => seen.map(([type, name]) => `${type} ${name}`.trim())

describe.each(serverNames)('watches on the %s server', (name) => {
  let server: ServerUnderTest
  let kube: Kube
  beforeAll(async () => {
    server = await startServer(name)
    kube = server.kube
  })
  afterAll(async () => await server[Symbol.asyncDispose]())

  test('everything after the given version comes, in order; a deletion carries a newer version', async () => {
    const namespace = await newNamespace(kube)
    const { resourceVersion } = await kube
      .create('configmaps', configMap(namespace, 'a'))
      .then((made) => made.metadata)
    const running = collect(kube, { namespace, resourceVersion }, 4)
    await kube.create('configmaps', configMap(namespace, 'b'))
    const changed = await kube.replace('configmaps', configMap(namespace, 'a', { v: '2' }))
    await kube.replace('configmaps', configMap(namespace, 'a', { v: '2' }))
    await kube.remove('configmaps', { namespace, name: 'a' })
    await kube.remove('configmaps', { namespace, name: 'b' })
    const seen = await running
    expect(typesOf(seen)).toEqual(['ADDED b', 'MODIFIED a', 'DELETED a', 'DELETED b'])
    expect(seen[1]?.[2]).toBe(changed.metadata.resourceVersion)
    expect(new Set(seen.map(([, , version]) => version)).size).toBe(4)
  })

  test('without a version the present state comes first', async () => {
    const namespace = await newNamespace(kube)
    await kube.create('configmaps', configMap(namespace, 'a'))
    expect(typesOf(await collect(kube, { namespace }, 1))).toEqual(['ADDED a'])
    expect(typesOf(await collect(kube, { namespace, resourceVersion: '0' }, 1))).toEqual(['ADDED a'])
  })

  test('what begins or ceases to match a selector is added or deleted; the deletion shows what matched', async () => {
    const namespace = await newNamespace(kube)
    const { metadata } = await kube.create('configmaps', configMap(namespace, 'a', { v: '1' }))
    const { resourceVersion } = metadata
    const labelled = configMap(namespace, 'a', { v: '1' }, { labels: { t: 'x' } })
    await kube.replace('configmaps', labelled)
    await kube.replace('configmaps', configMap(namespace, 'a', { v: '2' }, { labels: { t: 'x' } }))
    const last = await kube.replace('configmaps', configMap(namespace, 'a', { v: '3' }))
    const stop = new AbortController()
    const events = await kube.watch('configmaps', {
      namespace,
      labelSelector: 't=x',
      resourceVersion,
      signal: stop.signal,
    })
    const seen: WatchEvent<'configmaps'>[] = []
    for await (const event of events) {
      seen.push(event)
      if (seen.length === 3) break
    }
    expect(typesOf(seen.map((event) => shown(event)))).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a'])
    const [, , deleted] = seen
    if (deleted?.type !== 'DELETED') throw new Error('the last event is no deletion')
    expect(deleted.object.data).toEqual({ v: '2' })
    expect(deleted.object.metadata.labels).toEqual({ t: 'x' })
    expect(deleted.object.metadata.resourceVersion).toBe(last.metadata.resourceVersion)
  })

  test('the stream ends after its seconds', async () => {
    const namespace = await newNamespace(kube)
    const { resourceVersion } = await kube.list('configmaps', { namespace })
    const seen = await collect(kube, { namespace, resourceVersion, timeoutSeconds: 2 }, 100)
    expect(typesOf(seen).filter((line) => line !== 'BOOKMARK')).toEqual([])
  })

  test('a field selector watches one object', async () => {
    const namespace = await newNamespace(kube)
    const { resourceVersion } = await kube.list('configmaps', { namespace })
    await kube.create('configmaps', configMap(namespace, 'a'))
    await kube.create('configmaps', configMap(namespace, 'b'))
    const options = { namespace, resourceVersion, fieldSelector: 'metadata.name=b' }
    expect(typesOf(await collect(kube, options, 1))).toEqual(['ADDED b'])
  })

  test('initial events end with the bookmark that says so', async () => {
    const namespace = await newNamespace(kube)
    await kube.create('configmaps', configMap(namespace, 'a'))
    const query =
      'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=3'
    const { code, text } = await server.raw(`/api/v1/namespaces/${namespace}/configmaps?${query}`)
    const events = text
      .trim()
      .split('\n')
      .map(
        (line) =>
          JSON.parse(line) as {
            type: string
            object: { metadata: { annotations?: Record<string, string> } }
          },
      )
    expect(code).toBe(200)
    expect(events.some((event) => event.type === 'ADDED')).toBe(true)
    const bookmark = events.find((event) => event.type === 'BOOKMARK')
    expect(bookmark?.object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' })
  })

  test('a table is watched with its columns in the first event only', async () => {
    const namespace = await newNamespace(kube)
    await kube.create('configmaps', configMap(namespace, 'a'))
    await kube.create('configmaps', configMap(namespace, 'b'))
    const accept = 'application/json;as=Table;g=meta.k8s.io;v=v1'
    const query = 'watch=1&resourceVersion=0&timeoutSeconds=2'
    const { text } = await server.raw(`/api/v1/namespaces/${namespace}/configmaps?${query}`, { accept })
    const tables = text
      .trim()
      .split('\n')
      .map(
        (line) =>
          JSON.parse(line) as { object: { kind: string; columnDefinitions: { name: string }[] | null } },
      )
    expect(tables.length).toBeGreaterThanOrEqual(2)
    expect(tables[0]?.object.columnDefinitions?.map((column) => column.name)).toEqual(['Name', 'Data', 'Age'])
    expect(tables[1]?.object.columnDefinitions ?? []).toEqual([])
  })

  test('a version that is no number is refused', async () => {
    // The real server answers 500, which nobody needs to imitate.
    await expect(kube.watch('configmaps', { resourceVersion: 'abc' })).rejects.toBeInstanceOf(KubeError)
  })
})
