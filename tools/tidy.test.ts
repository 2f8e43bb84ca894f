/*
 * The boundary rules of the house, as data. A rule that tools cannot check elsewhere stands here; every exception is listed
 * with its reason, and an exception that is no longer needed fails too.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

import { describe, expect, test } from 'vitest'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

type Import = {
  readonly file: string
  readonly from: string
  readonly names: string
  readonly typeOnly: boolean
}

const files = sourceFiles(join(root, 'packages'))
const imports: readonly Import[] = files.flatMap(importsOf)

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory())
      return ['node_modules', 'dist', 'generated'].includes(entry.name) ? [] : sourceFiles(path)
    return /\.tsx?$/u.test(entry.name) ? [relative(root, path)] : []
  })
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8')
  const found = text.matchAll(
    /^(?:import|export)\s+(type\s+)?([^'";]*?)\s*from\s+'([^']+)'|^import\s+'([^']+)'|import\('([^']+)'\)/gmu,
  )
  return [...found].map(([, type, names = '', from, bare, dynamic]) => ({
    file,
    from: from ?? bare ?? dynamic ?? '',
    names,
    typeOnly: type !== undefined,
  }))
}

const packageOf = (file: string): string => file.split('/')[1] ?? ''
const isTest = (file: string): boolean =>
  /\.test\.tsx?$|\/testing\/|\/testing(-[a-z-]+)?\.ts$|\.helper\.ts$/u.test(file) ||
  packageOf(file) === 'testkit'

/** Which packages each package may import. Arrows point down only; the one sideways arrow is minicluster → oci. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  kit: [],
  contract: ['kit'],
  messages: ['kit'],
  db: ['kit'],
  kube: ['kit'],
  agent: ['kit'],
  oci: ['kit'],
  minicluster: ['kit', 'oci'],
  sdk: ['kit', 'contract'],
  platform: ['kit', 'contract', 'messages', 'db', 'kube', 'agent', 'oci'],
  cli: ['kit', 'contract', 'messages', 'sdk'],
  console: ['kit', 'contract', 'messages', 'sdk'],
  launcher: ['kit', 'messages', 'db', 'platform', 'minicluster', 'console'],
  testkit: ['kit', 'contract', 'messages', 'db', 'kube', 'oci', 'minicluster', 'sdk', 'platform', 'cli'],
}

/** Modules of the platform that each module may use: foundation ← where and what ← ship and run. No cycles. */
const moduleEdges: Readonly<Record<string, readonly string[]>> = {
  access: [],
  audit: [],
  identity: ['access'],
  fleet: ['access'],
  tenancy: ['access'],
  app: ['access', 'fleet', 'tenancy'],
  source: ['access', 'app', 'tenancy'],
  image: ['access', 'app', 'audit', 'fleet', 'identity', 'tenancy'],
  build: ['access', 'app', 'fleet', 'image', 'source', 'tenancy'],
  release: ['access', 'app', 'fleet', 'image', 'tenancy'],
  instance: ['access', 'app', 'fleet', 'release', 'tenancy'],
  node: ['access', 'app', 'build', 'fleet', 'instance', 'tenancy'],
  location: ['access', 'fleet'],
  evacuation: ['access', 'app', 'fleet', 'instance'],
  pool: ['access', 'app', 'evacuation', 'fleet', 'instance', 'tenancy'],
  event: ['access'],
}

type Exception = { readonly file: string; readonly from: string; readonly why: string }
const exceptions: readonly Exception[] = []

/** Problems minus the listed exceptions; an exception that covers nothing is a problem itself. */
function unexplained(
  rule: string,
  problems: readonly Import[],
  listed: readonly Exception[] = exceptions,
): string[] {
  const covers = (exception: Exception, problem: Import): boolean =>
    problem.file === exception.file && problem.from === exception.from
  const open = problems.filter((problem) => !listed.some((exception) => covers(exception, problem)))
  const surplus = listed.filter((exception) => !problems.some((problem) => covers(exception, problem)))
  return [
    ...open.map(({ file, from }) => `${rule}: ${file} imports ${from}`),
    ...surplus.map(({ file, from }) => `${rule}: no longer needed: ${file} → ${from}`),
  ]
}

/** Absolute target of a relative import, below the root. */
const targetOf = ({ file, from }: Import): string => relative(root, resolve(root, dirname(file), from))

describe('packages', () => {
  test('there is something to look at', () => {
    expect(files.length).toBeGreaterThan(100)
    expect(imports.length).toBeGreaterThan(500)
    expect(files.filter((file) => allowed[packageOf(file)] === undefined)).toEqual([])
  })

  test('arrows point down only', () => {
    const problems = imports.filter(({ file, from }) => {
      const match = /^@slipway\/([a-z]+)/u.exec(from)
      if (!match || isTest(file)) return false
      return !(allowed[packageOf(file)] ?? []).includes(match[1] ?? '')
    })
    expect(unexplained('arrow', problems)).toEqual([])
  })

  test('a package is imported by name, never by its insides', () => {
    const problems = imports.filter((one) => {
      if (one.from.startsWith('.'))
        return !targetOf(one).startsWith(`packages/${packageOf(one.file)}/`) && !isTest(one.file)
      return /^@slipway\/[a-z]+\/(?!(?:testing|files)$)/u.test(one.from)
    })
    expect(unexplained('insides', problems)).toEqual([])
  })

  test('production code never imports tests, their helpers or the testkit', () => {
    const problems = imports.filter(
      ({ file, from }) => !isTest(file) && /testkit|\/testing|\.test|\.helper/u.test(from),
    )
    expect(unexplained('testkit', problems)).toEqual([])
  })

  test('relative imports end in .ts', () => {
    const problems = imports.filter(({ from }) => from.startsWith('.') && !/\.(ts|tsx|json|css)$/u.test(from))
    expect(unexplained('extension', problems)).toEqual([])
  })

  test('only the platform’s http knows Fastify, only db, migrations and queries know Kysely', () => {
    const fastify = imports.filter(
      ({ file, from }) =>
        /^(fastify|@fastify\/)/u.test(from) && !file.startsWith('packages/platform/src/http/'),
    )
    expect(unexplained('fastify', fastify)).toEqual([])
    const kysely = imports.filter(
      ({ file, from, typeOnly }) =>
        from === 'kysely' &&
        !isTest(file) &&
        !/^packages\/db\/|\/migrations\/|queries(\.ts|\/)/u.test(file) &&
        !(typeOnly && file.endsWith('tables.ts')),
    )
    expect(unexplained('kysely', kysely)).toEqual([])
  })

  test('the Kubernetes client library gives types and nothing else', () => {
    const problems = imports.filter(
      ({ from, typeOnly }) => from.startsWith('@kubernetes/client-node') && !typeOnly,
    )
    expect(unexplained('client-node', problems)).toEqual([])
  })
})

describe('modules of the platform', () => {
  const moduleOf = (path: string): string | undefined =>
    /^packages\/platform\/src\/modules\/([a-z]+)\//u.exec(path)?.[1]
  const inside = imports.filter(
    ({ file, from }) => moduleOf(file) !== undefined && from.startsWith('.') && !isTest(file),
  )

  test('edges between modules stand in the table', () => {
    const problems = inside.filter((one) => {
      const [from, to] = [moduleOf(one.file), moduleOf(targetOf(one))]
      return to !== undefined && from !== to && !(moduleEdges[from ?? ''] ?? []).includes(to)
    })
    expect(unexplained('edge', problems)).toEqual([])
  })

  test('the table of edges has no cycles', () => {
    const visit = (name: string, path: readonly string[]): void => {
      expect(path, `cycle ${[...path, name].join(' → ')}`).not.toContain(name)
      for (const next of moduleEdges[name] ?? []) visit(next, [...path, name])
    }
    for (const name of Object.keys(moduleEdges)) visit(name, [])
  })

  test('a module is used through its index', () => {
    const problems = inside.filter((one) => {
      const [from, to] = [moduleOf(one.file), moduleOf(targetOf(one))]
      return to !== undefined && from !== to && !targetOf(one).endsWith(`/${to}/index.ts`)
    })
    expect(unexplained('index', problems)).toEqual([])
  })

  test('plan.ts and model.ts import no I/O and no framework', () => {
    const pure = /^(\.|@slipway\/(kit|contract|kube|oci)|node:(crypto|path|util|net))/u
    const problems = inside
      .concat(imports.filter(({ file }) => moduleOf(file) !== undefined))
      .filter(
        ({ file, from, typeOnly }) =>
          /\/(plan|model|shape)\.ts$/u.test(file) &&
          !typeOnly &&
          (!pure.test(from) || /queries|service|routes|connections|tables/u.test(from)),
      )
    expect(unexplained('pure', problems)).toEqual([])
  })

  test('tables are named by their own module only', () => {
    const problems = files
      .filter((file) => moduleOf(file) !== undefined && !isTest(file))
      .flatMap((file) => {
        const text = readFileSync(join(root, file), 'utf8')
        const named = text.matchAll(
          /(?:selectFrom|insertInto|updateTable|deleteFrom|innerJoin|leftJoin)\('([a-z]+)_/gu,
        )
        return [...named]
          .filter(([, prefix]) => prefix !== moduleOf(file))
          .map(([, prefix]) => ({ file, from: `${prefix}_*`, names: '', typeOnly: false }))
      })
    expect(unexplained('tables', problems)).toEqual([])
  })
})

describe('the sources', () => {
  test('no file outgrows its room', () => {
    const limit = 500
    const large = files
      .map((file) => ({ file, lines: readFileSync(join(root, file), 'utf8').split('\n').length }))
      .filter(({ file, lines }) => lines > limit && !isTest(file))
    expect(large).toEqual([])
  })

  test('no shell strings, no marks of unfinished work', () => {
    const bad = files
      .filter((file) => !isTest(file))
      .filter((file) =>
        /shell: true|\bTODO\b|\bFIXME\b|\bXXX\b/u.test(readFileSync(join(root, file), 'utf8')),
      )
    expect(bad).toEqual([])
  })
})
