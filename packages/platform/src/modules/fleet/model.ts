import type { Kube, Live, ParentReference } from '@slipway/kube'

import type { ObjectsOf } from './watch.ts'

/** Label of everything that belongs to a Workload; its value is the Workload's id. */
export const WORKLOAD_LABEL = 'slipway/workload'

/** What an operator says about a Cluster's gateway; what is left out is read from the Cluster. */
export type GatewaySettings = {
  /** `<namespace>/<name>` */
  readonly gateway?: string | undefined
  readonly gatewayUrl?: string | undefined
  readonly domain?: string | undefined
}

export type Cluster = {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly credentials: string
  /** Address of the API server. */
  readonly server: string
  readonly gateway: GatewaySettings
  readonly isDefault: boolean
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** What a Cluster's gateway offers, as the Cluster itself reports it. */
export type GatewayFacts = {
  /** The Gateway that routes attach to. */
  readonly parent: ParentReference
  readonly className: string
  /** Base address at which the gateway answers. */
  readonly url: string
  /** Domain below which Applications get their names. */
  readonly domain: string
  /** Ports that a Gateway of a Workload's own may listen on. */
  readonly ownPorts: { readonly from: number; readonly to: number } | undefined
}

/** What a Cluster is like, as it reports itself. */
export type ClusterFacts = {
  readonly version: string
  readonly gateway: GatewayFacts | undefined
  /** Instances run as processes of the host: only the Image's own layers are used. */
  readonly processRuntime: boolean
}

/** A Cluster that answers. */
export type ClusterConnection = ClusterFacts & {
  readonly kube: Kube
  /** Pods of Workloads in a namespace as last seen by a watch; undefined where there is none or it may be old. */
  readonly podsSeen?: (namespace: string) => readonly Live<'pods'>[] | undefined
  /** A Workload's objects as last seen by a watch; undefined where there is none or it may be old. */
  readonly objectsSeen?: ObjectsOf
}

/** What is known of the Instances on a Cluster; nothing while it does not answer. */
export type ClusterPods = {
  readonly id: string
  readonly slug: string
  readonly pods: readonly Live<'pods'>[] | undefined
}

export type Health = {
  readonly state: 'ready' | 'unknown' | 'connecting'
  readonly since: Date
  readonly message: string
}

/** The way to Clusters for the other modules. */
export type Clusters = {
  /** @throws {AppError} `cluster_unknown`, `cluster_unreachable` */
  readonly connect: (clusterId: string) => Promise<ClusterConnection>
}
