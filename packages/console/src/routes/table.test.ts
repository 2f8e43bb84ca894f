import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { consoleKeys } from '@slipway/messages'
import { expect, test } from 'vitest'

import { parseSearchText, pathTo, searchText } from './path.ts'
import { routeEntries } from './table.ts'

const source = fileURLToPath(new URL('..', import.meta.url))
const screens = readdirSync(join(source, 'screens'))

test('every place has a screen, and every screen a place', () => {
  const named = new Set(routeEntries.map(([, { screen }]) => screen))
  expect([...named].sort()).toEqual([...screens].sort())
})

test('no two places share an address or a key', () => {
  const paths = routeEntries.map(([, { path }]) => path.replaceAll(/\$[a-zA-Z]+/gu, '$'))
  expect(new Set(paths).size).toBe(paths.length)
  const keys = routeEntries.flatMap(([, { key }]) => (key === undefined ? [] : [key]))
  expect(new Set(keys).size).toBe(keys.length)
})

test('parameters are escaped, and empty search values left out', () => {
  expect(pathTo('workload', { workload: 'a/b c' })).toBe('/workloads/a%2Fb%20c')
  expect(pathTo('workloads', undefined, { text: 'a&b', health: undefined })).toBe('/workloads?text=a%26b')
})

test('a search is read as it was written, whatever stands in a link', () => {
  expect(parseSearchText(searchText({ text: '船台 & more', empty: '' }))).toEqual({ text: '船台 & more' })
  expect(parseSearchText('?a=1&a=2&%zz')).toEqual({ a: '2', '%zz': '' })
})

test('no screen uses another screen', () => {
  const files = readdirSync(join(source, 'screens'), { recursive: true, encoding: 'utf8' })
  const problems = files
    .filter((file) => /\.tsx?$/u.test(file))
    .filter((file) => {
      const [own = ''] = file.split('/')
      const text = readFileSync(join(source, 'screens', file), 'utf8')
      return screens.some(
        (other) => other !== own && text.includes(`/${other}/`) && text.includes(`'../${other}/`),
      )
    })
  expect(problems).toEqual([])
})

test('every text of the console is used', () => {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.tsx?$/u.test(file),
  )
  const code = files.map((file) => readFileSync(join(source, file), 'utf8')).join('\n')
  const isUsed = (key: string): boolean => {
    const parts = key.split('.')
    // A key may be put together from a beginning and a value: `release.state.${state}`.
    const beginnings = parts.map((_, index) => `\`${parts.slice(0, index).join('.')}.\${`)
    return (
      code.includes(`'${key}'`) ||
      beginnings.some((beginning) => beginning !== '`.${' && code.includes(beginning))
    )
  }
  expect(consoleKeys().filter((key) => !isUsed(key))).toEqual([])
})
