import { describe, expect, test } from 'vitest'

import type { Deps } from './deps.ts'
import { environmentParts, isId, workloadIdOf, workloadParts } from './names.ts'

describe('the name of a Workload', () => {
  const context = { project: 'shop', environment: 'test' }
  test.each([
    ['a/b/c', {}, { project: 'a', application: 'b', environment: 'c' }],
    ['b/c', context, { project: 'shop', application: 'b', environment: 'c' }],
    ['b', context, { project: 'shop', application: 'b', environment: 'test' }],
  ])('%s', (name, given, expected) => expect(workloadParts(name, given)).toEqual(expected))

  test.each([
    ['b/c', {}, 'name_incomplete'],
    ['b', { project: 'shop' }, 'name_incomplete'],
    ['a/b/c/d', context, 'argument_invalid'],
    ['', context, 'argument_invalid'],
    ['a//c', context, 'argument_invalid'],
  ])('%s with %o is refused', (name, given, code) => {
    expect(() => workloadParts(name, given)).toThrow(expect.objectContaining({ code }) as Error)
  })
})

test('an Environment is named with or without its Project', () => {
  expect(environmentParts('shop/test', undefined)).toEqual({ project: 'shop', environment: 'test' })
  expect(environmentParts('test', 'shop')).toEqual({ project: 'shop', environment: 'test' })
  expect(() => environmentParts('test', undefined)).toThrow(
    expect.objectContaining({ code: 'name_incomplete' }) as Error,
  )
})

test('an id is told from a name', () => {
  expect(isId('prj_01k9x2v7c8d3f4g5h6j7m8n9pq', 'prj')).toBe(true)
  expect(isId('prj_01k9x2v7c8d3f4g5h6j7m8n9pq', 'org')).toBe(false)
  expect(isId('shop', 'prj')).toBe(false)
})

describe('the id of a Workload', () => {
  const asked: unknown[] = []
  const deps = {
    server: () => ({ context: { project: 'shop', environment: 'test' } }),
    api: () => ({
      listWorkloads: (request: { readonly name: string }) => {
        asked.push(request)
        return Promise.resolve({ items: request.name === 'shop/api/test' ? [{ id: 'wrk_1' }] : [] })
      },
    }),
  } as unknown as Deps

  test('is looked up by the whole name, missing parts from the context', async () => {
    expect(await workloadIdOf(deps, 'api')).toBe('wrk_1')
    expect(asked).toEqual([{ name: 'shop/api/test' }])
  })

  test('is taken as it is when it is one, and a name nobody has is refused', async () => {
    const id = 'wrk_01k9x2v7c8d3f4g5h6j7m8n9pq'
    expect(await workloadIdOf(deps, id)).toBe(id)
    await expect(workloadIdOf(deps, 'shop/web/test')).rejects.toMatchObject({ code: 'name_unknown' })
  })
})
