import type { RequestBatch, RequestPlan } from './types.ts'

/** A step as the form holds it; empty fields stand for what follows from the share. */
export type Step = {
  readonly percent: number
  readonly weight: number | null
  readonly approve: boolean
  readonly soakSeconds: number
}

export type PlanKind = 'quick' | 'careful' | 'steps'

export type PlanForm = {
  readonly kind: PlanKind
  readonly steps: readonly Step[]
  readonly onFail: 'rollback' | 'hold'
  readonly probePath: string
}

export const STEPS_MAX = 50
export const firstSteps: readonly Step[] = [
  { percent: 10, weight: null, approve: false, soakSeconds: 30 },
  { percent: 50, weight: null, approve: true, soakSeconds: 0 },
  { percent: 100, weight: null, approve: false, soakSeconds: 0 },
]

/** The Plan that a form asks for. Pure. */
export function planOf({ kind, steps, onFail, probePath }: PlanForm): RequestPlan {
  return {
    batches: batchesOf(kind, steps),
    onFail,
    ...(probePath.trim() === '' ? {} : { probe: { path: probePath.trim() } }),
  }
}

function batchesOf(kind: PlanKind, steps: readonly Step[]): RequestBatch[] {
  switch (kind) {
    case 'quick':
      return [{ percent: 100 }]
    case 'careful':
      return [{ instances: 1, approve: true }, { percent: 100 }]
    case 'steps':
      return steps.map(({ percent, weight, approve, soakSeconds }) => ({
        percent,
        approve,
        soakSeconds,
        ...(weight === null ? {} : { weight }),
      }))
    default:
      return kind satisfies never
  }
}

/** The same Plan in the short form that the command takes. Pure. */
export function stepsText({ kind, steps }: Pick<PlanForm, 'kind' | 'steps'>): string {
  return batchesOf(kind, steps)
    .flatMap((batch) => [
      batch.instances === undefined
        ? batch.percent === 100
          ? 'rest'
          : `${batch.percent}%`
        : `${batch.instances}`,
      ...(batch.weight === undefined ? [] : [`weight ${batch.weight}%`]),
      ...(batch.approve === true ? ['person'] : []),
      ...(batch.soakSeconds === undefined || batch.soakSeconds === 0 ? [] : [`soak ${batch.soakSeconds}s`]),
    ])
    .join(',')
}
