import type { z } from 'zod'

/** Characters of a field's name, or of what a rule allows. */
const TEXT_LENGTH_MAX = 200

type Issue = z.core.$ZodIssue
type Rule = { readonly rule: string; readonly limit?: string | number }

/**
 * What a schema found, for those who read it in their own language: `field0`, `rule0`, `limit0` and so on. Rules are those of the
 * catalogue of problems in messages. Never repeats a value. Pure.
 */
export function problemParams(issues: readonly Issue[]): Readonly<Record<string, string | number>> {
  const entries = issues.flatMap((issue, index) => {
    const { rule, limit } = ruleOf(issue)
    const field = issue.path.map(String).join('.')
    return [
      ...(field === '' ? [] : [[`field${index}`, field.slice(0, TEXT_LENGTH_MAX)] as const]),
      [`rule${index}`, rule] as const,
      ...(limit === undefined
        ? []
        : [[`limit${index}`, typeof limit === 'string' ? limit.slice(0, TEXT_LENGTH_MAX) : limit] as const]),
    ]
  })
  return Object.fromEntries(entries)
}

function ruleOf(issue: Issue): Rule {
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.endsWith('received undefined')
        ? { rule: 'missing' }
        : { rule: 'type', limit: issue.expected }
    case 'too_big':
      return { rule: boundOf(issue.origin, ['long', 'many', 'high']), limit: Number(issue.maximum) }
    case 'too_small':
      if (issue.origin === 'string' && issue.minimum === 1) return { rule: 'missing' }
      return { rule: boundOf(issue.origin, ['short', 'few', 'low']), limit: Number(issue.minimum) }
    case 'invalid_format':
      return formRule(issue)
    case 'unrecognized_keys':
      return { rule: 'unknown', limit: issue.keys.join(', ') }
    case 'invalid_value':
      return { rule: 'choice', limit: issue.values.map(String).join(', ') }
    case 'invalid_union':
      return unionRule(issue)
    case 'invalid_key':
    case 'invalid_element':
      return issue.issues[0] === undefined ? { rule: 'other' } : ruleOf(issue.issues[0])
    case 'custom':
      return saidRule(issue.message)
    case 'not_multiple_of':
      return { rule: 'other' }
    default:
      return issue satisfies never
  }
}

function unionRule(issue: Extract<Issue, { code: 'invalid_union' }>): Rule {
  // The library's type leaves out what it lists where one field decides which form is meant.
  const options: unknown = Reflect.get(issue, 'options')
  return Array.isArray(options)
    ? { rule: 'choice', limit: options.map(String).join(', ') }
    : { rule: 'other' }
}

function boundOf(origin: string, [text, list, number]: readonly [string, string, string]): string {
  if (origin === 'string') return text
  return ['array', 'set', 'map', 'record', 'object'].includes(origin) ? list : number
}

function formRule(issue: Extract<Issue, { code: 'invalid_format' }>): Rule {
  // What the library says by itself begins so; a schema's own words say more.
  if (!issue.message.startsWith('Invalid ')) return saidRule(issue.message)
  return { rule: ['datetime', 'url'].includes(issue.format) ? issue.format : 'form' }
}

function saidRule(message: string): Rule {
  return message.startsWith('Invalid ') ? { rule: 'other' } : { rule: 'said', limit: message }
}
