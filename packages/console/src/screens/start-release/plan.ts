import type { Workload, WorkloadTemplate } from '@slipway/contract'

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
  readonly capacity: Capacity
}

export const capacities = ['require', 'lower', 'ignore'] as const
type Capacity = (typeof capacities)[number]

/** Instances by process as somebody typed them; what is not named is as it was. */
export type Counts = Readonly<Record<string, number>>

export const STEPS_MAX = 50
export const firstSteps: readonly Step[] = [
  { percent: 10, weight: null, approve: false, soakSeconds: 30 },
  { percent: 50, weight: null, approve: true, soakSeconds: 0 },
  { percent: 100, weight: null, approve: false, soakSeconds: 0 },
]

/** The Plan that a form asks for. Pure. */
export function planOf({ kind, steps, onFail, probePath, capacity }: PlanForm): RequestPlan {
  return {
    batches: batchesOf(kind, steps),
    onFail,
    capacity,
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

/** The options of the command that say the rest of it. Pure. */
export function optionsText({ capacity }: Pick<PlanForm, 'capacity'>, counts: Counts): string {
  const pairs = Object.entries(counts).map(([process, count]) => `${process}=${count}`)
  return [
    ...(pairs.length === 0 ? [] : [` --instances ${pairs.join(',')}`]),
    ...(capacity === 'require' ? [] : [` --capacity ${capacity}`]),
  ].join('')
}

/** How many Instances each process of an Image runs unless a Release says otherwise. Pure. */
export function usualCounts(template: WorkloadTemplate, workload: Pick<Workload, 'instances'>): Counts {
  return Object.fromEntries(
    Object.entries(template.processes).map(([name, process]) => [
      name,
      workload.instances[name] ?? process.instances,
    ]),
  )
}

/** What was typed, as far as the Image has such processes: another one may have been chosen in between. Pure. */
export function countsWithin(template: WorkloadTemplate, counts: Counts): Counts {
  return Object.fromEntries(
    Object.entries(counts).filter(([name]) => Object.hasOwn(template.processes, name)),
  )
}
