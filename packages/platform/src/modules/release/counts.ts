/*
 * How many Instances a Release is to end with. The Workload's count is people's own wish; a Release takes it over, or brings a
 * count of its own, which becomes the Workload's when the Release is done. Starting a Release never takes down what serves and
 * never ends with nothing running unless somebody said so.
 */
import type { WorkloadTemplate } from '@slipway/contract'

import { countedProcessOf } from './model.ts'

type Counts = Readonly<Record<string, number>>

/** What a Release brings: Instances by process, and for which of them somebody gave a number. */
export type SettledCounts = { readonly instances: Counts; readonly asked: readonly string[] }

export type CountsProblem =
  /** The Workload is scaled to nothing, and nobody said how many are to run. */
  | { readonly kind: 'stopped'; readonly process: string }
  /** The number would take down what serves. */
  | { readonly kind: 'stops'; readonly process: string; readonly serving: number }

export type CountsInput = {
  readonly template: WorkloadTemplate
  /** Instances asked for of the Workload. */
  readonly current: Counts
  /** Instances given with the Release. */
  readonly asked: Counts
  /** Instances of the version that serves now; 0 when none does. */
  readonly serving: number
}

export function settleCounts({
  template,
  current,
  asked,
  serving,
}: CountsInput): SettledCounts | CountsProblem {
  const process = countedProcessOf(template)
  const instances = countsOf(template, { ...current, ...asked })
  const names = Object.keys(asked)
  if (instances[process] !== 0) return { instances, asked: names }
  if (asked[process] === undefined) return { kind: 'stopped', process }
  return serving > 0 ? { kind: 'stops', process, serving } : { instances, asked: names }
}

/** A way back brings something that serves: where the Workload is scaled to nothing, as many as the Release had. */
export function countsOfReturn(template: WorkloadTemplate, current: Counts, before: Counts): SettledCounts {
  const process = countedProcessOf(template)
  const instances = countsOf(template, current)
  if (instances[process] !== 0) return { instances, asked: [] }
  const count = [before[process], template.processes[process]?.instances].find(
    (one) => one !== undefined && one > 0,
  )
  return { instances: { ...instances, [process]: count ?? 1 }, asked: [process] }
}

function countsOf(template: WorkloadTemplate, wished: Counts): Counts {
  return Object.fromEntries(
    Object.entries(template.processes).map(([name, { instances }]) => [name, wished[name] ?? instances]),
  )
}
