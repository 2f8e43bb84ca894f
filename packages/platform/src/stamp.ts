/* Times of the lines of logs, to the nanosecond, as nodes write them in front of each. */

/** Nanoseconds since 1970. */
export type Stamp = bigint

const NANOS = 1_000_000n

/** RFC 3339 with up to nine digits and any offset; undefined for anything else. */
export function parseStamp(text: string): Stamp | undefined {
  const match = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/u.exec(text)
  if (!match) return undefined
  const [, seconds = '', fraction = '', zone = ''] = match
  const ms = Date.parse(seconds + zone)
  return Number.isNaN(ms) ? undefined : BigInt(ms) * NANOS + BigInt(fraction.padEnd(9, '0'))
}

/** RFC 3339 in UTC with nine digits. */
export function stampText(at: Stamp): string {
  const second = at / 1_000_000_000n
  const nanos = at % 1_000_000_000n
  return `${new Date(Number(second) * 1_000).toISOString().slice(0, 19)}.${String(nanos).padStart(9, '0')}Z`
}

/** The second in which a stamp lies: what Kubernetes can be asked for. */
export function secondOf(at: Stamp): Date {
  return new Date(Number(at / 1_000_000_000n) * 1_000)
}

export function stampOf(date: Date): Stamp {
  return BigInt(date.getTime()) * NANOS
}
