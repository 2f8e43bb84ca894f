import { isRecord } from '@slipway/kit'

import { cliErrors } from '../errors.ts'

/*
 * The path language of --query: the part of JMESPath (jmespath.org) that picks fields. `a.b`, `"odd name"`, `[0]`, `[-1]`,
 * `[*].a`, `[]` (flatten), `*.a` (values), `[?a=='x' && b>\`1\`]`, `{name: a, id: b}`, `[a, b]`, `@`, `a | b`, and the
 * functions length, keys, values, sort. What is missing is null, as in JMESPath; text that cannot be read is a usage error.
 * A recursive-descent parser builds closures; after a projection, what follows is applied to every element.
 */

type Select = (value: unknown) => unknown
type Parser = { readonly source: string; position: number; depth: number }

const LENGTH_MAX = 2_000
const DEPTH_MAX = 40

/** Compiles a query. @throws {AppError} `query_invalid`, with the character where it stops making sense */
export function compileQuery(source: string): Select {
  if (source.length > LENGTH_MAX) throw cliErrors.query_invalid({ position: LENGTH_MAX, problem: 'too long' })
  const parser: Parser = { source, position: 0, depth: 0 }
  const select = parsePipe(parser)
  skipSpace(parser)
  if (parser.position < source.length) fail(parser, 'unexpected text')
  return select
}

function fail(parser: Parser, problem: string): never {
  throw cliErrors.query_invalid({ position: parser.position + 1, problem })
}

function skipSpace(parser: Parser): void {
  while (/\s/u.test(parser.source.charAt(parser.position))) parser.position += 1
}

/** Takes `token` if it comes next. */
function take(parser: Parser, token: string): boolean {
  skipSpace(parser)
  if (!parser.source.startsWith(token, parser.position)) return false
  parser.position += token.length
  return true
}

function expect(parser: Parser, token: string): void {
  if (!take(parser, token)) fail(parser, `"${token}" is missing`)
}

function match(parser: Parser, pattern: RegExp): string | undefined {
  skipSpace(parser)
  const sticky = new RegExp(pattern, 'uy')
  sticky.lastIndex = parser.position
  const found = sticky.exec(parser.source)?.[0]
  if (found !== undefined) parser.position += found.length
  return found
}

function parsePipe(parser: Parser): Select {
  parser.depth += 1
  if (parser.depth > DEPTH_MAX) fail(parser, 'nested too deep')
  let select = parseOr(parser)
  while (!parser.source.startsWith('||', parser.position) && take(parser, '|')) {
    const [before, after] = [select, parseOr(parser)]
    select = (value) => after(before(value))
  }
  parser.depth -= 1
  return select
}

function parseOr(parser: Parser): Select {
  let select = parseAnd(parser)
  while (take(parser, '||')) {
    const [left, right] = [select, parseAnd(parser)]
    select = (value) => (isTrue(left(value)) ? left(value) : right(value))
  }
  return select
}

function parseAnd(parser: Parser): Select {
  let select = parseComparison(parser)
  while (take(parser, '&&')) {
    const [left, right] = [select, parseComparison(parser)]
    select = (value) => (isTrue(left(value)) ? right(value) : left(value))
  }
  return select
}

function isTrue(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return false
  if (Array.isArray(value)) return value.length > 0
  return !isRecord(value) || Object.keys(value).length > 0
}

const COMPARISONS: Readonly<Record<string, (left: unknown, right: unknown) => boolean | null>> = {
  '==': (left, right) => isEqual(left, right),
  '!=': (left, right) => !isEqual(left, right),
  '<=': (left, right) => compareNumbers(left, right, (a, b) => a <= b),
  '>=': (left, right) => compareNumbers(left, right, (a, b) => a >= b),
  '<': (left, right) => compareNumbers(left, right, (a, b) => a < b),
  '>': (left, right) => compareNumbers(left, right, (a, b) => a > b),
}

function isEqual(left: unknown, right: unknown): boolean {
  return JSON.stringify(left ?? null) === JSON.stringify(right ?? null)
}

function compareNumbers(
  left: unknown,
  right: unknown,
  test: (a: number, b: number) => boolean,
): boolean | null {
  return typeof left === 'number' && typeof right === 'number' ? test(left, right) : null
}

function parseComparison(parser: Parser): Select {
  const left = parseChain(parser)
  const compare = COMPARISONS[match(parser, /[=!<>]=|[<>]/) ?? '']
  if (compare === undefined) return left
  const right = parseChain(parser)
  return (value) => compare(left(value), right(value))
}

function parseChain(parser: Parser): Select {
  if (take(parser, '!')) {
    const inner = parseChain(parser)
    return (value) => !isTrue(inner(value))
  }
  return parseSuffixes(parser, parseFirst(parser))
}

function parseFirst(parser: Parser): Select {
  if (take(parser, '@')) return (value) => value
  if (take(parser, '(')) {
    const inner = parsePipe(parser)
    expect(parser, ')')
    return inner
  }
  if (take(parser, '{')) return parseHash(parser)
  const raw = match(parser, /'(?:[^'\\]|\\.)*'/)
  if (raw !== undefined) return constant(raw.slice(1, -1).replaceAll(/\\(['\\])/gu, '$1'))
  const literal = match(parser, /`(?:[^`\\]|\\.)*`/)
  if (literal !== undefined) return constant(jsonOf(parser, literal.slice(1, -1).replaceAll('\\`', '`')))
  if (take(parser, '*')) return projection(parser, (value) => (isRecord(value) ? Object.values(value) : null))
  skipSpace(parser)
  if (parser.source.charAt(parser.position) === '[') return parseBracket(parser, true)
  return parseField(parser)
}

const constant =
  (fixed: unknown): Select =>
  () =>
    fixed

function jsonOf(parser: Parser, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // What was wrong with it is less useful than where it stands.
    return fail(parser, 'a literal that is not JSON')
  }
}

function parseField(parser: Parser): Select {
  const quoted = match(parser, /"(?:[^"\\]|\\.)*"/)
  const name = quoted === undefined ? match(parser, /[A-Za-z_][A-Za-z0-9_-]*/) : jsonOf(parser, quoted)
  if (typeof name !== 'string') fail(parser, 'a field name is missing')
  if (quoted === undefined && take(parser, '(')) return parseCall(parser, name)
  return (value) => (isRecord(value) && Object.hasOwn(value, name) ? value[name] : null)
}

const FUNCTIONS: Readonly<Record<string, Select>> = {
  length: (value) =>
    typeof value === 'string' || Array.isArray(value)
      ? value.length
      : isRecord(value)
        ? Object.keys(value).length
        : null,
  keys: (value) => (isRecord(value) ? Object.keys(value) : null),
  values: (value) => (isRecord(value) ? Object.values(value) : null),
  sort: (value) => (Array.isArray(value) ? value.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)) : null),
}

function parseCall(parser: Parser, name: string): Select {
  const run = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined
  if (run === undefined) return fail(parser, `there is no function ${name}`)
  const argument = parsePipe(parser)
  expect(parser, ')')
  return (value) => run(argument(value))
}

function parseHash(parser: Parser): Select {
  const fields: [string, Select][] = []
  do {
    const name = match(parser, /[A-Za-z_][A-Za-z0-9_-]*|"(?:[^"\\]|\\.)*"/)
    if (name === undefined) return fail(parser, 'a field name is missing')
    expect(parser, ':')
    fields.push([name.startsWith('"') ? String(jsonOf(parser, name)) : name, parsePipe(parser)])
  } while (take(parser, ','))
  expect(parser, '}')
  return (value) =>
    value === null || value === undefined
      ? null
      : Object.fromEntries(fields.map(([name, select]) => [name, select(value) ?? null]))
}

/** In a projection `[]` ends what applies to each element: it flattens the projected list itself. */
function parseSuffixes(parser: Parser, first: Select, inProjection = false): Select {
  let select = first
  for (;;) {
    skipSpace(parser)
    const next = parser.source.charAt(parser.position)
    if (next !== '.' && next !== '[') return select
    if (inProjection && /^\[\s*\]/u.test(parser.source.slice(parser.position))) return select
    const [before, after] = [select, next === '.' ? parseDot(parser) : parseBracket(parser, false)]
    select = (value) => after(before(value) ?? null)
  }
}

function parseDot(parser: Parser): Select {
  expect(parser, '.')
  if (take(parser, '*')) return projection(parser, (value) => (isRecord(value) ? Object.values(value) : null))
  if (take(parser, '{')) return parseHash(parser)
  skipSpace(parser)
  return parser.source.charAt(parser.position) === '[' ? parseList(parser) : parseField(parser)
}

function parseBracket(parser: Parser, isFirst: boolean): Select {
  const start = parser.position
  expect(parser, '[')
  if (take(parser, '*')) {
    expect(parser, ']')
    return projection(parser, (value) => (Array.isArray(value) ? value : null))
  }
  if (take(parser, '?')) {
    const test = parsePipe(parser)
    expect(parser, ']')
    return projection(parser, (value) =>
      Array.isArray(value) ? value.filter((item) => isTrue(test(item))) : null,
    )
  }
  if (take(parser, ']'))
    return projection(parser, (value) =>
      Array.isArray(value) ? value.flatMap((item): unknown => item) : null,
    )
  const index = match(parser, /-?[0-9]{1,9}(?=\s*\])/)
  if (index !== undefined) {
    expect(parser, ']')
    return (value) =>
      Array.isArray(value) ? ((value as readonly unknown[]).at(Number(index)) ?? null) : null
  }
  if (!isFirst) fail(parser, 'an index, *, ? or ] is missing')
  parser.position = start
  return parseList(parser)
}

function parseList(parser: Parser): Select {
  expect(parser, '[')
  const selects = [parsePipe(parser)]
  while (take(parser, ',')) selects.push(parsePipe(parser))
  expect(parser, ']')
  return (value) =>
    value === null || value === undefined ? null : selects.map((select) => select(value) ?? null)
}

/** What follows applies to each element; elements that come out null are dropped. */
function projection(parser: Parser, elements: (value: unknown) => readonly unknown[] | null): Select {
  const rest = parseSuffixes(parser, (value) => value, true)
  return (value) =>
    elements(value)
      ?.map((item) => rest(item))
      .filter((item) => item !== null && item !== undefined) ?? null
}
