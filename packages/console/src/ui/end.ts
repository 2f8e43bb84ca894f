import type { Tone } from './status.tsx'

/** Far from its end, close to it, or past it. Pure. */
export function toneOfEnd(at: string, now: Date, soonMs: number): Tone {
  const leftMs = new Date(at).getTime() - now.getTime()
  if (leftMs <= 0) return 'bad'
  return leftMs <= soonMs ? 'warn' : 'good'
}
