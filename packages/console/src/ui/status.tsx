import type { ReactNode } from 'react'

/**
 * How something stands: a shape, a colour and a word, so that none of the three is needed alone.
 * `good` runs well; `busy` moves; `wait` wants a person; `warn` is doubtful; `bad` failed; `idle` is over or has not begun.
 */
export type Tone = 'good' | 'busy' | 'wait' | 'warn' | 'bad' | 'idle'

const SHAPES: Readonly<Record<Tone, ReactNode>> = {
  good: (
    <>
      <circle cx="6" cy="6" r="5.5" fill="currentColor" />
      <path d="M3.4 6.2 5.3 8 8.6 4.3" fill="none" stroke="var(--surface)" strokeWidth="1.5" />
    </>
  ),
  busy: (
    <>
      <circle cx="6" cy="6" r="4.75" fill="none" stroke="currentColor" strokeWidth="1.5" />
      <path d="M6 1.25A4.75 4.75 0 0 1 6 10.75Z" fill="currentColor" />
    </>
  ),
  wait: <path d="M6 0.4 11.6 6 6 11.6 0.4 6Z" fill="currentColor" />,
  warn: (
    <>
      <path d="M6 0.8 11.7 11H0.3Z" fill="currentColor" />
      <path d="M6 4.4V7.4M6 8.6V9.8" stroke="var(--surface)" strokeWidth="1.3" />
    </>
  ),
  bad: (
    <>
      <rect x="0.8" y="0.8" width="10.4" height="10.4" rx="1.6" fill="currentColor" />
      <path d="M3.8 3.8 8.2 8.2M8.2 3.8 3.8 8.2" stroke="var(--surface)" strokeWidth="1.5" />
    </>
  ),
  idle: <circle cx="6" cy="6" r="4.75" fill="none" stroke="currentColor" strokeWidth="1.5" />,
}

/** The shape alone, where the word stands beside it anyway. */
export function Shape({ tone, sizePx = 11 }: { readonly tone: Tone; readonly sizePx?: number }) {
  return (
    <svg className={`tone-${tone}`} width={sizePx} height={sizePx} viewBox="0 0 12 12" aria-hidden="true">
      {SHAPES[tone]}
    </svg>
  )
}

export function Status({ tone, children }: { readonly tone: Tone; readonly children: ReactNode }) {
  return (
    <span className={`status tone-${tone}`}>
      <Shape tone={tone} />
      <span>{children}</span>
    </span>
  )
}
