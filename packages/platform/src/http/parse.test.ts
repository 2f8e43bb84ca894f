import { contract } from '@slipway/contract'
import { AppError, isRecord } from '@slipway/kit'
import { errorText, type Language } from '@slipway/messages'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { parsePart } from './parse.ts'

const refusal = (schema: z.ZodType, value: unknown, language: Language): string => {
  try {
    parsePart('body', schema, value)
  } catch (thrown) {
    if (thrown instanceof AppError) return errorText(language, thrown.code, thrown.params)
    throw thrown
  }
  return ''
}

/** What stands for itself in both languages. */
const EXAMPLES = /[a-z]{3}_…\.?|\bweb\b|250m, 2|512Mi|\bdisk\b|topology\.kubernetes\.io\/zone|slipway\/pool/gu
const slug = z.string().regex(/^[a-z]+$/u, 'this name is reserved')
const cases: [when: string, schema: z.ZodType, value: unknown, english: string, chinese: string][] = [
  ['missing', z.strictObject({ a: z.string() }), {}, 'a: give a value', 'a：请填写该字段'],
  ['empty', z.strictObject({ a: z.string().min(1) }), { a: '' }, 'a: give a value', 'a：请填写该字段'],
  ['unknown', z.strictObject({}), { b: 1 }, 'there is no field b, leave it out', '不存在字段 b，请去掉'],
  [
    'of another type',
    z.strictObject({ a: z.int() }),
    { a: 1.5 },
    'a: a whole number is expected',
    'a：应为整数',
  ],
  ['long', z.string().max(3), 'four', 'at most 3 characters are expected', '最多 3 个字符'],
  ['short', z.string().min(2), 'x', 'at least 2 characters are expected', '至少需要 2 个字符'],
  ['many', z.array(z.string()).max(1), ['a', 'b'], 'at most 1 entries are expected', '最多 1 项'],
  ['few', z.array(z.string()).min(1), [], 'at least 1 entries are expected', '至少需要 1 项'],
  [
    'high',
    z.object({ a: z.object({ b: z.number().max(5) }) }),
    { a: { b: 9 } },
    'a.b: at most 5 is expected',
    'a.b：不能大于 5',
  ],
  ['low', z.number().min(1), 0, 'at least 1 is expected', '不能小于 1'],
  ['no choice', z.enum(['x', 'y']), 'z', 'one of these is expected: x, y', '只能是以下之一：x, y'],
  [
    'no time',
    z.iso.datetime(),
    'x',
    'a time such as 2026-01-31T08:00:00Z is expected',
    '应为 2026-01-31T08:00:00Z 形式的时间',
  ],
  [
    'of another form',
    z.string().regex(/^k/u),
    'x',
    'the form is not the expected one, which /docs shows',
    '格式不正确，正确格式见 /docs',
  ],
  [
    'no kind',
    z.discriminatedUnion('kind', [z.strictObject({ kind: z.literal('web') })]),
    { kind: 'x' },
    'kind: one of these is expected: web',
    'kind：只能是以下之一：web',
  ],
  ['told in own words', slug, 'V1', 'this name is reserved', '该名称已被保留，请换一个'],
  [
    'a key of another form',
    z.record(slug, z.string()),
    { V1: '' },
    'V1: this name is reserved',
    'V1：该名称已被保留，请换一个',
  ],
  [
    'none of several',
    z.union([z.string(), z.number()]),
    true,
    'none of the forms fits that /docs shows',
    '不符合任何一种允许的形式，见 /docs',
  ],
]

test.each(cases)(
  'a refusal says what is expected in both languages: %s',
  (_, schema, value, english, chinese) => {
    expect(refusal(schema, value, 'en')).toBe(`The body is not as declared: ${english}`)
    expect(refusal(schema, value, 'zh-CN')).toBe(`请求体不符合要求：${chinese}`)
  },
)

test('several problems stand beside each other, five at most, and no value is repeated', () => {
  const schema = z.record(z.string(), z.int())
  const said = refusal(schema, Object.fromEntries('abcdefg'.split('').map((key) => [key, 'secret'])), 'zh-CN')
  expect(said.split('；')).toHaveLength(5)
  expect(said).not.toContain('secret')
})

describe('what the schemas of the contract say in words of their own', () => {
  test.each([...ownWords(contract)].map((words) => [words]))('is known in Chinese: %s', (words) => {
    const schema = z.unknown().refine(() => false, { message: words })
    const left = refusal(schema, 1, 'zh-CN').replaceAll(EXAMPLES, '')
    expect(left).not.toMatch(/[A-Za-z]/u)
    expect(left).toMatch(/\p{Script=Han}/u)
  })
})

/** Every message that a schema has of its own, wherever it stands. */
function ownWords(within: unknown, seen = new Set<unknown>()): ReadonlySet<string> {
  if (!isRecord(within) && !Array.isArray(within)) return new Set()
  if (seen.has(within)) return new Set()
  seen.add(within)
  const inner = isRecord(within) && isRecord(within['_zod']) ? within['_zod']['def'] : within
  const parts = isRecord(inner) || Array.isArray(inner) ? Object.values(inner) : []
  const own = isRecord(inner) && typeof inner['error'] === 'function' ? [String(inner['error']({}))] : []
  return new Set([...own, ...parts.flatMap((part) => [...ownWords(part, seen)])])
}
