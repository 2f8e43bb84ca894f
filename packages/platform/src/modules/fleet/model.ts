import type { Kube, Live, ParentReference } from '@slipway/kube'

import type { ObjectsOf } from './watch.ts'

/** Label of everything that belongs to a Workload; its value is the Workload's id. */
export const WORKLOAD_LABEL = 'slipway/workload'
/** The label, the annotation and the taint of the nodes of a Pool; the value is its short name. */
export const POOL_LABEL = 'slipway/pool'
/** What a node tells in its status only, as labels that placement can ask for. */
export const FACT_LABELS = [
  'slipway/cpu-cores',
  'slipway/memory-gib',
  'slipway/disk-gib',
  'slipway/kernel',
] as const
/** Of a Workload's objects: which of its processes, and the hash of which version. */
export const PROCESS_LABEL = 'slipway/process'
export const VERSION_LABEL = 'slipway/version'
/** Label of a Job and its pods; its value is the build's id. */
export const BUILD_LABEL = 'slipway/build'

/** What an operator says about a Cluster's gateway; what is left out is read from the Cluster. */
export type GatewaySettings = {
  /** `<namespace>/<name>` */
  readonly gateway?: string | undefined
  readonly gatewayUrl?: string | undefined
  readonly domain?: string | undefined
}

/** How the platform proves itself to a Cluster. Times are ISO texts, as they lie in the database. */
export type Credential =
  /** What an operator gave, kept as it is, because the Cluster offers no way to make a lesser one. */
  | { readonly kind: 'given'; readonly expiresAt: string | null }
  /** A token of the account that registration made. */
  | {
      readonly kind: 'service-account'
      /** Which of the two Secrets the token is bound to. */
      readonly slot: 1 | 2
      readonly issuedAt: string
      readonly expiresAt: string
      /** The other Secret goes then, and with it the token before this one; null when it is gone. */
      readonly revokeAt: string | null
    }
  /** An agent dials us and proves itself by a token; null when that was revoked. The Cluster's own credentials stay with it. */
  | {
      readonly kind: 'agent'
      readonly tokenHash: string | null
      /** Id of the Cluster that came with the token first; no other may come with it. */
      readonly clusterUid?: string
      readonly issuedAt: string
      readonly expiresAt: null
    }

/** Whose a Cluster is, as it says itself. */
export type OwnerMark = {
  readonly installationId: string
  /** Where that platform is, for people. */
  readonly address: string
  readonly clusterId: string | undefined
}

export type Cluster = {
  readonly id: string
  readonly slug: string
  readonly name: string
  /** The sealed kubeconfig. */
  readonly credentials: string
  readonly credential: Credential
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
  readonly capacity: Capacity
  readonly offers: Offers
  /** What the Cluster's mark says; undefined where there is none, or where we may not read it. */
  readonly owner: OwnerMark | undefined
}

/** What all nodes that take Instances have together. */
export type Capacity = {
  readonly nodes: number
  readonly nodesReady: number
  readonly cpuCores: number
  readonly memoryBytes: number
  readonly instancesMax: number
}

/** Parts of Kubernetes that not every Cluster has. */
export type Offers = {
  readonly gatewayApi: boolean
  readonly metrics: boolean
  /** Rights by role and admission policies: what a least-privilege account is made of. */
  readonly leastPrivilege: boolean
}

/**
 * Asks a Gateway from where the Cluster is; the answer's status.
 * @throws {Error} when there was none
 */
export type AskGateway = (
  url: URL,
  options: {
    readonly headers: Readonly<Record<string, string>>
    readonly signal: AbortSignal
    /** Until the whole answer is there. */
    readonly timeoutMs: number
  },
) => Promise<number>

/** A Cluster that answers. */
export type ClusterConnection = Pick<ClusterFacts, 'version' | 'gateway' | 'processRuntime'> & {
  readonly kube: Kube
  /** Pods of Workloads, of all namespaces or of one, as last seen by a watch; undefined where there is none or it may be old. */
  readonly podsSeen?: (namespace?: string) => readonly Live<'pods'>[] | undefined
  /** A Workload's objects as last seen by a watch; undefined where there is none or it may be old. */
  readonly objectsSeen?: ObjectsOf
  /** The way to the gateway. */
  readonly askGateway: AskGateway
  /** Makes a namespace of this installation one in which we may work; undefined where we may work anywhere. */
  readonly grantNamespace?: (namespace: string, signal: AbortSignal) => Promise<void>
}

/** What is known of the Instances on a Cluster; nothing while it does not answer. */
export type ClusterPods = {
  readonly id: string
  readonly slug: string
  readonly pods: readonly Live<'pods'>[] | undefined
}

export type Health = {
  /** `credentials`: it answers, and does not accept who we say that we are. */
  readonly state: 'ready' | 'unknown' | 'connecting' | 'credentials'
  readonly since: Date
  readonly message: string
}

/** The way to Clusters for the other modules. */
export type Clusters = {
  /** @throws {AppError} `cluster_unknown`, `cluster_unreachable` */
  readonly connect: (clusterId: string) => Promise<ClusterConnection>
}
