import type { WorkloadTemplate } from '@slipway/contract'
import type { Digest } from '@slipway/oci'

/** An Image of an Application, as its build or push recorded it. */
export type Image = {
  readonly id: string
  readonly organizationId: string
  readonly projectId: string
  readonly applicationId: string
  /** `<project>/<application>` */
  readonly repository: string
  readonly digest: Digest
  readonly template: WorkloadTemplate
  /** Name of the base it stands on. */
  readonly base: string
  readonly commit: string | null
  readonly buildId: string | null
  /** Bytes a node without any layer has to pull. */
  readonly sizeBytes: number
  readonly createdBy: string
  readonly createdAt: Date
}

/** An account of one Kubernetes namespace that may pull the repositories of its Project, and nothing else. */
export type Robot = {
  readonly id: string
  readonly organizationId: string
  readonly projectId: string
  readonly clusterId: string
  readonly namespace: string
  /** Sealed. */
  readonly secret: string
  readonly secretHash: string
  /** Holds until `previousUntil`, while the Cluster still has the old one. */
  readonly previousHash: string | null
  readonly previousUntil: Date | null
  readonly rotatedAt: Date
}

/** Who needs an Image: a Workload by name, and whether it serves there now. */
export type ImageUse = { readonly image: string; readonly workload: string; readonly serves: boolean }

/** Repositories of bases begin with this; they belong to the installation. */
export const BASE_PREFIX = 'base/'

export function referenceOf(image: Pick<Image, 'repository' | 'digest'>): string {
  return `${image.repository}@${image.digest}`
}
