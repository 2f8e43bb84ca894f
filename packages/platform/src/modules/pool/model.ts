export type Why = {
  readonly code: string
  readonly params: Readonly<Record<string, string | number | boolean>>
}

/** A node of a Pool as it was when it was looked at last. */
export type Member = { readonly name: string; readonly by: 'name' | 'labels'; readonly settled: boolean }

/** Nodes of a Cluster under one name. */
export type Pool = {
  readonly id: string
  readonly clusterId: string
  readonly slug: string
  readonly name: string
  /** Only Workloads that name it run here, also while nobody rents it. */
  readonly exclusive: boolean
  /** Nodes that carry all these labels belong to it. */
  readonly selector: Readonly<Record<string, string>> | null
  /** Nodes that belong to it by name. */
  readonly nodes: readonly string[]
  readonly members: readonly Member[]
  readonly problem: Why | null
  readonly deleting: boolean
  readonly createdAt: Date
}

/** The right of one Project to a Pool until a moment. It ends at that moment, whoever notices when. */
export type Rent = {
  readonly id: string
  readonly poolId: string
  readonly clusterId: string
  readonly organizationId: string
  readonly projectId: string
  /** Workloads of the Project on the Cluster that name no Pool run here. */
  readonly isDefault: boolean
  readonly comment: string
  readonly rentedBy: string
  readonly from: Date
  readonly until: Date
  readonly endedAt: Date | null
}

/** A node as far as it matters for Pools. */
export type NodeSight = {
  readonly name: string
  readonly resourceVersion: string
  readonly labels: Readonly<Record<string, string>>
  /** Short name of the Pool for which we labelled it; undefined where the label is not of our hand. */
  readonly marked: string | undefined
  readonly taints: readonly Taint[]
  /** What its status tells, as labels. */
  readonly facts: Readonly<Record<string, string>>
}

export type Taint = {
  readonly key: string
  readonly value?: string
  readonly effect: string
  readonly timeAdded?: string
}

/** What is to be written on a node. Null takes a label away. */
export type NodeChange = {
  readonly name: string
  readonly resourceVersion: string
  readonly labels: Readonly<Record<string, string | null>>
  readonly mark: string | null | undefined
  readonly taints: readonly Taint[] | undefined
}

/** Who is on the nodes of a Pool. */
export type Guest = {
  readonly workloadId: string
  readonly projectId: string
  readonly instances: number
  readonly nodes: readonly string[]
}
