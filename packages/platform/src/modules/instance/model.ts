import type { InstanceState } from '@slipway/contract'

export type Why = {
  readonly code: string
  readonly params: Readonly<Record<string, string | number | boolean>>
}

/** One pod of a Workload, as its Cluster reports it. */
export type Instance = {
  readonly workloadId: string
  /** Name of the pod. */
  readonly name: string
  readonly process: string
  readonly version: string
  readonly state: InstanceState
  readonly since: Date
  readonly ready: boolean
  readonly restarts: number
  readonly why: Why | null
  readonly node: string | null
  readonly address: string | null
  readonly ports: Readonly<Record<string, number>>
  readonly containers: readonly string[]
  readonly resources: {
    readonly cpuCores: number | null
    readonly memoryBytes: number | null
    readonly memoryLimitBytes: number | null
  }
  readonly createdAt: Date
}

export type Use = { readonly cpuCores: number; readonly memoryBytes: number }

/** An Instance's id names its Workload, which names its Cluster and namespace: nothing about Instances is stored. */
export function instanceIdOf(workloadId: string, podName: string): string {
  return `${workloadId}.${podName}`
}

/** The parts of an id whose form the contract has checked. */
export function partsOfInstance(id: string): { readonly workloadId: string; readonly podName: string } {
  const dot = id.indexOf('.')
  return { workloadId: id.slice(0, dot), podName: id.slice(dot + 1) }
}
