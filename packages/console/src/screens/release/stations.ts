import type { Batch, Release, ReleaseEvent, ReleaseState } from '@slipway/contract'

/*
 * The timeline of a Release as data: one station per batch between its start and its end, each with the gates it waits
 * behind and the evidence on which they opened. Everything follows from the Release and its journal, so that a reader who
 * comes late sees the same picture as one who watched.
 */

export type Phase = 'passed' | 'now' | 'next' | 'stopped' | 'skipped'

export type Gate = {
  readonly kind: 'answers' | 'soak' | 'person'
  readonly phase: 'passed' | 'now' | 'failed' | 'next'
  /** The entry of the journal that decided it, or tells of it last. */
  readonly evidence: ReleaseEvent | undefined
}

export type Station = {
  readonly index: number
  readonly batch: Batch
  readonly phase: Phase
  readonly gates: readonly Gate[]
  /** When it was reached, and when it was left. */
  readonly startedAt: string | undefined
  readonly endedAt: string | undefined
}

const EVERYTHING: Batch = { percent: 100, approve: false, soakSeconds: 0 }
const GOOD_END: ReadonlySet<ReleaseState> = new Set(['Finishing', 'Done'])
const WAY_BACK: ReadonlySet<ReleaseState> = new Set(['RollingBack', 'RolledBack', 'Aborted', 'Failed'])
/** Order in which a batch goes through its states; what comes later means that what comes before has passed. */
const WITHIN: readonly ReleaseState[] = [
  'Queued',
  'Placing',
  'Warming',
  'Gating',
  'WaitPerson',
  'Soak',
  'Held',
]

/** The batches that really run: a last one for everything is added where the plan has none. */
export function batchesOf({ plan }: Pick<Release, 'plan'>): readonly Batch[] {
  return plan.batches.at(-1)?.percent === 100 ? plan.batches : [...plan.batches, EVERYTHING]
}

/** The stations of a Release, in order. Pure. */
export function stationsOf(
  release: Pick<Release, 'plan' | 'state' | 'batch' | 'endedAt'>,
  events: readonly ReleaseEvent[],
): readonly Station[] {
  const wasPromoted = events.some(({ code }) => code === 'promoted')
  return batchesOf(release).map((batch, index) => {
    const own = events.filter((event) => event.batch === index)
    const placing = own.find(({ code }) => code === 'Placing')
    const wasReached = placing !== undefined || index === release.batch
    const phase = phaseOf(release, index, wasPromoted && !wasReached)
    return {
      index,
      batch,
      phase,
      gates: gatesOf(release, { batch, phase, own }),
      startedAt: placing?.at,
      endedAt: phase === 'passed' ? endOf(events, index, release.endedAt) : undefined,
    }
  })
}

function phaseOf(
  { state, batch }: Pick<Release, 'state' | 'batch'>,
  index: number,
  wasJumped: boolean,
): Phase {
  if (wasJumped) return index < batch ? 'skipped' : 'next'
  if (GOOD_END.has(state) || index < batch) return 'passed'
  if (index > batch) return WAY_BACK.has(state) ? 'skipped' : 'next'
  return WAY_BACK.has(state) ? 'stopped' : 'now'
}

/** When the next batch began, or the Release came to its end. */
function endOf(events: readonly ReleaseEvent[], index: number, endedAt: string | null): string | undefined {
  const next = events.find(
    ({ batch, code }) => (batch > index && code === 'Placing') || (batch >= index && code === 'Finishing'),
  )
  return next?.at ?? endedAt ?? undefined
}

type Context = {
  readonly batch: Batch
  readonly phase: Phase
  readonly own: readonly ReleaseEvent[]
}

function gatesOf(release: Pick<Release, 'state'>, { batch, phase, own }: Context): readonly Gate[] {
  const kinds: readonly Gate['kind'][] = [
    'answers',
    ...(batch.approve ? (['person'] as const) : []),
    ...(batch.soakSeconds > 0 ? (['soak'] as const) : []),
  ]
  return kinds.map((kind) => ({
    kind,
    phase: gatePhase(kind, release.state, { batch, phase, own }),
    evidence: evidenceOf(kind, own),
  }))
}

function gatePhase(kind: Gate['kind'], state: ReleaseState, { phase, own }: Context): Gate['phase'] {
  if (phase === 'passed') return 'passed'
  if (phase === 'next' || phase === 'skipped') return 'next'
  const rejected = own.some(({ code }) => code === 'rejected')
  const last = phase === 'stopped' ? lastStateOf(own) : state
  const reached = WITHIN.indexOf(last)
  const place = WITHIN.indexOf(kind === 'answers' ? 'Gating' : kind === 'person' ? 'WaitPerson' : 'Soak')
  if (kind === 'person' && rejected) return 'failed'
  if (kind === 'person' && own.some(({ code }) => code === 'approved')) return 'passed'
  if (reached > place) return 'passed'
  const isHere = kind === 'answers' ? reached >= 0 : reached === place
  if (phase === 'stopped') return isHere ? 'failed' : 'next'
  return isHere ? 'now' : 'next'
}

/** The last state of a batch before the way back began. */
function lastStateOf(own: readonly ReleaseEvent[]): ReleaseState {
  const states = own.filter(({ kind, code }) => kind === 'state' && WITHIN.includes(code as ReleaseState))
  return (states.at(-1)?.code ?? 'Queued') as ReleaseState
}

function evidenceOf(kind: Gate['kind'], own: readonly ReleaseEvent[]): ReleaseEvent | undefined {
  const matching = own.filter((event) => {
    if (kind === 'person') return event.code === 'approved' || event.code === 'rejected'
    return kind === 'answers' && event.kind === 'gate'
  })
  return matching.at(-1)
}
