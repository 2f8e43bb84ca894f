import type { Search } from '../../routes/path.ts'

/** What an audit log is narrowed by, as it stands in the address. */
export type AuditFilters = {
  readonly actor?: string
  readonly action?: string
  readonly target?: string
  readonly from?: string
  readonly until?: string
}

const LIMITS = { actor: 64, action: 64, target: 128 } as const

/** Reads the address; what is no time is passed over. Pure. */
export function filtersOf(search: Search): AuditFilters {
  const texts = Object.entries(LIMITS).flatMap(([name, length]) => {
    const value = (search[name] ?? '').trim().slice(0, length)
    return value === '' ? [] : [[name, value] as const]
  })
  const times = (['from', 'until'] as const).flatMap((name) => {
    const at = new Date(search[name] ?? '')
    return Number.isNaN(at.getTime()) ? [] : [[name, at.toISOString()] as const]
  })
  return Object.fromEntries([...texts, ...times])
}

/** The options of `slipway audit list` that show the same. Pure. */
export function commandOf(filters: AuditFilters, place: string): string {
  const options = Object.entries(filters).map(([name, value]) => `--${name} ${value}`)
  return ['audit list', ...(place === '' ? [] : [place]), ...options].join(' ')
}

/** Values as a line of a CSV file (RFC 4180); what a spreadsheet would take for a formula stays text. Pure. */
export function csvLine(values: readonly (string | number | null)[]): string {
  const cells = values.map((value) => {
    const text = String(value ?? '')
    const safe = /^[=+\-@\t\r]/u.test(text) ? `'${text}` : text
    return /[",\r\n]/u.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
  })
  return `${cells.join(',')}\r\n`
}
