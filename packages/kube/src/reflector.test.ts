import { manualClock, seededRandom } from '@slipway/kit'
import { describe, expect, test } from 'vitest'

import type { Kube } from './kube.ts'
import { objectCache } from './object-cache.ts'
import { type Reflector, startReflector } from './reflector.ts'
import { clusterReflectors } from './reflectors.ts'
import type { Target } from './requests.ts'
import { type ScriptedCollection, scriptedCollection } from './scripted-collection.ts'
import { type Fault, type FaultPlan, faults, withFaults } from './testing.ts'

/** A reflector over a scripted collection, with faults that are used up one after another. */
function setUp(collection: ScriptedCollection, seed = 1) {
  const clock = manualClock()
  const pending: { readonly operation: string; readonly fault: Fault }[] = []
  const plan: FaultPlan = (operation) => {
    const index = pending.findIndex((one) => one.operation === operation)
    return index < 0 ? undefined : pending.splice(index, 1)[0]?.fault
  }
  const errors: Error[] = []
  const reflector = startReflector({
    kube: withFaults(collection.kube as Kube, plan),
    resource: 'configmaps',
    clock,
    random: seededRandom(seed),
    onError: (error) => errors.push(error),
  })
  return {
    clock,
    reflector,
    errors,
    fail: (operation: 'list' | 'watch', fault: Fault) => pending.push({ operation, fault }),
    settle: async () => {
      for (let round = 0; round < 20; round += 1) await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

function contentOf(reflector: Reflector<'configmaps'>): Record<string, unknown> {
  const objects = reflector.cache()?.list() ?? []
  return Object.fromEntries(objects.map((object) => [object.metadata.name, object.data]))
}

function contentOfModel(collection: ScriptedCollection): Record<string, unknown> {
  return Object.fromEntries([...collection.objects()].map(([name, object]) => [name, object.data]))
}

describe('the first list', () => {
  test('nothing is known until every page is there', async () => {
    const collection = scriptedCollection()
    for (let index = 0; index < 1_200; index += 1) collection.put(`m${index}`, {})
    const lastPage = Promise.withResolvers<void>()
    let calls = 0
    const kube = withFaults(collection.kube as Kube, (operation) => {
      if (operation === 'list') calls += 1
      return operation === 'list' && calls === 3 ? faults.slow(lastPage.promise) : undefined
    })
    const clock = manualClock()
    await using reflector = startReflector({
      kube,
      resource: 'configmaps',
      clock,
      random: () => 0,
      onError: () => undefined,
    })
    await clock.advance(1)
    await expect.poll(() => calls).toBe(3)
    expect(reflector.cache()).toBeUndefined()
    expect(reflector.status().phase).toBe('syncing')
    lastPage.resolve()
    expect((await reflector.whenKnown()).size).toBe(1_200)
    expect(collection.lists().map((options) => options.limit)).toEqual([500, 500, 500])
  })

  test('a continue token that expires begins anew, once, without pages', async () => {
    const collection = scriptedCollection()
    for (let index = 0; index < 700; index += 1) collection.put(`m${index}`, {})
    const { clock, reflector } = setUp(collection)
    const { kube } = collection
    let first = true
    const original = kube.list
    Object.assign(kube, {
      list: async (...parameters: Parameters<Kube['list']>) => {
        const page = await original(...parameters)
        if (first) {
          collection.put('late', {})
          collection.compact()
        }
        first = false
        return page
      },
    })
    await clock.advance(1)
    expect((await reflector.whenKnown()).size).toBe(701)
    expect(collection.lists().map((options) => [options.limit, options.continue !== undefined])).toEqual([
      [500, false],
      [500, true],
      [undefined, false],
    ])
    await reflector[Symbol.asyncDispose]()
  })

  test('a refusal is told, and retried slowly', async () => {
    const collection = scriptedCollection()
    collection.put('a', {})
    const { clock, reflector, fail, settle, errors } = setUp(collection)
    fail('list', faults.forbidden())
    await clock.advance(1)
    await settle()
    expect(reflector.status()).toMatchObject({ phase: 'degraded', why: 'you may not' })
    expect(errors).toHaveLength(1)
    await clock.advance(59_000)
    await settle()
    expect(reflector.cache()).toBeUndefined()
    await clock.advance(62_000)
    await settle()
    expect(contentOf(reflector)).toEqual({ a: {} })
    expect(reflector.status().phase).toBe('synced')
    await reflector[Symbol.asyncDispose]()
  })

  test('waiting for it ends with the signal and with the reflector', async () => {
    const { reflector, fail, clock } = setUp(scriptedCollection())
    fail('list', faults.unreachable())
    await clock.advance(1)
    const waiting = reflector.whenKnown()
    await expect(reflector.whenKnown(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
    await reflector[Symbol.asyncDispose]()
    await expect(waiting).rejects.toThrow('stopped')
  })
})

describe('after the first list', () => {
  async function known(collection: ScriptedCollection) {
    const parts = setUp(collection)
    await parts.clock.advance(1)
    await parts.reflector.whenKnown()
    await parts.settle()
    const changes: Target[] = []
    parts.reflector.onChange((target) => changes.push(target))
    return { ...parts, changes }
  }

  test('events change the cache and call the listeners', async () => {
    const collection = scriptedCollection()
    collection.put('a', { v: '1' })
    const { reflector, changes, settle } = await known(collection)
    collection.put('a', { v: '2' })
    collection.put('b', {})
    collection.drop('b')
    await settle()
    expect(contentOf(reflector)).toEqual({ a: { v: '2' } })
    expect(changes.map((target) => target.name)).toEqual(['a', 'b', 'b'])
    await reflector[Symbol.asyncDispose]()
  })

  test('410 lists again: what vanished meanwhile is told as a change', async () => {
    const collection = scriptedCollection()
    collection.put('a', {})
    collection.put('b', {})
    const { reflector, changes, settle, fail, clock } = await known(collection)
    fail('watch', faults.expired())
    collection.endWatches()
    collection.drop('a')
    collection.compact()
    await settle()
    await clock.advance(5_000)
    await settle()
    expect(contentOf(reflector)).toEqual({ b: {} })
    expect(changes).toEqual([{ namespace: 'test', name: 'a' }])
    await reflector[Symbol.asyncDispose]()
  })

  test('an orderly end resumes from the last version, a bookmark included, without a list', async () => {
    const collection = scriptedCollection()
    const { reflector, settle, clock } = await known(collection)
    collection.put('a', {})
    await settle()
    collection.compact()
    collection.bookmark()
    await settle()
    await clock.advance(2_000)
    collection.endWatches()
    await settle()
    expect(collection.watches().map((options) => options.resourceVersion)).toEqual(['100', '101'])
    expect(collection.lists()).toHaveLength(1)
    const timeouts = collection.watches().map((options) => options.timeoutSeconds ?? 0)
    expect(Math.min(...timeouts)).toBeGreaterThanOrEqual(300)
    expect(Math.max(...timeouts)).toBeLessThan(600)
    await reflector[Symbol.asyncDispose]()
  })

  test('150 s of silence end the watch and resume it', async () => {
    const collection = scriptedCollection()
    const { reflector, settle, clock } = await known(collection)
    await clock.advance(149_000)
    collection.bookmark()
    await settle()
    await clock.advance(149_000)
    await settle()
    expect(collection.watches()).toHaveLength(1)
    await clock.advance(2_000)
    await settle()
    expect(collection.watches()).toHaveLength(2)
    expect(reflector.status().phase).toBe('synced')
    await reflector[Symbol.asyncDispose]()
  })

  test('a listener that throws costs the others nothing', async () => {
    const collection = scriptedCollection()
    const { reflector, settle, errors, changes } = await known(collection)
    reflector.onChange(() => {
      throw new Error('a bug')
    })
    const later: Target[] = []
    reflector.onChange((target) => later.push(target))
    collection.put('a', {})
    await settle()
    expect([changes.length, later.length]).toEqual([1, 1])
    expect(errors.map((error) => error.message)).toEqual(['a bug'])
    await reflector[Symbol.asyncDispose]()
  })
})

test('what is large and useless to a reader is not kept', () => {
  const cache = objectCache<'configmaps'>()
  const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'
  const metadata = {
    name: 'a',
    uid: 'u',
    resourceVersion: '1',
    annotations: { [lastApplied]: '{}', mine: 'x' },
  }
  cache.put({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...metadata, managedFields: [{ manager: 'm' }] },
  })
  expect(cache.get({ name: 'a' })?.metadata).toEqual({ ...metadata, annotations: { mine: 'x' } })
})

const seeds = Array.from({ length: 30 }, (_, index) => index + 1)
test.each(seeds)('whatever fails, it ends up with what the server has (seed %d)', async (seed) => {
  const random = seededRandom(seed)
  const collection = scriptedCollection()
  const { clock, reflector, fail, settle } = setUp(collection, seed)
  const mirrored = new Map<string, unknown>()
  reflector.onChange(({ name }) => {
    const object = reflector.cache()?.get({ namespace: 'test', name })
    if (object) mirrored.set(name, object.data)
    else mirrored.delete(name)
  })
  const anyFault = (): Fault =>
    [
      faults.expired(),
      faults.tooManyRequests(3),
      faults.futureVersion(),
      faults.unreachable(),
      faults.cutWatch(Math.floor(random() * 3)),
    ][Math.floor(random() * 5)] ?? faults.unreachable()
  for (let step = 0; step < 120; step += 1) {
    const choice = random()
    if (choice < 0.4) collection.put(`m${Math.floor(random() * 12)}`, { step: String(step) })
    else if (choice < 0.6) collection.drop(`m${Math.floor(random() * 12)}`)
    else if (choice < 0.75) fail(random() < 0.3 ? 'list' : 'watch', anyFault())
    else if (choice < 0.85) collection.endWatches()
    else if (choice < 0.9) collection.compact()
    else await clock.advance(Math.floor(random() * 40_000))
    if (random() < 0.5) await settle()
  }
  for (let round = 0; round < 40; round += 1) {
    await clock.advance(30_000)
    await settle()
  }
  expect(contentOf(reflector)).toEqual(contentOfModel(collection))
  expect(Object.fromEntries(mirrored)).toEqual(contentOfModel(collection))
  await reflector[Symbol.asyncDispose]()
})

test('readers of the same selection share one stream, which ends with the last of them', async () => {
  const collection = scriptedCollection()
  const clock = manualClock()
  const shared = clusterReflectors({
    kube: collection.kube,
    clock,
    random: () => 0,
    onError: () => undefined,
  })
  const one = shared.open('configmaps', { labelSelector: 'a=b' })
  const two = shared.open('configmaps', { labelSelector: 'a=b' })
  const other = shared.open('configmaps')
  await clock.advance(1)
  await Promise.all([one.whenKnown(), two.whenKnown(), other.whenKnown()])
  expect(collection.lists()).toHaveLength(2)
  expect(shared.statuses()).toHaveLength(2)
  await one[Symbol.asyncDispose]()
  await one[Symbol.asyncDispose]()
  expect(shared.statuses()).toHaveLength(2)
  await two[Symbol.asyncDispose]()
  expect(shared.statuses()).toHaveLength(1)
  await shared[Symbol.asyncDispose]()
})
