import { catalog, fill, type Language } from '../catalog.ts'

/*
 * What is wrong with a request, by the rule of its schema: up to five times the parameters `field0`, `rule0` and `limit0`. A rule
 * says what is expected, so that the reader knows what to do. Without rules `problem` is the sentence.
 */

type Params = Readonly<Record<string, string | number | boolean>>

const PROBLEMS_MAX = 5

const rules = catalog({
  en: {
    missing: 'give a value',
    unknown: 'there is no field {limit}, leave it out',
    type: '{limit} is expected',
    short: 'at least {limit} characters are expected',
    long: 'at most {limit} characters are expected',
    few: 'at least {limit} entries are expected',
    many: 'at most {limit} entries are expected',
    low: 'at least {limit} is expected',
    high: 'at most {limit} is expected',
    choice: 'one of these is expected: {limit}',
    datetime: 'a time such as 2026-01-31T08:00:00Z is expected',
    url: 'an address such as https://example.com/path is expected',
    form: 'the form is not the expected one, which /docs shows',
    other: 'none of the forms fits that /docs shows',
  },
  'zh-CN': {
    missing: '请填写该字段',
    unknown: '不存在字段 {limit}，请去掉',
    type: '应为{limit}',
    short: '至少需要 {limit} 个字符',
    long: '最多 {limit} 个字符',
    few: '至少需要 {limit} 项',
    many: '最多 {limit} 项',
    low: '不能小于 {limit}',
    high: '不能大于 {limit}',
    choice: '只能是以下之一：{limit}',
    datetime: '应为 2026-01-31T08:00:00Z 形式的时间',
    url: '应为 https://example.com/path 形式的地址',
    form: '格式不正确，正确格式见 /docs',
    other: '不符合任何一种允许的形式，见 /docs',
  },
})

const types = catalog({
  en: {
    string: 'a text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    array: 'a list',
    object: 'an object',
    record: 'an object',
  },
  'zh-CN': {
    string: '文本',
    number: '数字',
    int: '整数',
    boolean: '“是”或“否”（true、false）',
    array: '列表',
    object: '对象',
    record: '对象',
  },
})

const parts = catalog({
  en: { path: 'path', query: 'query', body: 'body' },
  'zh-CN': { path: '地址', query: '查询参数', body: '请求体' },
})

/** What schemas say in words of their own, and the route layer where no schema is asked. */
const sentences: readonly (readonly [english: RegExp, chinese: string])[] = [
  [/^an id of the form (?<form>\S+) is expected$/u, '应为 {form} 形式的标识'],
  [
    /^an id of the form (?<form>wrk_….)<name of the Instance> is expected$/u,
    '应为 {form}<实例名称> 形式的标识',
  ],
  [
    /^lower-case letters, digits and hyphens are expected, at most (?<max>\d+), beginning with a letter and not ending with a hyphen$/u,
    '只能使用小写字母、数字和连字符，最多 {max} 个字符，以字母开头，不以连字符结尾',
  ],
  [
    /^lower-case letters, digits and hyphens are expected, at most (?<max>\d+)$/u,
    '只能使用小写字母、数字和连字符，最多 {max} 个字符',
  ],
  [
    /^lower-case letters, digits, dots, hyphens and underscores are expected, at most (?<max>\d+), with a letter or digit at both ends$/u,
    '只能使用小写字母、数字、点、连字符和下划线，最多 {max} 个字符，首尾须为字母或数字',
  ],
  [
    /^letters, digits and underscores are expected, at most (?<max>\d+), not beginning with a digit$/u,
    '只能使用字母、数字和下划线，最多 {max} 个字符，不以数字开头',
  ],
  [/^one line without control characters is expected$/u, '须为一行，且不含控制字符'],
  [/^this name is reserved$/u, '该名称已被保留，请换一个'],
  [/^one place at a time$/u, '一次只能指定一个位置'],
  [/^a path that begins with \/ is expected$/u, '应为以 / 开头的路径'],
  [
    /^a quantity such as (?<examples>.+) or (?<last>\S+) is expected$/u,
    '应为 {examples} 或 {last} 形式的数量',
  ],
  [/^instances or percent, not both$/u, '实例数和百分比只能填写一个'],
  [/^at most (?<max>\d+) processes$/u, '最多 {max} 个进程'],
  [
    /^the name of a node label is expected, such as (?<one>\S+) or (?<other>\S+)$/u,
    '应为节点标签的名称，例如 {one} 或 {other}',
  ],
  [
    /^the value of a label is expected: letters, digits, hyphens, dots and underscores, at most (?<max>\d+)$/u,
    '应为标签的值：字母、数字、连字符、点和下划线，最多 {max} 个字符',
  ],
  [/^host and zone may stand here once each$/u, '主机与可用区各只能出现一次'],
  [/^a name of a label is expected$/u, '应为标签的名称'],
  [/^a value of a label is expected$/u, '应为标签的值'],
  [/^between (?<min>\d+) and (?<max>\d+) labels are expected$/u, '应有 {min} 到 {max} 个标签'],
  [/^(?<name>\S+) is what Slipway itself writes$/u, '{name} 由船台自行写入，请勿填写'],
  [/^at most one web process$/u, '最多一个 web 进程'],
  [/^it is not UTF-8$/u, '不是 UTF-8 编码'],
  [/^it contains half a character$/u, '含有不完整的字符'],
  [/^it broke off$/u, '传输中断'],
  [/^it cannot be read$/u, '无法读取'],
  [/^it is not a valid address$/u, '不是有效的地址'],
  [/^dryRun: true or false$/u, 'dryRun 只能是 true 或 false'],
]

/** The parameters of `input_invalid` as somebody reads them who knows the language. Pure. */
export function problemParams(language: Language, params: Params): Params {
  const problems = Array.from({ length: PROBLEMS_MAX }, (_, index) => problemAt(language, params, index))
  const told = problems.filter((one) => one !== undefined).join(language === 'en' ? '; ' : '；')
  const plain = params['problem'] === undefined ? {} : { problem: sentence(language, params['problem']) }
  const known: Readonly<Record<string, string>> = parts[language]
  const part = params['part'] === undefined ? {} : { part: known[String(params['part'])] ?? params['part'] }
  return { ...params, ...part, ...(told === '' ? plain : { problem: told }) }
}

function problemAt(language: Language, params: Params, index: number): string | undefined {
  const [field = '', rule, limit = ''] = ['field', 'rule', 'limit'].map((name) => params[`${name}${index}`])
  if (rule === undefined) return undefined
  const text = ruleText(language, String(rule), limit)
  return field === '' ? text : `${field}${language === 'en' ? ': ' : '：'}${text}`
}

function ruleText(language: Language, rule: string, limit: string | number | boolean): string {
  if (rule === 'said') return sentence(language, limit)
  const known: Readonly<Record<string, string>> = rules[language]
  const names: Readonly<Record<string, string>> = types[language]
  const shown = rule === 'type' && Object.hasOwn(names, String(limit)) ? names[String(limit)] : limit
  // A newer server may know more rules.
  return fill((Object.hasOwn(known, rule) ? known[rule] : undefined) ?? rules[language].form, {
    limit: shown ?? limit,
  })
}

function sentence(language: Language, english: string | number | boolean): string {
  const text = String(english)
  if (language === 'en') return text
  for (const [pattern, chinese] of sentences) {
    const match = pattern.exec(text)
    if (match) return fill(chinese, { ...match.groups })
  }
  return text
}
