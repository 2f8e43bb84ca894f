import type { Pool } from '@slipway/contract'

/** Labels that a Pool asks for at most. */
export const LABELS_MAX = 8

/** Labels as people write them: `disk=ssd`. Pure. */
export function linesOf(selector: Pool['selector']): readonly string[] {
  return Object.entries(selector ?? {}).map(([label, value]) => `${label}=${value}`)
}

/** The labels of such lines; null for none, undefined while one is no label with a value or stands twice. Pure. */
export function selectorOf(lines: readonly string[]): Pool['selector'] | undefined {
  if (lines.length === 0) return null
  const pairs = lines.map((line) => {
    const at = line.indexOf('=')
    return [line.slice(0, Math.max(at, 0)), line.slice(at + 1)] as const
  })
  const selector = Object.fromEntries(pairs)
  const isWhole = pairs.every(([label]) => label !== '') && Object.keys(selector).length === lines.length
  return isWhole ? selector : undefined
}

/** The end of the command that makes such a Pool, or changes it to such a one. Pure. */
export function changeWords(before: Pool, after: Pick<Pool, 'name' | 'exclusive' | 'selector'>): string {
  const lines = linesOf(after.selector)
  const isOther = linesOf(before.selector).join() !== lines.join()
  const words = [
    ...(after.name === before.name ? [] : ['--name <name>']),
    ...(after.exclusive === before.exclusive ? [] : [after.exclusive ? '--exclusive' : '--open']),
    ...(isOther ? [lines.length === 0 ? '--only-named' : `--labels ${lines.join()}`] : []),
  ]
  return words.length === 0 ? '--name <name>' : words.join(' ')
}
