import type { InstanceState } from '@slipway/contract'

import type { WorkloadPlace } from '../app/index.ts'

export type Amount = { readonly cpuCores: number; readonly memoryBytes: number }

/** What a pod says about itself; whose it really is the database decides. */
export type Claim =
  | { readonly kind: 'workload'; readonly workloadId: string; readonly process: string }
  | { readonly kind: 'build'; readonly buildId: string }
  | { readonly kind: 'none' }

/** One pod on a node. */
export type Tenant = {
  readonly namespace: string
  readonly name: string
  readonly claim: Claim
  readonly state: InstanceState
  readonly requested: Amount
  readonly use: Amount | null
  readonly createdAt: Date
}

/** A node as its Cluster reports it. */
export type NodeFacts = {
  readonly name: string
  readonly ready: boolean
  readonly schedulable: boolean
  readonly addresses: readonly string[]
  readonly kubeletVersion: string
  readonly labels: Readonly<Record<string, string>>
  readonly capacity: Amount & { readonly instancesMax: number }
}

export type BuildPlace = { readonly buildId: string; readonly projectId: string; readonly project: string }

/** What the caller may know about who is who on a Cluster. */
export type Sight = {
  /** The Workloads on this Cluster that they may see, by id. */
  readonly workloads: ReadonlyMap<string, WorkloadPlace>
  /** The builds that they may see, by id. */
  readonly builds: ReadonlyMap<string, BuildPlace>
  /** They may read nodes, and so everything that is nobody's. */
  readonly seesNodes: boolean
}

export type Owner =
  | {
      readonly kind: 'workload'
      readonly workload: WorkloadPlace
      readonly instanceId: string
      readonly process: string
    }
  | ({ readonly kind: 'build' } & BuildPlace)
  | { readonly kind: 'hidden'; readonly number: number }
  | { readonly kind: 'other'; readonly namespace: string | null; readonly name: string | null }

export type OwnedTenant = Omit<Tenant, 'claim' | 'namespace' | 'name'> & { readonly owner: Owner }

export type Share = {
  readonly project: { readonly id: string; readonly slug: string } | null
  readonly instances: number
  readonly requested: Amount
  readonly use: Amount | null
  readonly share: number
}
