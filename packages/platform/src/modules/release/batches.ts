/* What a plan means for a number of Instances, and whether it can work. Pure. */
import type { Batch, Plan } from '@slipway/contract'

import type { SettledBatch } from './model.ts'

/**
 * Settles a plan for a number of Instances: what is not said follows from the share. A last batch of 100 % is always there.
 * @param demand - Instances of the counted process
 * @param hasRouter - without one there are no weights and no headers
 */
export function settleBatches(plan: Plan, demand: number, hasRouter: boolean): SettledBatch[] {
  const batches = plan.batches.map((batch) => settleBatch(batch, demand, hasRouter))
  const last = batches.at(-1)
  if (last && last.instances >= demand && last.weight === 100) return batches
  return [
    ...batches,
    { instances: demand, share: 100, weight: 100, header: null, approve: false, soakSeconds: 0 },
  ]
}

function settleBatch(batch: Batch, demand: number, hasRouter: boolean): SettledBatch {
  const share = shareOf(batch, demand)
  const instances = batch.instances ?? Math.max(1, Math.ceil((demand * share) / 100))
  // Nothing is to run, so nothing is tried either; the version is changed all the same.
  if (demand === 0)
    return { instances: 0, share, weight: 100, header: null, approve: batch.approve, soakSeconds: 0 }
  const weight = hasRouter ? (batch.weight ?? (batch.header === undefined ? share : 0)) : share
  return {
    instances: Math.max(Math.min(instances, demand), Math.ceil((demand * weight) / 100)),
    share,
    weight,
    header: hasRouter ? headerOf(batch.header) : null,
    approve: batch.approve,
    soakSeconds: batch.soakSeconds,
  }
}

function shareOf(batch: Batch, demand: number): number {
  if (batch.percent !== undefined) return batch.percent
  if (batch.instances !== undefined)
    return demand === 0 ? 100 : Math.min(100, Math.floor((100 * batch.instances) / demand))
  if (batch.weight !== undefined) return batch.weight
  return batch.header === undefined ? 100 : 0
}

function headerOf(header: string | undefined): SettledBatch['header'] {
  if (header === undefined) return null
  const [name = '', ...rest] = header.split(':')
  return { name: name.toLowerCase(), value: rest.join(':').trim() }
}

export type PlanProblem =
  | { readonly kind: 'backwards'; readonly batch: number }
  | { readonly kind: 'reserved header' }
  /** The batch brings nothing that the one before it did not bring; `write` is the plan without it. */
  | { readonly kind: 'empty batch'; readonly batch: number; readonly write: string }

/** Two counts so large and so unlike any share that batches which settle alike at both are alike at every count. */
const LARGE_COUNTS = [7_919, 104_729] as const

/** Why a plan cannot work, or undefined. Batches are counted from 1. */
export function problemOfPlan(plan: Plan, batches: readonly SettledBatch[]): PlanProblem | undefined {
  const empty = plan.batches.findIndex((_, index) =>
    LARGE_COUNTS.every((count) => isEmpty(settleBatches(plan, count, true), index)),
  )
  if (empty > 0) return { kind: 'empty batch', batch: empty + 1, write: writtenOf(without(plan, empty)) }
  for (let index = 1; index < batches.length; index += 1) {
    const [before, after] = [batches[index - 1], batches[index]]
    if (before && after && (after.instances < before.instances || after.weight < before.weight))
      return { kind: 'backwards', batch: index + 1 }
  }
  return plan.batches.some((batch) => batch.header?.toLowerCase().startsWith('slipway-') === true)
    ? { kind: 'reserved header' }
    : undefined
}

/** Number of the first batch that brings nothing new at the count that the Release has; undefined when each brings something. */
export function emptyBatchOf(batches: readonly SettledBatch[]): number | undefined {
  const index = batches.findIndex((_, at) => isEmpty(batches, at))
  return index < 0 ? undefined : index + 1
}

function isEmpty(batches: readonly SettledBatch[], index: number): boolean {
  const [before, batch] = [batches[index - 1], batches[index]]
  if (!before || !batch || batch.instances === 0) return false
  return (
    batch.instances === before.instances &&
    batch.weight === before.weight &&
    batch.header?.name === before.header?.name &&
    batch.header?.value === before.header?.value
  )
}

/** What an empty batch waits for belongs to the one before it. */
function without({ batches }: Plan, index: number): readonly Batch[] {
  const [before, empty] = [batches[index - 1], batches[index]]
  if (!before || !empty) return batches
  const merged: Batch = {
    ...before,
    approve: before.approve || empty.approve,
    soakSeconds: before.soakSeconds + empty.soakSeconds,
  }
  return [...batches.slice(0, index - 1), merged, ...batches.slice(index + 1)]
}

/** The short form in which `slipway release start --steps` takes batches. */
export function writtenOf(batches: readonly Batch[]): string {
  return batches
    .flatMap((batch) => [
      amountOf(batch),
      ...(batch.weight === undefined ? [] : [`weight ${batch.weight}%`]),
      ...(batch.header === undefined ? [] : [`header ${batch.header}`]),
      ...(batch.approve ? ['person'] : []),
      ...(batch.soakSeconds === 0 ? [] : [`soak ${batch.soakSeconds}s`]),
    ])
    .join(',')
}

function amountOf({ instances, percent, weight, header }: Batch): string {
  if (instances !== undefined) return String(instances)
  if (percent !== undefined) return percent === 100 ? 'rest' : `${percent}%`
  // Without an amount the share of the traffic says how many, and a header takes one.
  if (weight !== undefined) return weight === 100 ? 'rest' : `${Math.max(1, weight)}%`
  return header === undefined ? 'rest' : '1'
}
