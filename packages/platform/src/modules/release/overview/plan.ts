import type { WorkloadHealth } from '@slipway/contract'

import { countedProcessOf, type Version } from '../model.ts'
import { demandOf } from '../shape.ts'
import type { Health } from './model.ts'

/** A ready Instance, by what it runs. */
export type ReadyInstance = { readonly process: string; readonly hash: string }

export type Grade = Pick<Health, 'health' | 'ready' | 'wanted'>

/**
 * How a Workload is: what people ask for of each process, and what of it is ready. During a release Instances of both versions
 * count; more of one process do not stand in for another's.
 */
export function gradeOf(input: {
  readonly serving: Version
  readonly active: Version | undefined
  readonly instances: Readonly<Record<string, number>>
  readonly ready: readonly ReadyInstance[]
}): Grade {
  const { serving, active, instances } = input
  const hashes = [serving.hash, active?.hash]
  const processes = Object.keys(serving.template.processes).map((process) => {
    const wanted = demandOf(serving, process, instances)
    const ready = input.ready.filter((one) => one.process === process && hashes.includes(one.hash)).length
    return { process, wanted, ready: Math.min(ready, wanted) }
  })
  const wanted = processes.reduce((sum, one) => sum + one.wanted, 0)
  const ready = processes.reduce((sum, one) => sum + one.ready, 0)
  if (wanted === 0) return { health: 'Stopped', ready, wanted }
  if (ready >= wanted) return { health: 'Healthy', ready, wanted }
  const main = processes.find(({ process }) => process === countedProcessOf(serving.template))
  const isDown = ready === 0 || (main !== undefined && main.wanted > 0 && main.ready === 0)
  return { health: isDown ? 'Down' : 'Degraded', ready, wanted }
}

/** What is shown: what a Cluster that does not answer said last is no longer known. */
export function healthNow(
  health: Health | undefined,
  isReachable: boolean,
): { readonly state: WorkloadHealth; readonly since: Date | undefined } {
  if (health === undefined) return { state: 'Unreleased', since: undefined }
  return { state: isReachable ? health.health : 'Unknown', since: health.since }
}
