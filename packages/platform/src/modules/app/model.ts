import type { Placement } from '@slipway/contract'
import { MINUTE_MS, SECOND_MS, tailOf } from '@slipway/kit'

/** How long the old version stays ready after a release unless the Workload says otherwise, in seconds. */
export const KEEP_SECONDS_DEFAULT = (10 * MINUTE_MS) / SECOND_MS

export type Application = {
  readonly id: string
  readonly organizationId: string
  readonly projectId: string
  readonly slug: string
  readonly name: string
  readonly createdAt: Date
}

/** One Application in one Environment: what is released, scaled, configured, watched. */
export type Workload = {
  readonly id: string
  readonly organizationId: string
  readonly projectId: string
  readonly applicationId: string
  readonly environmentId: string
  readonly clusterId: string
  /** `project/application/environment` */
  readonly name: string
  readonly namespace: string
  /** Instances asked for, by process. */
  readonly instances: Readonly<Record<string, number>>
  readonly restarts: Readonly<Record<string, string>>
  /** Where processes may run, in place of what their Image says. */
  readonly placement: Readonly<Record<string, Placement>>
  /** Pool in which it is to run; null where its Image or its Project says. */
  readonly pool: string | null
  readonly configRevision: number
  readonly keepSeconds: number
  readonly urls: readonly string[]
  readonly deleting: boolean
  /** Rises with every change of what should be. */
  readonly generation: number
  /** Counts Workloads; the port of its own follows from it. */
  readonly ordinal: number
  readonly createdAt: Date
}

/** A Workload as lists over many of them need it. */
export type WorkloadPlace = Pick<
  Workload,
  'id' | 'organizationId' | 'projectId' | 'applicationId' | 'environmentId' | 'clusterId' | 'name' | 'urls'
>

/** A variable as it is kept: the value of a secret one is sealed. */
export type StoredVariable = { readonly name: string; readonly secret: boolean; readonly value: string }
/** A variable with its value in the clear; never leaves the process but into the Cluster. */
export type Variable = StoredVariable

export type ConfigRevision = {
  readonly workloadId: string
  readonly organizationId: string
  readonly revision: number
  readonly variables: readonly StoredVariable[]
  readonly comment: string
  readonly createdBy: string
  readonly createdAt: Date
}

const SLUG_PART_MAX = 27

/** Kubernetes namespace of a Project × Environment: both slugs, cut, and the end of the Environment's id; at most 62 characters. */
export function namespaceOf(
  projectSlug: string,
  environment: { readonly id: string; readonly slug: string },
): string {
  const part = (slug: string): string => slug.slice(0, SLUG_PART_MAX).replace(/-+$/u, '')
  return `${part(projectSlug)}-${part(environment.slug)}-${tailOf(environment.id)}`
}

/** The parts of a Workload's name. */
export function partsOf(workload: Pick<Workload, 'name'>): {
  readonly project: string
  readonly application: string
  readonly environment: string
} {
  const [project = '', application = '', environment = ''] = workload.name.split('/')
  return { project, application, environment }
}
