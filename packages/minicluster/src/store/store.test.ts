import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import type { AnyObject } from '../model.ts'
import { SyncError, type LogFolder } from './log.ts'
import { openStore, storeOver, type Store, type StoreOptions } from './store.ts'

let dataFolder = ''
const warnings: string[] = []

beforeEach(async () => {
  dataFolder = await mkdtemp(join(tmpdir(), 'slipway-store-'))
  warnings.length = 0
})
afterEach(() => rm(dataFolder, { recursive: true }))

function open(options: Partial<StoreOptions> = {}): Promise<Store> {
  return openStore({
    dataFolder,
    log: (level, message) => void (level === 'warn' && warnings.push(message)),
    ...options,
  })
}

function configMap(name: string, value = 'x'): AnyObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      namespace: 'default',
      uid: name,
      resourceVersion: '',
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    data: { value },
  }
}

test('an object is visible once its write resolves, frozen, with a version', async () => {
  await using store = await open()
  const writing = store.put('configmaps', configMap('a'))
  expect(store.get('configmaps', 'default', 'a')).toBeUndefined()
  expect(store.head.get('configmaps', 'default', 'a')).toBeDefined()
  const kept = await writing
  expect(store.get('configmaps', 'default', 'a')).toBe(kept)
  expect(Object.isFrozen(kept['data'])).toBe(true)
  expect(Number(kept.metadata.resourceVersion)).toBe(store.version())
})

test('everything is there after reopening, and versions only grow', async () => {
  let version = 0
  {
    await using store = await open()
    await Promise.all(['a', 'b', 'c'].map((name) => store.put('configmaps', configMap(name))))
    await store.erase('configmaps', must(store.get('configmaps', 'default', 'b')))
    version = store.version()
  }
  await using store = await open()
  expect(store.list('configmaps').map(({ metadata }) => metadata.name)).toEqual(['a', 'c'])
  expect(store.version()).toBeGreaterThan(version)
  expect(store.changesAfter('configmaps', version)).toEqual([])
  expect(store.changesAfter('configmaps', version - 1)).toBeUndefined()
})

test('a log cut short in a frame loses only that frame and says so', async () => {
  {
    await using store = await open()
    await store.put('configmaps', configMap('a'))
    await store.put('configmaps', configMap('b'))
  }
  const path = join(dataFolder, 'store', 'log-0')
  const bytes = await readFile(path)
  await writeFile(path, bytes.subarray(0, -5))
  {
    await using store = await open()
    expect(store.list('configmaps').map(({ metadata }) => metadata.name)).toEqual(['a'])
    expect(warnings).toHaveLength(1)
    await store.put('configmaps', configMap('c'))
  }
  await using store = await open()
  expect(store.list('configmaps').map(({ metadata }) => metadata.name)).toEqual(['a', 'c'])
})

test('garbage behind the log is dropped', async () => {
  {
    await using store = await open()
    await store.put('configmaps', configMap('a'))
  }
  await appendFile(join(dataFolder, 'store', 'log-0'), Buffer.alloc(4096))
  await using store = await open()
  expect(store.list('configmaps')).toHaveLength(1)
})

test('a snapshot replaces the logs before it and keeps the state', async () => {
  {
    await using store = await open({ snapshotMinBytes: 20_000 })
    for (let round = 0; round < 40; round += 1)
      await Promise.all(
        Array.from({ length: 10 }, (_, index) => store.put('configmaps', configMap(`m${index}`, `${round}`))),
      )
  }
  const names = await readdir(join(dataFolder, 'store'))
  expect(names.filter((name) => name.startsWith('snapshot-'))).toHaveLength(1)
  expect(names).not.toContain('log-0')
  await using store = await open()
  expect(store.list('configmaps').map((one) => one['data'])).toEqual(
    Array.from({ length: 10 }, () => ({ value: '39' })),
  )
})

test('a damaged snapshot is refused rather than half read', async () => {
  {
    await using store = await open({ snapshotMinBytes: 1_000 })
    for (let index = 0; index < 20; index += 1) await store.put('configmaps', configMap(`m${index}`))
  }
  const names = await readdir(join(dataFolder, 'store'))
  const path = join(dataFolder, 'store', must(names.find((name) => name.startsWith('snapshot-'))))
  const bytes = await readFile(path)
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
  await writeFile(path, bytes)
  await expect(open()).rejects.toThrow('damaged')
})

test('observers see each change once, in order, with the object before', async () => {
  await using store = await open()
  const seen: string[] = []
  using _ = store.observe(({ type, object, old }) => {
    seen.push(`${type} ${object.metadata.name} ${JSON.stringify(old?.['data'] ?? null)}`)
  })
  const first = store.put('configmaps', configMap('a', '1'))
  const second = store.put('configmaps', configMap('a', '2'))
  await Promise.all([first, second])
  const gone = await store.erase('configmaps', await second)
  expect(seen).toEqual(['ADDED a null', 'MODIFIED a {"value":"1"}', 'DELETED a {"value":"2"}'])
  expect(Number(gone.metadata.resourceVersion)).toBe(store.version())
})

test('an object erased and made again before either is durable exists', async () => {
  await using store = await open()
  const first = await store.put('configmaps', configMap('a', '1'))
  const erased = store.erase('configmaps', first)
  expect(store.head.get('configmaps', 'default', 'a')).toBeUndefined()
  const made = store.put('configmaps', configMap('a', '2'))
  expect(store.head.list('configmaps')).toHaveLength(1)
  await Promise.all([erased, made])
  expect(store.get('configmaps', 'default', 'a')?.['data']).toEqual({ value: '2' })
})

test('the ring forgets the oldest changes and then says so', async () => {
  await using store = await open({ ringCapacity: 4 })
  const first = await store.put('configmaps', configMap('a', '0'))
  for (let round = 1; round < 12; round += 1) await store.put('configmaps', configMap('a', `${round}`))
  expect(store.changesAfter('configmaps', Number(first.metadata.resourceVersion))).toBeUndefined()
  expect(store.changesAfter('configmaps', store.version() - 2)).toHaveLength(2)
})

function storeOnDisk(append: LogFolder['append']): Store {
  const folder: LogFolder = {
    append,
    sizeBytes: () => 0,
    rotate: () => Promise.resolve(),
    writeSnapshot: () => Promise.resolve(0),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
  const recovered = { entries: [], version: 0, snapshotBytes: 0, logBytes: 0 }
  return storeOver(folder, recovered, { dataFolder, log: () => undefined })
}

test('when the disk is full all writes under way are refused, nothing of them stays, and later ones work', async () => {
  let isFull = true
  await using store = storeOnDisk(() => (isFull ? Promise.reject(new Error('ENOSPC')) : Promise.resolve()))
  const results = await Promise.allSettled(['a', 'b'].map((name) => store.put('configmaps', configMap(name))))
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(store.head.list('configmaps')).toEqual([])
  isFull = false
  await store.put('configmaps', configMap('c'))
  expect(store.list('configmaps')).toHaveLength(1)
})

test('after a failed sync nothing is acknowledged any more', async () => {
  let failures = 1
  await using store = storeOnDisk(() => {
    failures -= 1
    return failures >= 0 ? Promise.reject(new SyncError('EIO')) : Promise.resolve()
  })
  await expect(store.put('configmaps', configMap('a'))).rejects.toMatchObject({ code: 500 })
  expect(() => store.put('configmaps', configMap('b'))).toThrow('cannot write to its disk')
})

test('a listener that fails keeps neither the writer nor the other listeners', async () => {
  await using store = await open()
  const seen: string[] = []
  using _first = store.observe(() => {
    throw new Error('a bug')
  })
  using _second = store.observe(({ object }) => void seen.push(object.metadata.name))
  await store.put('configmaps', configMap('a'))
  expect(seen).toEqual(['a'])
})

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('expected a value')
  return value
}
