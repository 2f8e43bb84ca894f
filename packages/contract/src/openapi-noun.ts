import { permissions } from './permissions.ts'

/** Path segments whose noun is another word, or that name a thing no permission speaks of. */
const ALIASES: Readonly<Record<string, string>> = {
  version: 'installation',
  health: 'installation',
  'first-run': 'installation',
  session: 'account',
  account: 'account',
  password: 'account',
  token: 'token',
  'audit-event': 'audit',
  'audit-chain': 'audit',
  node: 'node',
}

const NOUNS: ReadonlySet<string> = new Set(permissions.map((permission) => permission.split(':')[0] ?? ''))

/** The noun an operation belongs to: the last segment of its path that names one. Pure. */
export function nounOf(path: string): string {
  const segments = path
    .split('/')
    .filter((segment) => segment !== '' && segment !== 'v1' && !segment.startsWith(':'))
  const nouns = segments.map(singularOf).map((word) => ALIASES[word] ?? (NOUNS.has(word) ? word : undefined))
  return nouns.findLast((noun) => noun !== undefined) ?? singularOf(segments[0] ?? '')
}

function singularOf(word: string): string {
  if (word.endsWith('ies')) return `${word.slice(0, -3)}y`
  return word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word
}
